"""Recording what hangs together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from lotus_web.domain.lineage import EdgeType, EntityKind
from lotus_web.domain.support import Counter
from lotus_web.models import LineageEdge
from lotus_web.services.support import count

End = tuple[EntityKind, str]


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
    """Add one edge from ``source`` to ``target``, each a (kind, id)."""
    count(session, tenant_id, Counter.EDGES, edge_type.value)
    session.add(lineage_edge(edge_type, source, target, tenant_id=tenant_id, now=now, metadata=metadata))


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
