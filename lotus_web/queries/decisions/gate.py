"""The gate of a run: its status comes from the run's item, its history from the decisions (RFC-0020 §4.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.decisions.gate import GateStatus, gate_status
from lotus_web.domain.errors import RunNotFound
from lotus_web.domain.items.values import ItemStatus
from lotus_web.models import Run, WorkflowItem
from lotus_web.queries.decisions.of_run import DecisionRecord, decisions_of_run, latest_decision


@dataclass(frozen=True, slots=True)
class GateState:
    """The gate of one run; ``requires_review`` is whether runs of its status need a person."""

    run_id: str
    run_status: str
    workflow_status: GateStatus
    requires_review: bool
    latest_decision: DecisionRecord | None


@dataclass(frozen=True, slots=True)
class GateHistory:
    """All decisions on one run, oldest first."""

    run_id: str
    decisions: tuple[DecisionRecord, ...]


def run_gate(session: Session, tenant_id: str, run_id: str, *, requires_review: Callable[[str], bool]) -> GateState:
    """Return the gate of a run; raises NotFound ``DPM_RUN_NOT_FOUND``. Two queries."""
    of_run = (WorkflowItem.tenant_id == Run.tenant_id) & (WorkflowItem.rebalance_run_id == Run.rebalance_run_id)
    query = (
        select(Run.status, WorkflowItem.status)
        .join(WorkflowItem, of_run, isouter=True)
        .where(Run.tenant_id == tenant_id, Run.rebalance_run_id == run_id)
    )
    found = session.execute(query).one_or_none()
    if found is None:
        raise RunNotFound
    run_status, item_status = found
    required = requires_review(run_status)
    status = gate_status(required=required, item_status=ItemStatus(item_status) if item_status else None)
    return GateState(run_id, run_status, status, required, latest_decision(session, tenant_id, run_id))


def gate_history(session: Session, tenant_id: str, run_id: str) -> GateHistory:
    """Return the decisions on a run; raises NotFound ``DPM_RUN_NOT_FOUND``. Two queries."""
    query = select(Run.rebalance_run_id).where(Run.tenant_id == tenant_id, Run.rebalance_run_id == run_id)
    if session.scalar(query) is None:
        raise RunNotFound
    return GateHistory(run_id, decisions_of_run(session, tenant_id, run_id))
