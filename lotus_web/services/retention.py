"""Removing what has had its time, a bounded batch at a time, each removal on record (dpm-api §10.2, delta 16).

A batch is chosen without a lock, then checked again and removed under one: whoever sets a hold or opens an item meanwhile
wins. What proves a decision (decisions, events, actions) is never touched here; the store refuses its DELETE.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Row, and_, delete, exists, func, insert, select, tuple_
from sqlalchemy.orm import Session

from lotus_web.domain.counters import Counter
from lotus_web.domain.lineage import EntityKind
from lotus_web.domain.retention import RetentionEntryType
from lotus_web.models import (
    IdempotencyHistoryRow,
    IdempotencyKey,
    LineageEdge,
    Operation,
    OperationPayload,
    OperationStep,
    RetentionEntry,
    Run,
    RunArtifact,
    RunPayload,
    WorkflowItem,
)
from lotus_web.services.counters import count, count_operation
from lotus_web.services.event_log import lock_tenant

RETENTION = "retention"
OF_RUNS: dict[str, type[RunPayload | RunArtifact | IdempotencyKey | IdempotencyHistoryRow | Run]] = {
    "payloads": RunPayload,
    "artifacts": RunArtifact,
    "idempotency_keys": IdempotencyKey,
    "history_rows": IdempotencyHistoryRow,
    "runs": Run,
}
Position = tuple[datetime, str]


class Removed(Tally[str]):
    """How many rows of each thing went; batches add up."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Runs of one tenant that may go, oldest first, and where to look on for more."""

    tenant_id: str
    run_ids: tuple[str, ...]
    last: Position


def tenants_with_runs(session: Session) -> Iterator[str]:
    """Yield each tenant that has runs, a key look-up each."""
    tenant_id = session.scalar(select(func.min(Run.tenant_id)))
    while tenant_id is not None:
        yield tenant_id
        tenant_id = session.scalar(select(func.min(Run.tenant_id)).where(Run.tenant_id > tenant_id))


def may_go(cutoff: datetime) -> ColumnElement[bool]:
    """The runs that may go: too old, not held, and with no item on which somebody still has to decide."""
    open_item = exists().where(
        WorkflowItem.tenant_id == Run.tenant_id,
        WorkflowItem.rebalance_run_id == Run.rebalance_run_id,
        WorkflowItem.resolved_at.is_(None),
    )
    return and_(Run.created_at < cutoff, Run.legal_hold.is_(False), ~open_item)


def find_expired_runs(
    session: Session, tenant_id: str, *, cutoff: datetime, after: Position | None, limit: int
) -> Candidates | None:
    """Return the next runs that may go after a position, None when there are no more. Takes no lock."""
    query = select(Run.created_at, Run.rebalance_run_id).where(Run.tenant_id == tenant_id, may_go(cutoff))
    if after is not None:
        query = query.where(tuple_(Run.created_at, Run.rebalance_run_id) > after)
    rows = session.execute(query.order_by(Run.created_at, Run.rebalance_run_id).limit(limit)).all()
    if not rows:
        return None
    return Candidates(tenant_id, tuple(row.rebalance_run_id for row in rows), (rows[-1][0], rows[-1][1]))


def purge_runs(session: Session, tenant_id: str, run_ids: Sequence[str], *, cutoff: datetime, now: datetime) -> Removed:
    """Remove those of the given runs that may still go, with all that hangs on them alone; returns how much went."""
    lock_tenant(session, tenant_id)
    query = (
        select(Run.rebalance_run_id, Run.portfolio_id, Run.status, Run.created_at, Run.artifact_hash)
        .where(Run.tenant_id == tenant_id, Run.rebalance_run_id.in_(run_ids), may_go(cutoff))
        .with_for_update(of=Run)
    )
    runs = session.execute(query).all()
    if not runs:
        return Removed()
    # Enough to recognise a copy of a purged run, and to prove that it is one.
    facts = [(run.rebalance_run_id, dict(run._mapping)) for run in runs]
    _log(session, tenant_id, RetentionEntryType.RUN_PURGED, facts, now)
    for run in runs:
        count(session, tenant_id, Counter.RUNS, run.status, -1)
    ids = [run.rebalance_run_id for run in runs]
    gone = {"edges": _purge_edges(session, tenant_id, EntityKind.RUN, ids)}
    for name, model in OF_RUNS.items():
        own = delete(model).where(model.tenant_id == tenant_id, model.rebalance_run_id.in_(ids))
        gone[name] = rows_of(session.execute(own.execution_options(synchronize_session=False)))
    return Removed(gone)


def _purge_edges(session: Session, tenant_id: str, kind: EntityKind, ids: list[str]) -> int:
    """Remove the edges that name a purged record; what else hangs on the other end of them stays.

    One end after the other: asked for both at once, a store may walk through all edges of the tenant.
    """
    ends = (
        (LineageEdge.source_kind, LineageEdge.source_entity_id),
        (LineageEdge.target_kind, LineageEdge.target_entity_id),
    )
    removed = 0
    for kind_of_end, id_of_end in ends:
        gone = delete(LineageEdge).where(
            LineageEdge.tenant_id == tenant_id, id_of_end.in_(ids), kind_of_end == kind.value
        )
        rows = session.execute(gone.returning(LineageEdge.edge_type).execution_options(synchronize_session=False))
        for edge_type in rows.scalars().all():
            count(session, tenant_id, Counter.EDGES, edge_type, -1)
            removed += 1
    return removed


def purge_operations(session: Session, *, cutoff: datetime, now: datetime, limit: int) -> Removed:
    """Remove finished operations past their time, oldest first, with their edges; the runs that they made stay."""
    query = (
        select(
            Operation.tenant_id, Operation.operation_id, Operation.family, Operation.status, Operation.correlation_id
        )
        .where(Operation.finished_at < cutoff)
        .order_by(Operation.finished_at, Operation.tenant_id, Operation.operation_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found: dict[str, list[Row[str, str, str, str, str]]] = {}
    for row in session.execute(query):
        found.setdefault(row.tenant_id, []).append(row)
    removed = Removed()
    for tenant_id in sorted(found):
        removed.update(_purge_operations_of(session, tenant_id, found[tenant_id], now=now))
    return removed


def _purge_operations_of(
    session: Session, tenant_id: str, rows: list[Row[str, str, str, str, str]], *, now: datetime
) -> Removed:
    # The edge between a run and its operation goes with whichever goes first: one purge of a tenant at a time.
    lock_tenant(session, tenant_id)
    facts = [(row.operation_id, {"status": row.status, "correlation_id": row.correlation_id}) for row in rows]
    _log(session, tenant_id, RetentionEntryType.OPERATION_PURGED, facts, now)
    for row in rows:
        count_operation(session, tenant_id, row.family, row.status, -1)
    ids = [row.operation_id for row in rows]
    edges = _purge_edges(session, tenant_id, EntityKind.OPERATION, ids)
    for model in (OperationPayload, OperationStep, Operation):
        own = delete(model).where(model.tenant_id == tenant_id, model.operation_id.in_(ids))
        session.execute(own.execution_options(synchronize_session=False))
    return Removed(operations=len(ids), edges=edges)


def rows_of(done: Any) -> int:
    """Return how many rows a DELETE removed."""
    return done.rowcount if isinstance(done, CursorResult) else 0


def _log(
    session: Session,
    tenant_id: str,
    entry_type: RetentionEntryType,
    purged: list[tuple[str, dict[str, Any]]],
    now: datetime,
) -> None:
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
