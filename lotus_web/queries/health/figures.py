"""Figures of the store for operators; each is read from an index, so it costs the same at any size.

Only open work is counted row by row (open items, unfinished operations); what is finished is read from counters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from lotus_web.domain.decisions.gate import GateAction
from lotus_web.domain.items.values import OPEN
from lotus_web.domain.operations import FINISHED, OperationStatus
from lotus_web.domain.support import Counter
from lotus_web.models import JobRun, Operation, StoreCounter, TenantRuntime, WorkflowItem

ESCALATED = "escalated"
ALWAYS = datetime(1, 1, 1, tzinfo=UTC)
UNFINISHED = frozenset(OperationStatus) - FINISHED


@dataclass(frozen=True, slots=True)
class StoreFigures:
    """Figures of all tenants together; spans in seconds, null where there is nothing to measure.

    ``decisions``, ``open_items`` and ``operations`` name every action and status that there may be, 0 where there is none.
    ``sweep_lag`` is how long the item that waits longest has been late without the sweep having escalated it;
    ``queue_lag`` how long ago the oldest unfinished operation could have been taken up; ``jobs`` the age of each job's
    last run without an error.
    """

    decisions: Mapping[str, int]
    open_items: Mapping[str, int]
    overdue_items: int
    sweep_lag: float
    operations: Mapping[str, int]
    queue_lag: float
    jobs: Mapping[str, float]
    chain_entries: int
    chain_head_age: float | None


def store_figures(session: Session, *, now: datetime) -> StoreFigures:
    """Return the figures of the store."""
    chain = session.execute(_CHAIN).one()
    newest: datetime | None = chain.newest
    return StoreFigures(
        decisions=_every(GateAction, session.execute(_DECISIONS).all()),
        open_items=_every(OPEN, session.execute(_OPEN).all()),
        overdue_items=session.scalar(overdue(now)) or 0,
        sweep_lag=_since(min(filter(None, session.scalars(_OLDEST_DUE)), default=None), now),
        operations=_every(UNFINISHED, session.execute(_UNFINISHED).all()),
        queue_lag=_since(session.scalar(_OLDEST_UNFINISHED), now),
        jobs={job: _since(finished, now) for job, finished in session.execute(_JOBS) if finished},
        chain_entries=chain.entries or 0,
        chain_head_age=None if newest is None else _since(newest, now),
    )


def _every(values: Iterable[str], counted: Iterable[Any]) -> dict[str, int]:
    """Return the counts with zeros for what does not occur: a metric that comes and goes cannot be monitored."""
    return {str(value): 0 for value in values} | dict(tuple(row) for row in counted)


def _since(moment: datetime | None, now: datetime) -> float:
    return 0.0 if moment is None else max(0.0, (now - moment).total_seconds())


# Every index of a tenant's rows begins with the tenant, so the query names the tenants: one small row each.
_TENANTS = select(TenantRuntime.tenant_id)
_DECISIONS = (
    select(StoreCounter.value, func.sum(StoreCounter.count))
    .where(StoreCounter.tenant_id.in_(_TENANTS), StoreCounter.counter == Counter.DECISION_ACTIONS.value)
    .group_by(StoreCounter.value)
)
_OPEN = (
    select(WorkflowItem.status, func.count())
    # The bound holds for every item: it leads SQLite to the index of open ones by due time, away from that of all.
    .where(WorkflowItem.tenant_id.in_(_TENANTS), WorkflowItem.resolved_at.is_(None), WorkflowItem.sla_due_at > ALWAYS)
    .group_by(WorkflowItem.status)
)
_TO_ESCALATE = (
    select(func.min(WorkflowItem.sla_due_at))
    .where(
        WorkflowItem.tenant_id == TenantRuntime.tenant_id,
        WorkflowItem.resolved_at.is_(None),
        WorkflowItem.status != ESCALATED,
    )
    .correlate(TenantRuntime)
    .scalar_subquery()
)
_OLDEST_DUE = select(_TO_ESCALATE).select_from(TenantRuntime)
_UNFINISHED = select(Operation.status, func.count()).where(Operation.due_at.is_not(None)).group_by(Operation.status)
_OLDEST_UNFINISHED = select(func.min(Operation.due_at)).where(Operation.due_at.is_not(None))
_JOBS = select(JobRun.job, JobRun.finished_at).where(JobRun.error.is_(None))
_CHAIN = select(
    func.sum(TenantRuntime.entry_count).label("entries"), func.max(TenantRuntime.updated_at).label("newest")
)


def overdue(now: datetime) -> Select[int]:
    """Return the query that counts open items past their due time."""
    mine = WorkflowItem.tenant_id.in_(_TENANTS)
    late = WorkflowItem.sla_due_at < now
    return select(func.count()).select_from(WorkflowItem).where(mine, WorkflowItem.resolved_at.is_(None), late)
