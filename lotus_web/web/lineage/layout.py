"""Placing a small directed graph in layers so that it can be read from left to right.

Longest paths choose the layer of each node, barycentres its place in it, and least squares straighten the edges. Nothing is
random: the same nodes and edges in the same order give the same picture.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

N = TypeVar("N", bound=Hashable)
Edge = tuple[int, int]
Neighbours = list[list[int]]

ORDER_SWEEPS = 8
ROW_SWEEPS = 16
# A bend of a long edge needs less room than a node.
NODE_ROOM, BEND_ROOM = 1.0, 0.5


@dataclass(frozen=True, slots=True)
class Place(Generic[N]):
    """The place of a node: its layer (0 is leftmost) and its row (0 is topmost, 1 apart at the least)."""

    node: N
    layer: int
    row: float


@dataclass(frozen=True, slots=True)
class Route(Generic[N]):
    """The way of an edge: (layer, row) of its source, of its bends, of its target."""

    source: N
    target: N
    points: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Layout(Generic[N]):
    """A placed graph; ``layers`` counts the columns, ``last_row`` is the lowest row of any node or bend."""

    layers: int
    last_row: float
    places: tuple[Place[N], ...]
    routes: tuple[Route[N], ...]


def layered(nodes: Sequence[N], edges: Iterable[tuple[N, N]]) -> Layout[N]:
    """Place every node and route every edge once; edges run to the right, except one of each cycle.

    An edge from a node to itself has no route. Raises KeyError for an edge whose end is not among ``nodes``.
    """
    number = {node: index for index, node in enumerate(dict.fromkeys(nodes))}
    names = list(number)
    ends = list(dict.fromkeys((number[source], number[target]) for source, target in edges if source != target))
    order, turned = _untangle(len(names), ends)
    forward = [(target, source) if (source, target) in turned else (source, target) for source, target in ends]
    layer_of = _layers(len(names), order, forward)
    chains = [_chain(edge, layer_of) for edge in forward]
    columns = _columns(layer_of)
    links = [link for chain in chains for link in pairwise(chain)]
    before, after = _neighbours(len(layer_of), links)
    columns = _fewest_crossings(columns, before, after)
    rows = _rows(columns, before, after, real=len(names))
    return Layout(
        layers=len(columns),
        last_row=max(rows, default=0.0),
        places=tuple(Place(name, layer_of[index], rows[index]) for index, name in enumerate(names)),
        routes=tuple(
            Route(
                names[end[0]],
                names[end[1]],
                tuple((layer_of[stop], rows[stop]) for stop in (chain[::-1] if end in turned else chain)),
            )
            for end, chain in zip(ends, chains, strict=True)
        ),
    )


def _untangle(count: int, edges: Sequence[Edge]) -> tuple[list[int], set[Edge]]:
    """Return a topological order, and the edges that must be turned round for there to be one."""
    onward: Neighbours = [[] for _ in range(count)]
    for source, target in edges:
        onward[source].append(target)
    arrived_at = {target for _, target in edges}
    turned: set[Edge] = set()
    open_nodes: set[int] = set()
    finished: dict[int, None] = {}
    for root in sorted(range(count), key=lambda node: node in arrived_at):
        path = [] if root in finished else [(root, iter(onward[root]))]
        open_nodes.update(node for node, _ in path)
        while path:
            node, rest = path[-1]
            step = next((target for target in rest if target not in finished), None)
            if step is None:
                path.pop()
                open_nodes.discard(node)
                finished[node] = None
            elif step in open_nodes:
                turned.add((node, step))
            else:
                open_nodes.add(step)
                path.append((step, iter(onward[step])))
    return list(finished)[::-1], turned


def _layers(count: int, order: Sequence[int], edges: Sequence[Edge]) -> list[int]:
    """Return the layer of each node: behind all that lead to it, and no further from what it leads to than need be."""
    layer_of = [0] * count
    before, after = _neighbours(count, edges)
    for node in order:
        layer_of[node] = max((layer_of[source] + 1 for source in before[node]), default=0)
    for node in reversed(order):
        if after[node] and not before[node]:
            layer_of[node] = min(layer_of[target] for target in after[node]) - 1
    return layer_of


def _chain(edge: Edge, layer_of: list[int]) -> list[int]:
    """Return the stops of an edge; a bend is added to ``layer_of`` for each layer that it passes."""
    source, target = edge
    passed = range(layer_of[source] + 1, layer_of[target])
    bends = range(len(layer_of), len(layer_of) + len(passed))
    layer_of.extend(passed)
    return [source, *bends, target]


def _columns(layer_of: Sequence[int]) -> list[list[int]]:
    columns: list[list[int]] = [[] for _ in range(max(layer_of, default=-1) + 1)]
    for node, layer in enumerate(layer_of):
        columns[layer].append(node)
    return columns


def _neighbours(count: int, links: Iterable[Edge]) -> tuple[Neighbours, Neighbours]:
    before: Neighbours = [[] for _ in range(count)]
    after: Neighbours = [[] for _ in range(count)]
    for source, target in links:
        before[target].append(source)
        after[source].append(target)
    return before, after


def _fewest_crossings(columns: list[list[int]], before: Neighbours, after: Neighbours) -> list[list[int]]:
    """Sort each column by the mean place of its neighbours, rightwards and leftwards in turn; keep the best order met."""
    best, fewest = columns, _crossings(columns, after)
    for sweep in range(ORDER_SWEEPS):
        if not fewest:
            break
        columns = _sorted_columns(columns, before) if sweep % 2 == 0 else _sorted_columns(columns[::-1], after)[::-1]
        crossings = _crossings(columns, after)
        if crossings < fewest:
            best, fewest = columns, crossings
    return best


def _sorted_columns(columns: list[list[int]], neighbours: Neighbours) -> list[list[int]]:
    done = columns[:1]
    for column in columns[1:]:
        place = {node: index for index, node in enumerate(done[-1])}
        middle = {
            node: _mean([float(place[one]) for one in neighbours[node]], float(index))
            for index, node in enumerate(column)
        }
        done.append(sorted(column, key=middle.__getitem__))
    return done


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _crossings(columns: list[list[int]], after: Neighbours) -> int:
    """Return how many pairs of links between neighbouring columns cross."""
    total = 0
    for left, right in pairwise(columns):
        place = {node: index for index, node in enumerate(right)}
        met: list[int] = []
        for node in left:
            arrivals = sorted(place[target] for target in after[node])
            total += sum(len(met) - bisect_right(met, arrival) for arrival in arrivals)
            for arrival in arrivals:
                insort(met, arrival)
    return total


def _rows(columns: list[list[int]], before: Neighbours, after: Neighbours, *, real: int) -> list[float]:
    """Return the row of each node: near the mean of its neighbours, in the order of its column, none closer than allowed."""
    rows = [0.0] * len(before)
    for column in columns:
        for index, node in enumerate(column):
            rows[node] = float(index)
    for sweep in range(ROW_SWEEPS + 1):
        for column in columns:
            for node, row in zip(column, _column_rows(column, rows, before, after, real, sweep), strict=True):
                rows[node] = row
    top = min(rows, default=0.0)
    return [round(row - top, 3) for row in rows]


def _column_rows(
    column: list[int], rows: list[float], before: Neighbours, after: Neighbours, real: int, sweep: int
) -> list[float]:
    """Return new rows of a column; the last sweep moves only nodes with one neighbour, right next to that one."""
    adjacent = [before[node] + after[node] for node in column]
    ideal = [
        _mean([rows[one] for one in near], rows[node]) if sweep < ROW_SWEEPS or len(near) == 1 else rows[node]
        for node, near in zip(column, adjacent, strict=True)
    ]
    return _apart(ideal, [NODE_ROOM if node < real else BEND_ROOM for node in column])


def _apart(ideal: Sequence[float], room: Sequence[float]) -> list[float]:
    """Return rows as near to ``ideal`` as can be (least squares), each pair of neighbours half of both rooms apart."""
    offsets = [0.0]
    for left, right in pairwise(room):
        offsets.append(offsets[-1] + (left + right) / 2)
    blocks: list[tuple[float, int]] = []
    for value, offset in zip(ideal, offsets, strict=False):
        block = (value - offset, 1)
        while blocks and blocks[-1][0] > block[0]:
            total, size = blocks.pop()
            block = ((total * size + block[0] * block[1]) / (size + block[1]), size + block[1])
        blocks.append(block)
    flat = [middle for middle, size in blocks for _ in range(size)]
    return [value + offset for value, offset in zip(flat, offsets, strict=False)]
