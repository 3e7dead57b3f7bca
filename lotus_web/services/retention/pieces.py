"""Rows beside a run or an operation that has more of them than one batch may remove: they go first, in pieces (delta 16).

Each replay of a key adds a row and an edge to its run, without end (delta 4). A piece is chosen without a lock, newest
first, so that of a run which is held meanwhile its own recording is what remains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Select, delete, exists, select
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor, ActorType
from lotus_web.domain.lineage import EntityKind
from lotus_web.domain.support import Counter
from lotus_web.domain.surface import Surface
from lotus_web.models import IdempotencyHistoryRow, LineageEdge, Operation, Run
from lotus_web.services.audit.records import AuditCategory, record_audit
from lotus_web.services.events.log import lock_tenant
from lotus_web.services.retention.rows import RETENTION, Removed, rows_of
from lotus_web.services.retention.runs import may_go
from lotus_web.services.support import count

PURGE_BEGUN = "PURGE_BEGUN"
BEGUN = (
    "It has so many rows beside it that they are removed first, a piece at a time; the log of retention tells its end."
)
# How many rows are chosen at a time, for many pieces: choosing may have to put all that there are in order.
CHOSEN = 20_000


class Beside(StrEnum):
    """What there may be any number of."""

    HISTORY = "history"
    LEAVING = "leaving"
    ARRIVING = "arriving"


@dataclass(frozen=True, slots=True)
class Owner:
    """The run or operation that the rows are beside."""

    tenant_id: str
    kind: EntityKind
    entity_id: str

    def may_go(self, session: Session, cutoff: datetime) -> bool:
        """Return whether it may still go, and keep it from changing its mind until the end of the transaction."""
        lock_tenant(session, self.tenant_id)
        if self.kind is EntityKind.RUN:
            run = select(Run.rebalance_run_id).where(
                Run.tenant_id == self.tenant_id, Run.rebalance_run_id == self.entity_id, may_go(cutoff)
            )
            return session.scalar(run.with_for_update(of=Run)) is not None
        own = (Operation.tenant_id == self.tenant_id, Operation.operation_id == self.entity_id)
        return bool(session.scalar(select(exists().where(*own, Operation.finished_at < cutoff))))


def choose(session: Session, owner: Owner, beside: Beside) -> list[int]:
    """Return the newest ``CHOSEN`` rows of a kind beside a run or an operation, by their number."""
    return list(session.scalars(_newest(owner, beside).limit(CHOSEN)))


def _newest(owner: Owner, beside: Beside) -> Select[int]:
    row, edge = IdempotencyHistoryRow, LineageEdge
    if beside is Beside.HISTORY:
        of_run = (row.tenant_id == owner.tenant_id, row.rebalance_run_id == owner.entity_id)
        return select(row.history_id).where(*of_run).order_by(row.history_id.desc())
    kind, name = {
        Beside.LEAVING: (edge.source_kind, edge.source_entity_id),
        Beside.ARRIVING: (edge.target_kind, edge.target_entity_id),
    }[beside]
    own = (edge.tenant_id == owner.tenant_id, name == owner.entity_id, kind == owner.kind.value)
    return select(edge.edge_id).where(*own).order_by(edge.created_at.desc(), edge.edge_id.desc())


def purge_piece(
    session: Session, owner: Owner, beside: Beside, rows: Sequence[int], *, cutoff: datetime, now: datetime, first: bool
) -> Removed:
    """Remove some rows beside a run or an operation if it may still go; empty if it may not. The first piece is on record."""
    if not owner.may_go(session, cutoff):
        return Removed()
    if first:
        _put_on_record(session, owner, now)
    if beside is Beside.HISTORY:
        gone = delete(IdempotencyHistoryRow).where(IdempotencyHistoryRow.history_id.in_(rows))
        return Removed(history_rows=rows_of(session.execute(gone.execution_options(synchronize_session=False))))
    edges = delete(LineageEdge).where(LineageEdge.edge_id.in_(rows)).returning(LineageEdge.edge_type)
    types = session.execute(edges.execution_options(synchronize_session=False)).scalars().all()
    for edge_type in types:
        count(session, owner.tenant_id, Counter.EDGES, edge_type, -1)
    return Removed(edges=len(types))


def _put_on_record(session: Session, owner: Owner, now: datetime) -> None:
    record_audit(
        session,
        AuditCategory.ADMIN,
        actor=Actor(ActorType.SYSTEM, RETENTION, owner.tenant_id, frozenset()),
        action=RETENTION,
        subject=owner.entity_id,
        code=PURGE_BEGUN,
        message=BEGUN,
        surface=Surface.RETENTION,
        now=now,
    )
