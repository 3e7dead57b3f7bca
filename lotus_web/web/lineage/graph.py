"""The drawing of a lineage graph: boxes, lines and names in pixels, from the layers that the domain chose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lotus_web.queries.lineage import EdgeRow, Node
from lotus_web.web.format.filters import shorten_middle, words
from lotus_web.web.lineage.layout import Route, layered

MOST_NODES = 60
BOX_WIDTH, BOX_HEIGHT = 150, 44
GAP, ROW = 160, 58
MARGIN = 6
PORT_PITCH = 14
ID_LENGTH = 18
NAME_AWAY, NAME_ABOVE, NAME_BELOW = 9, 4, 13
ARROW = 7


@dataclass(frozen=True, slots=True)
class Box:
    """A node in its place; ``here`` is the id that was asked for."""

    kind: str
    entity_id: str
    label: str
    here: bool
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Line:
    """All edges from one node to another: a curve, its head, and the name next to it."""

    title: str
    path: str
    head: str
    name: str
    name_x: int
    name_y: int
    anchor: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A graph of ``width`` × ``height`` pixels; every box has the same size."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    box_width: int = BOX_WIDTH
    box_height: int = BOX_HEIGHT


@dataclass(frozen=True, slots=True)
class _Port:
    """One end of a route: at which side of which node, and how many share it."""

    node: Node
    side: int
    others: int
    x: int
    y: int


def nodes_of(edges: Iterable[EdgeRow]) -> list[Node]:
    """Return the ends of some edges, each once, in the order in which the edges name them."""
    return list(dict.fromkeys(end for edge in edges for end in edge.ends))


def draw(entity_id: str, edges: Sequence[EdgeRow]) -> Drawing | None:
    """Return the drawing of some edges; None for more than ``MOST_NODES`` nodes, or for none."""
    nodes = nodes_of(edges)
    if not 0 < len(nodes) <= MOST_NODES:
        return None
    layout = layered(nodes, [edge.ends for edge in edges])
    names = _names(edges)
    ports = _ports(layout.routes)
    return Drawing(
        width=layout.layers * (BOX_WIDTH + GAP) - GAP + 2 * MARGIN,
        height=round(layout.last_row * ROW) + BOX_HEIGHT + 2 * MARGIN,
        boxes=tuple(_box(place.node, place.layer, place.row, entity_id) for place in layout.places),
        lines=tuple(_line(route, *ports[route], names[route.source, route.target]) for route in layout.routes),
    )


def _names(edges: Iterable[EdgeRow]) -> dict[tuple[Node, Node], Counter[str]]:
    found: dict[tuple[Node, Node], Counter[str]] = {}
    for edge in edges:
        found.setdefault(edge.ends, Counter())[edge.edge_type] += 1
    return found


def _box(node: Node, layer: int, row: float, entity_id: str) -> Box:
    kind, own_id = node
    return Box(kind, own_id, shorten_middle(own_id, ID_LENGTH), own_id == entity_id, _left(layer), _top(row))


def _left(layer: int) -> int:
    return MARGIN + layer * (BOX_WIDTH + GAP)


def _top(row: float) -> int:
    return MARGIN + round(row * ROW)


def _middle(row: float) -> int:
    return _top(row) + BOX_HEIGHT // 2


def _ports(routes: Sequence[Route[Node]]) -> dict[Route[Node], tuple[_Port, _Port]]:
    """Spread the ends at each side of a node, in the order of where they lead, so that lines do not meet there."""
    at_side: dict[tuple[Node, int], list[tuple[float, int, int]]] = {}
    for number, route in enumerate(routes):
        for end, (node, side, away) in enumerate(_ends(route)):
            at_side.setdefault((node, side), []).append((away, number, end))
    ports: dict[tuple[int, int], _Port] = {}
    for (node, side), group in at_side.items():
        for index, (_, number, end) in enumerate(sorted(group)):
            layer, row = routes[number].points[-end]
            ports[number, end] = _Port(node, side, len(group), *_port_place(layer, row, side, index, len(group)))
    return {route: (ports[number, 0], ports[number, 1]) for number, route in enumerate(routes)}


def _ends(route: Route[Node]) -> tuple[tuple[Node, int, float], tuple[Node, int, float]]:
    """Return each end's node, the side that it leaves by (1 is the right), and the row that it leads to."""
    onward = 1 if route.points[0][0] < route.points[-1][0] else -1
    return (route.source, onward, route.points[1][1]), (route.target, -onward, route.points[-2][1])


def _port_place(layer: int, row: float, side: int, index: int, count: int) -> tuple[int, int]:
    pitch = min(PORT_PITCH, (BOX_HEIGHT - PORT_PITCH) / max(count - 1, 1))
    x = _left(layer) + (BOX_WIDTH if side > 0 else 0)
    return x, _middle(row) + round((index - (count - 1) / 2) * pitch)


def _line(route: Route[Node], start: _Port, end: _Port, types: Counter[str]) -> Line:
    tip = end.x + end.side * ARROW
    stops = [(start.x, start.y), *_bends(route), (tip, end.y)]
    near, far = (start, end) if start.others <= end.others else (end, start)
    away = NAME_AWAY if near is start else NAME_AWAY + ARROW
    return Line(
        title=f"{route.source[1]} {', '.join(types)} {route.target[1]}",
        path=f"M{start.x} {start.y}" + "".join(_curve(*leg) for leg in pairwise(stops)),
        head=f"M{end.x} {end.y}L{tip} {end.y - 4}V{end.y + 4}Z",
        name=", ".join(words(kind) + (f" ×{count}" if count > 1 else "") for kind, count in types.items()),
        name_x=near.x + near.side * away,
        name_y=near.y + (NAME_BELOW if near.others == 1 and far.y < near.y else -NAME_ABOVE),
        anchor="start" if near.side > 0 else "end",
    )


def _bends(route: Route[Node]) -> list[tuple[int, int]]:
    """Return where a long line passes the layers between its ends: straight through the width of their boxes."""
    found: list[tuple[int, int]] = []
    onward = route.points[0][0] < route.points[-1][0]
    for layer, row in route.points[1:-1]:
        sides = (_left(layer), _left(layer) + BOX_WIDTH)
        found += [(x, _middle(row)) for x in (sides if onward else sides[::-1])]
    return found


def _curve(start: tuple[int, int], end: tuple[int, int]) -> str:
    if start[1] == end[1]:
        return f"H{end[0]}"
    half = (end[0] - start[0]) // 2
    return f"C{start[0] + half} {start[1]} {end[0] - half} {end[1]} {end[0]} {end[1]}"
