"""What the store holds, in figures for an operator: each by an index, so that asking costs the same at any size.

Only open work is counted row by row (open items, unfinished operations); what is finished is read from counters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from lotus_web.domain.counters import Counter
from lotus_web.models import JobRun, Operation, StoreCounter, TenantRuntime, WorkflowItem

ESCALATED = "escalated"


@dataclass(frozen=True, slots=True)
class StoreFigures:
    """Figures of all tenants together; spans in seconds, null where there is nothing to measure.

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
    """Ask the store for its figures."""
    chain = session.execute(_CHAIN).one()
    newest: datetime | None = chain.newest
    return StoreFigures(
        decisions=dict(session.execute(_DECISIONS).tuples().all()),
        open_items=dict(session.execute(_OPEN).tuples().all()),
        overdue_items=session.scalar(overdue(now)) or 0,
        sweep_lag=_since(min(filter(None, session.scalars(_OLDEST_DUE)), default=None), now),
        operations=dict(session.execute(_UNFINISHED).tuples().all()),
        queue_lag=_since(session.scalar(_OLDEST_UNFINISHED), now),
        jobs={job: _since(finished, now) for job, finished in session.execute(_JOBS).tuples() if finished},
        chain_entries=chain.entries or 0,
        chain_head_age=None if newest is None else _since(newest, now),
    )


def _since(moment: datetime | None, now: datetime) -> float:
    return 0.0 if moment is None else max(0.0, (now - moment).total_seconds())


# Every index of a tenant's rows begins with the tenant, so the tenants come first: one small row each.
_DECISIONS = (
    select(StoreCounter.value, func.sum(StoreCounter.count))
    .select_from(TenantRuntime)
    .join(StoreCounter, StoreCounter.tenant_id == TenantRuntime.tenant_id)
    .where(StoreCounter.counter == Counter.DECISION_ACTIONS.value)
    .group_by(StoreCounter.value)
)
_OPEN = (
    select(WorkflowItem.status, func.count())
    .select_from(TenantRuntime)
    .join(WorkflowItem, WorkflowItem.tenant_id == TenantRuntime.tenant_id)
    .where(WorkflowItem.resolved_at.is_(None))
    .group_by(WorkflowItem.status)
)
_OLDEST_DUE = select(
    select(func.min(WorkflowItem.sla_due_at))
    .where(
        WorkflowItem.tenant_id == TenantRuntime.tenant_id,
        WorkflowItem.resolved_at.is_(None),
        WorkflowItem.status != ESCALATED,
    )
    .scalar_subquery()
)
_UNFINISHED = select(Operation.status, func.count()).where(Operation.due_at.is_not(None)).group_by(Operation.status)
_OLDEST_UNFINISHED = select(func.min(Operation.due_at)).where(Operation.due_at.is_not(None))
_JOBS = select(JobRun.job, JobRun.finished_at).where(JobRun.error.is_(None))
_CHAIN = select(func.sum(TenantRuntime.entry_count).label("entries"), func.max(TenantRuntime.updated_at).label("newest"))


def overdue(now: datetime) -> Select[int]:
    """Return the question how many open items are past their due time."""
    return (
        select(func.count())
        .select_from(TenantRuntime)
        .join(WorkflowItem, WorkflowItem.tenant_id == TenantRuntime.tenant_id)
        .where(WorkflowItem.resolved_at.is_(None), WorkflowItem.sla_due_at < now)
    )
