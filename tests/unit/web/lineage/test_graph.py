"""Drawings of lineage: boxes that do not overlap, lines that end at them, names that tell what each says."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime

from lotus_web.queries.lineage import EdgeRow
from lotus_web.web.lineage.graph import MOST_NODES, Drawing, draw

AT = datetime(2026, 3, 2, tzinfo=UTC)
numbers = itertools.count()


def edge(source: str, edge_type: str, target: str) -> EdgeRow:
    """Return an edge between ids written as kind:id."""
    (source_kind, source_id), (target_kind, target_id) = source.split(":"), target.split(":")
    return EdgeRow(next(numbers), AT, source_id, source_kind, edge_type, target_id, target_kind, {})


def drawing(*edges: EdgeRow, of: str = "r1") -> Drawing:
    found = draw(of, edges)
    assert found is not None
    return found


BATCH = [
    found
    for number in range(1, 4)
    for found in (
        edge(f"correlation:c{number}", "CORRELATION_TO_RUN", f"run:r{number}"),
        edge(f"run:r{number}", "DERIVED_FROM", "batch:b"),
        edge(f"run:r{number}", "CAUSED_BY", "operation:o"),
    )
]


def test_boxes_stand_apart_and_inside() -> None:
    found = drawing(*BATCH)
    assert len(found.boxes) == 8
    for box in found.boxes:
        assert 0 <= box.x <= found.width - found.box_width
        assert 0 <= box.y <= found.height - found.box_height
    for one, other in itertools.combinations(found.boxes, 2):
        assert abs(one.x - other.x) >= found.box_width or abs(one.y - other.y) >= found.box_height


def test_lines_start_and_end_at_the_sides_of_their_boxes() -> None:
    found = drawing(*BATCH)
    box = {one.entity_id: one for one in found.boxes}
    for line in found.lines:
        source, edge_type, target = line.title.split()
        start_x, start_y = map(int, re.match(r"M(\d+) (\d+)", line.path).groups())
        end_x, end_y = map(int, re.match(r"M(\d+) (\d+)", line.head).groups())
        assert start_x == box[source].x + found.box_width
        assert box[source].y < start_y < box[source].y + found.box_height
        assert end_x == box[target].x
        assert box[target].y < end_y < box[target].y + found.box_height
        assert line.name.upper().replace(" ", "_") == edge_type


def test_lines_that_leave_one_side_do_not_start_at_one_point() -> None:
    starts = [line.path.partition("C")[0].partition("H")[0] for line in drawing(*BATCH).lines]
    assert len(set(starts)) == len(starts)


def test_names_beside_one_another_do_not_cover_each_other() -> None:
    for one, other in itertools.combinations(drawing(*BATCH).lines, 2):
        assert (one.name_x, one.anchor) != (other.name_x, other.anchor) or abs(one.name_y - other.name_y) >= 12


def test_what_happened_several_times_is_one_line_that_counts() -> None:
    replays = [edge("correlation:c1", "REPLAYED_FROM", "run:r1") for _ in range(3)]
    (line,) = drawing(edge("correlation:c1", "CORRELATION_TO_RUN", "run:r1"), *replays).lines
    assert line.name == "Correlation to run, Replayed from ×3"


def test_the_id_that_was_asked_for_is_marked_in_each_kind_that_has_it() -> None:
    found = drawing(edge("correlation:same", "CORRELATION_TO_RUN", "run:same"), of="same")
    assert [(box.kind, box.here) for box in found.boxes] == [("correlation", True), ("run", True)]


def test_a_line_that_closes_a_cycle_runs_back() -> None:
    found = drawing(
        edge("operation:o", "OPERATION_TO_CORRELATION", "correlation:c"),
        edge("correlation:c", "X", "run:r1"),
        edge("run:r1", "CAUSED_BY", "operation:o"),
    )
    box = {one.entity_id: one for one in found.boxes}
    back = next(line for line in found.lines if line.name == "Caused by")
    assert back.path.startswith(f"M{box['r1'].x} ")
    assert back.head.startswith(f"M{box['o'].x + found.box_width} ")


def test_nothing_and_too_much_are_not_drawn() -> None:
    fan = [edge("correlation:c", "CORRELATION_TO_RUN", f"run:r{number}") for number in range(MOST_NODES)]
    assert draw("c", []) is None
    assert draw("c", fan) is None
    assert draw("c", fan[1:]) is not None
