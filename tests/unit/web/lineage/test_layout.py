"""Layered layouts: everything is placed, edges run to the right, and the same graph gives the same picture."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lotus_web.web.lineage.layout import Layout, layered

Graph = tuple[list[str], list[tuple[str, str]]]
LETTERS = "abcdefghijklmnop"


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any graph of up to sixteen nodes, cycles, loops and double edges included."""
    nodes = list(LETTERS[: draw(st.integers(1, len(LETTERS)))])
    ends = st.sampled_from(nodes)
    return nodes, draw(st.lists(st.tuples(ends, ends), max_size=40))


def layers(layout: Layout[str]) -> dict[str, int]:
    return {place.node: place.layer for place in layout.places}


def rows(layout: Layout[str]) -> dict[str, float]:
    return {place.node: place.row for place in layout.places}


@given(graphs())
def test_every_node_has_one_place_and_every_edge_one_route(graph: Graph) -> None:
    nodes, edges = graph
    layout = layered(nodes, edges)
    assert [place.node for place in layout.places] == nodes
    expected = {edge for edge in edges if edge[0] != edge[1]}
    assert sorted((route.source, route.target) for route in layout.routes) == sorted(expected)


@given(graphs())
def test_a_route_leads_from_its_source_through_each_layer_between_to_its_target(graph: Graph) -> None:
    layout = layered(*graph)
    where = {place.node: (place.layer, place.row) for place in layout.places}
    for route in layout.routes:
        assert (route.points[0], route.points[-1]) == (where[route.source], where[route.target])
        steps = {after[0] - before[0] for before, after in pairwise(route.points)}
        assert steps in ({1}, {-1})


@given(graphs())
def test_no_two_nodes_of_a_layer_are_closer_than_a_row(graph: Graph) -> None:
    layout = layered(*graph)
    for layer in range(layout.layers):
        column = sorted(place.row for place in layout.places if place.layer == layer)
        assert column
        assert all(below - above >= 0.998 for above, below in pairwise(column))
    assert min([row for route in layout.routes for _, row in route.points], default=0) >= 0


@given(graphs())
def test_the_same_graph_gives_the_same_picture(graph: Graph) -> None:
    assert layered(*graph) == layered(*graph)


@given(graphs())
def test_without_a_cycle_every_edge_runs_to_the_right(graph: Graph) -> None:
    nodes, edges = graph
    downhill = [(source, target) for source, target in edges if source < target]
    place = layers(layered(nodes, downhill))
    assert all(place[source] < place[target] for source, target in downhill)


def test_of_a_cycle_one_edge_runs_back() -> None:
    layout = layered(list("abc"), [("a", "b"), ("b", "c"), ("c", "a")])
    place = layers(layout)
    assert [place[name] for name in "abc"] == [0, 1, 2]
    (back,) = [route for route in layout.routes if route.points[0][0] > route.points[-1][0]]
    assert (back.source, back.target) == ("c", "a")


def test_the_longest_path_chooses_the_layer_and_long_edges_bend() -> None:
    layout = layered(list("abcd"), [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")])
    assert [layers(layout)[name] for name in "abcd"] == [0, 1, 2, 3]
    (long,) = [route for route in layout.routes if (route.source, route.target) == ("a", "d")]
    assert [layer for layer, _ in long.points] == [0, 1, 2, 3]
    bend, beside = long.points[1][1], rows(layout)["b"]
    assert bend != beside


def test_what_leads_to_a_late_node_alone_stands_right_before_it() -> None:
    place = layers(layered(list("abck"), [("a", "b"), ("b", "c"), ("k", "c")]))
    assert place["k"] == 1


def test_crossings_that_need_not_be_are_undone() -> None:
    layout = layered(list("abcxyz"), [("a", "z"), ("b", "y"), ("c", "x")])
    row = rows(layout)
    assert sorted("abc", key=row.__getitem__) == [{"z": "a", "y": "b", "x": "c"}[n] for n in sorted("xyz", key=row.get)]


def test_a_parent_stands_in_the_middle_of_its_children() -> None:
    row = rows(layered(list("pabc"), [("p", "a"), ("p", "b"), ("p", "c")]))
    assert row["p"] == row["b"] == 1


def test_parts_that_do_not_touch_are_all_there() -> None:
    layout = layered(["a", "b", "alone"], [("a", "b")])
    assert layers(layout) == {"a": 0, "b": 1, "alone": 0}
    assert layered([], []) == Layout(0, 0.0, (), ())


def test_the_largest_graph_that_a_page_draws_is_drawn_whole() -> None:
    nodes = [str(number) for number in range(60)]
    edges = [(str(number), str(number * 7 % 60)) for number in range(60)]
    edges += [(str(number), str((number * 13 + 5) % 60)) for number in range(60)]
    assert set(layers(layered(nodes, edges))) == set(nodes)
