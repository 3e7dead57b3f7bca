"""Lineage: the edges of an id, and those within a few steps (RFC-0023, dpm-api §9.1, delta 17)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from lotus_web.models import LineageEdge
from lotus_web.queries import conditions, keyset

DEEPEST = 5
# A walk ends after this many edges and says so; the edges of the id itself are never cut short.
EDGES_WALKED = 2_000
NODES_A_QUERY = 200

_COLUMNS = (
    LineageEdge.edge_id,
    LineageEdge.created_at,
    LineageEdge.source_entity_id,
    LineageEdge.source_kind,
    LineageEdge.edge_type,
    LineageEdge.target_entity_id,
    LineageEdge.target_kind,
    LineageEdge.details,
)
_ORDER = keyset.Order(
    LineageEdge.created_at,
    LineageEdge.source_entity_id,
    LineageEdge.edge_type,
    LineageEdge.target_entity_id,
    LineageEdge.edge_id,
)
Node = tuple[str, str]


@dataclass(frozen=True, slots=True)
class LineageFilter:
    """Which edges to return; a field that is None filters nothing. ``edge_type`` ignores case, bounds are inclusive."""

    edge_type: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None

    def shows(self, edge: EdgeRow) -> bool:
        """Return whether an edge matches."""
        return (
            self.edge_type in (None, edge.edge_type)
            and (self.created_from is None or edge.created_at >= self.created_from)
            and (self.created_to is None or edge.created_at <= self.created_to)
        )


@dataclass(frozen=True, slots=True)
class EdgeRow:
    """One edge, read as *source* type *target*."""

    edge_id: int
    created_at: datetime
    source_entity_id: str
    source_kind: str
    edge_type: str
    target_entity_id: str
    target_kind: str
    metadata: dict[str, Any]

    @property
    def ends(self) -> tuple[Node, Node]:
        """Both ends as (kind, id)."""
        return (self.source_kind, self.source_entity_id), (self.target_kind, self.target_entity_id)


@dataclass(frozen=True, slots=True)
class LineagePage:
    """A page of edges, oldest first; ``truncated`` means that a walk ended at its limit."""

    entity_id: str
    depth: int
    edges: tuple[EdgeRow, ...]
    next_cursor: str | None
    truncated: bool = False


def lineage_page(
    session: Session,
    tenant_id: str,
    entity_id: str,
    filters: LineageFilter,
    *,
    limit: int | None,
    cursor: str | None = None,
    depth: int = 1,
) -> LineagePage:
    """Return the edges within ``depth`` (1..5) steps of an id in whichever direction; an unknown id has none.

    A walk goes along every edge and answers with those that ``filters`` asks for. ``limit`` None answers with all on one
    page. Raises InvalidInput ``INVALID_CURSOR``.
    Two queries for one step; further steps are bounded by ``EDGES_WALKED``.
    """
    filters = LineageFilter(filters.edge_type and filters.edge_type.upper(), filters.created_from, filters.created_to)
    after = keyset.decode_cursor(cursor, _ORDER.kinds) if cursor else None
    truncated = False
    if depth == 1:
        found: Iterable[EdgeRow] = _one_step(session, tenant_id, entity_id, filters, limit=limit, after=after)
    else:
        walked, truncated = _walk(session, tenant_id, entity_id, depth)
        found = (edge for edge in walked if filters.shows(edge) and (after is None or _ORDER.place_of(edge) > after))
    page = keyset.merge(found, place=_ORDER.place_of, limit=limit)
    return LineagePage(entity_id, depth, page.items, page.next_cursor, truncated)


def _one_step(
    session: Session,
    tenant_id: str,
    entity_id: str,
    filters: LineageFilter,
    *,
    limit: int | None,
    after: keyset.Place | None,
) -> Iterable[EdgeRow]:
    """Read the first edges that leave the id and the first that arrive there; together they hold the first of both."""
    matching = _conditions(filters)
    if after is not None:
        # Implied by the place, but it is the condition that an index can start from.
        matching.append(LineageEdge.created_at >= after[0])
    edges: dict[int, EdgeRow] = {}
    for end in (LineageEdge.source_entity_id, LineageEdge.target_entity_id):
        query = _edges(tenant_id).where(end == entity_id, *matching)
        found = keyset.head(session, query, _ORDER, limit=limit, after=after)
        edges.update((row.edge_id, EdgeRow(*row)) for row in found)
    return edges.values()


def _conditions(filters: LineageFilter) -> list[ColumnElement[bool]]:
    return [
        *conditions.equal({LineageEdge.edge_type: filters.edge_type}),
        *conditions.between(LineageEdge.created_at, filters.created_from, filters.created_to),
    ]


def _edges(tenant_id: str) -> Select[Any]:
    return select(*_COLUMNS).where(LineageEdge.tenant_id == tenant_id)


def _read(session: Session, query: Select[Any]) -> Iterator[EdgeRow]:
    return (EdgeRow(*row) for row in session.execute(query))


def _walk(session: Session, tenant_id: str, entity_id: str, depth: int) -> tuple[list[EdgeRow], bool]:
    """Go outwards a step at a time; from the first step on, an id is followed as the kind of thing that it names."""
    first = _one_step(session, tenant_id, entity_id, LineageFilter(), limit=EDGES_WALKED, after=None)
    edges = {edge.edge_id: edge for edge in first}
    seen: set[Node] = {end for edge in edges.values() for end in edge.ends if end[1] == entity_id}
    frontier = {end for edge in edges.values() for end in edge.ends} - seen
    truncated = len(edges) > EDGES_WALKED
    for _ in range(depth - 1):
        if not frontier or len(edges) >= EDGES_WALKED:
            break
        met = _step(session, tenant_id, sorted(frontier), known=edges)
        truncated = truncated or len(edges) + len(met) > EDGES_WALKED
        seen |= frontier
        edges.update((edge.edge_id, edge) for edge in met)
        frontier = {end for edge in met for end in edge.ends} - seen
    else:
        frontier = set()
    return list(edges.values())[:EDGES_WALKED], truncated or bool(frontier)


def _step(session: Session, tenant_id: str, nodes: list[Node], *, known: Mapping[int, EdgeRow]) -> list[EdgeRow]:
    """Return edges of some nodes that are not known yet; one more than the limit tells that the walk is truncated."""
    met: dict[int, EdgeRow] = {}
    for start in range(0, len(nodes), NODES_A_QUERY):
        some = set(nodes[start : start + NODES_A_QUERY])
        ids = sorted({entity_id for _, entity_id in some})
        for end in (LineageEdge.source_entity_id, LineageEdge.target_entity_id):
            query = _edges(tenant_id).where(end.in_(ids)).limit(EDGES_WALKED + 1)
            for edge in _read(session, query):
                # An id may name things of several kinds; only the kind that was met is followed.
                if edge.edge_id not in known and some.intersection(edge.ends):
                    met[edge.edge_id] = edge
            if len(known) + len(met) > EDGES_WALKED:
                return _in_order(met)
    return _in_order(met)


def _in_order(edges: Mapping[int, EdgeRow]) -> list[EdgeRow]:
    return sorted(edges.values(), key=_ORDER.place_of)
