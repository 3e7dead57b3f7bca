"""The rows that retention removes: counting them, bounding them, and putting on record what went (delta 16)."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any

from sqlalchemy import CursorResult, delete, func, insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from lotus_web.domain.lineage import EntityKind
from lotus_web.domain.retention import RetentionEntryType
from lotus_web.domain.support import Counter
from lotus_web.models import LineageEdge, RetentionEntry
from lotus_web.services.support import count

RETENTION = "retention"
ENDS = (
    (LineageEdge.source_kind, LineageEdge.source_entity_id),
    (LineageEdge.target_kind, LineageEdge.target_entity_id),
)
Facts = tuple[str, dict[str, Any]]


class Removed(Tally[str]):
    """How many rows of each thing went; batches add up."""


def rows_of(done: Any) -> int:
    """Return how many rows a DELETE removed."""
    return done.rowcount if isinstance(done, CursorResult) else 0


def weigh(
    session: Session, tenant_id: str, ids: Sequence[str], named_by: Sequence[InstrumentedAttribute[Any]]
) -> Tally[str]:
    """Return how many rows name each of some ids in the columns given, an index read each; ids of another kind count too."""
    rows: Tally[str] = Tally()
    for column in named_by:
        query = select(column, func.count()).where(column.class_.tenant_id == tenant_id, column.in_(ids))
        rows.update(dict(session.execute(query.group_by(column)).all()))
    return rows


def how_many_fit(weights: Sequence[int], rows: int) -> int:
    """Return how many from the start have at most ``rows`` rows together, and one at least."""
    return max(1, sum(total <= rows for total in accumulate(weights)))


def purge_edges(session: Session, tenant_id: str, kind: EntityKind, ids: Sequence[str]) -> int:
    """Remove the edges that name a purged record; what else hangs on the other end of them stays.

    One end after the other: asked for both at once, a store may walk through all edges of the tenant.
    """
    removed = 0
    for kind_of_end, id_of_end in ENDS:
        gone = delete(LineageEdge).where(
            LineageEdge.tenant_id == tenant_id, id_of_end.in_(ids), kind_of_end == kind.value
        )
        rows = session.execute(gone.returning(LineageEdge.edge_type).execution_options(synchronize_session=False))
        for edge_type in rows.scalars().all():
            count(session, tenant_id, Counter.EDGES, edge_type, -1)
            removed += 1
    return removed


def log_purged(
    session: Session, tenant_id: str, entry_type: RetentionEntryType, purged: Sequence[Facts], now: datetime
) -> None:
    """Add a line to the retention log for each (id, facts)."""
    session.execute(
        insert(RetentionEntry),
        [
            {
                "tenant_id": tenant_id,
                "entry_type": entry_type.value,
                "entity_id": entity_id,
                "actor_id": RETENTION,
                "reason": None,
                "details": facts,
                "recorded_at": now,
            }
            for entity_id, facts in purged
        ],
    )
