"""Removing runs that have had their time, a bounded batch at a time, each removal on record (dpm-api §10.2, delta 16).

A batch is chosen without a lock, then checked again and removed under one: whoever sets a hold or opens an item meanwhile
wins. What proves a decision (decisions, events, actions) is never touched here; the store refuses its DELETE.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, exists, func, select, tuple_
from sqlalchemy.orm import Session

from lotus_web.domain.lineage import EntityKind
from lotus_web.domain.retention import RetentionEntryType
from lotus_web.domain.support import Counter
from lotus_web.models import (
    IdempotencyHistoryRow,
    IdempotencyKey,
    LineageEdge,
    Run,
    RunArtifact,
    RunPayload,
    WorkflowItem,
)
from lotus_web.services.events.log import lock_tenant
from lotus_web.services.retention.rows import ENDS, Removed, how_many_fit, log_purged, purge_edges, rows_of, weigh
from lotus_web.services.support import count

OF_RUNS: dict[str, type[RunPayload | RunArtifact | IdempotencyKey | IdempotencyHistoryRow | Run]] = {
    "payloads": RunPayload,
    "artifacts": RunArtifact,
    "idempotency_keys": IdempotencyKey,
    "history_rows": IdempotencyHistoryRow,
    "runs": Run,
}
# What every run may have one of, its payloads and its artifact, and the run itself; the line about it in the log.
ROWS_A_RUN = 4
READ_AT_ONCE = 50
BESIDE_RUNS = (
    LineageEdge.source_entity_id,
    LineageEdge.target_entity_id,
    IdempotencyHistoryRow.rebalance_run_id,
    IdempotencyKey.rebalance_run_id,
)
Position = tuple[datetime, str]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Runs of one tenant that may go, oldest first, how many rows go with them, and where to look on for more."""

    tenant_id: str
    run_ids: tuple[str, ...]
    rows: int
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
    session: Session, tenant_id: str, *, cutoff: datetime, after: Position | None, rows: int
) -> Candidates | None:
    """Return the next runs that may go after a position, as many as have ``rows`` rows, or one that alone has more.

    None when there are no more. Takes no lock.
    """
    query = select(Run.created_at, Run.rebalance_run_id).where(Run.tenant_id == tenant_id, may_go(cutoff))
    if after is not None:
        query = query.where(tuple_(Run.created_at, Run.rebalance_run_id) > after)
    in_order = query.order_by(Run.created_at, Run.rebalance_run_id)
    found = session.execute(in_order.limit(max(1, rows // ROWS_A_RUN))).all()
    if not found:
        return None
    beside = weigh(session, tenant_id, [run_id for _, run_id in found], BESIDE_RUNS)
    weights = [ROWS_A_RUN + beside[run_id] for _, run_id in found]
    size = how_many_fit(weights, rows)
    run_ids = tuple(run_id for _, run_id in found[:size])
    return Candidates(tenant_id, run_ids, sum(weights[:size]), (found[size - 1][0], run_ids[-1]))


def read_ahead(session: Session, tenant_id: str, run_ids: Sequence[str]) -> None:
    """Read all that goes with some runs: a disk that was not asked for them for long is waited for here and not under the lock.

    Nothing is kept of it but a few rows at a time.
    """
    of_runs = [
        select(*model.__table__.columns).where(model.tenant_id == tenant_id, model.rebalance_run_id.in_(run_ids))
        for model in OF_RUNS.values()
    ]
    edges = [
        select(*LineageEdge.__table__.columns).where(LineageEdge.tenant_id == tenant_id, id_of_end.in_(run_ids))
        for _, id_of_end in ENDS
    ]
    for query in (*of_runs, *edges):
        for _ in session.execute(query.execution_options(yield_per=READ_AT_ONCE)):
            pass


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
    log_purged(session, tenant_id, RetentionEntryType.RUN_PURGED, facts, now)
    for run in runs:
        count(session, tenant_id, Counter.RUNS, run.status, -1)
    ids, gone = [run.rebalance_run_id for run in runs], {}
    for name, model in OF_RUNS.items():
        own = delete(model).where(model.tenant_id == tenant_id, model.rebalance_run_id.in_(ids))
        gone[name] = rows_of(session.execute(own.execution_options(synchronize_session=False)))
    # After the keys: a replay that holds one of them adds its edge before it lets go.
    gone["edges"] = purge_edges(session, tenant_id, EntityKind.RUN, ids)
    return Removed(gone)
