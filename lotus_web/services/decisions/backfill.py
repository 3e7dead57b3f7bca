"""Bringing in runs that were recorded while the workflow was off and that need a person now (workflow.md §1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.domain.errors import NotFound
from lotus_web.models import Run, WorkflowItem
from lotus_web.services.decisions.gate import open_item_for_run
from lotus_web.services.events.log import lock_tenant

RUNS_A_BATCH = 100

Position = tuple[datetime, str]


@dataclass(frozen=True, slots=True)
class BackfilledBatch:
    """How many runs one batch brought in and which it had to leave; ``upto`` is where the next begins, None after the last."""

    upto: Position | None
    brought_in: int
    left: tuple[str, ...]


def backfill_batch(
    session: Session, tenant_id: str, *, after: Position | None, now: datetime, policy: DeploymentPolicy
) -> BackfilledBatch:
    """Open the reviews of the next runs without one, oldest first; their clocks start ``now``.

    A run whose payloads are gone cannot say why it needs a person and is left.
    """
    lock_tenant(session, tenant_id)
    runs = _without_item(session, tenant_id, after, policy)
    left = []
    for run in runs:
        try:
            open_item_for_run(session, run, now=now, policy=policy)
        except NotFound:
            left.append(run.rebalance_run_id)
    upto = (runs[-1].created_at, runs[-1].rebalance_run_id) if len(runs) == RUNS_A_BATCH else None
    return BackfilledBatch(upto, len(runs) - len(left), tuple(left))


def _without_item(session: Session, tenant_id: str, after: Position | None, policy: DeploymentPolicy) -> list[Run]:
    item = select(WorkflowItem.workflow_id).where(
        WorkflowItem.tenant_id == Run.tenant_id, WorkflowItem.rebalance_run_id == Run.rebalance_run_id
    )
    query = select(Run).where(Run.tenant_id == tenant_id, Run.status.in_(policy.review_statuses), ~item.exists())
    if after is not None:
        query = query.where(tuple_(Run.created_at, Run.rebalance_run_id) > tuple_(*after))
    return list(session.scalars(query.order_by(Run.created_at, Run.rebalance_run_id).limit(RUNS_A_BATCH)))
