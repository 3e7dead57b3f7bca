"""Recording lineage: edges between runs, keys, operations and decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from lotus_web.domain.lineage import EdgeType, EntityKind
from lotus_web.domain.support import Counter
from lotus_web.models import LineageEdge
from lotus_web.services.support import count
from lotus_web.store.upserts import insert_rows

End = tuple[EntityKind, str]
EDGE_COLUMNS = tuple(column.key for column in LineageEdge.__mapper__.column_attrs if column.key != "edge_id")


@dataclass(frozen=True, slots=True)
class Edge:
    """One edge from ``source`` to ``target``."""

    edge_type: EdgeType
    source: End
    target: End
    metadata: Mapping[str, Any] = field(default_factory=dict)


def add_edges(session: Session, edges: Sequence[Edge], *, tenant_id: str, now: datetime) -> None:
    """Add edges in one statement."""
    for edge in edges:
        count(session, tenant_id, Counter.EDGES, edge.edge_type.value)
    rows = [
        lineage_edge(edge.edge_type, edge.source, edge.target, tenant_id=tenant_id, now=now, metadata=edge.metadata)
        for edge in edges
    ]
    values = [{name: getattr(row, name) for name in EDGE_COLUMNS} for row in rows]
    insert_rows(session, LineageEdge, values, returning=(LineageEdge.edge_id,))


def add_edge(
    session: Session,
    edge_type: EdgeType,
    source: End,
    target: End,
    *,
    tenant_id: str,
    now: datetime,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Add one edge."""
    add_edges(session, [Edge(edge_type, source, target, metadata or {})], tenant_id=tenant_id, now=now)


def lineage_edge(
    edge_type: EdgeType,
    source: End,
    target: End,
    *,
    tenant_id: str,
    now: datetime,
    metadata: Mapping[str, Any] | None = None,
) -> LineageEdge:
    """Return the row of an edge."""
    return LineageEdge(
        tenant_id=tenant_id,
        source_kind=source[0].value,
        source_entity_id=source[1],
        edge_type=edge_type.value,
        target_kind=target[0].value,
        target_entity_id=target[1],
        created_at=now,
        details=dict(metadata or {}),
    )
