"""The items that events open, as they are in their first moment (workflow.md §1, §2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lotus_web.domain.events.envelope import OWN_PRODUCER
from lotus_web.domain.items.state import ItemState, LoggedEvent, TraceContext
from lotus_web.domain.items.transitions import ItemStatus, Priority, WorkflowKind
from lotus_web.domain.sla.deadlines import SLA_SETTING, WorkflowDefaults, due_at, explain_due


def exception_item(event: LoggedEvent, trace: TraceContext) -> ItemState:
    """Return the item that an ExceptionRequested opens, with the clock and the role of its day."""
    payload = event.payload
    defaults = WorkflowDefaults.from_dict(event.applied_defaults)
    item = _new_item(
        event,
        trace,
        kind=WorkflowKind.EXCEPTION_REVIEW,
        subject=("exception", payload["exception_id"]),
        hours=defaults.sla_hours(WorkflowKind.EXCEPTION_REVIEW),
        source=SLA_SETTING[WorkflowKind.EXCEPTION_REVIEW],
        priority=_priority(payload.get("priority")),
    )
    # Only the house's own recording may tie an item to a run: the gate believes what this field says.
    run_id = payload["exception_id"] if event.producer_id == OWN_PRODUCER else None
    return replace(
        item,
        assigned_role=defaults.assigned_role,
        # A trace may hold runs of several portfolios (a batch does), so the run's own label counts before the trace's.
        title=payload.get("title") or trace.title,
        portfolio_id=payload.get("portfolio_id") or trace.portfolio_id,
        policy_id=payload["policy"]["policy_id"],
        policy_version=payload["policy"]["policy_version"],
        request_reason=payload["reason"],
        rebalance_run_id=run_id,
        metadata={**item.metadata, "evidence": evidence_of(payload)},
    )


def review_item(event: LoggedEvent, trace: TraceContext) -> ItemState:
    """Return the item that a WorkflowReviewRequested opens, as its template says."""
    payload = event.payload
    kind = WorkflowKind(payload["workflow_kind"])
    hours, source = _hours_asked(event, kind)
    item = _new_item(
        event,
        trace,
        kind=kind,
        subject=("trace_review", payload["template_id"]),
        hours=hours,
        source=source,
        priority=_priority(payload["priority"]),
    )
    assignee = payload["assignee"]
    return replace(
        item,
        title=payload["title"],
        request_reason=payload["reason"],
        assigned_account_id=assignee.get("account_id"),
        assigned_role=assignee.get("role"),
    )


def _hours_asked(event: LoggedEvent, kind: WorkflowKind) -> tuple[int, str]:
    """Return the hours that a request gives and whose they are; where it leaves them open, those of its kind on its day."""
    hours = event.payload["sla_hours"]
    if hours is None:
        return WorkflowDefaults.from_dict(event.applied_defaults).sla_hours(kind), SLA_SETTING[kind]
    return int(hours), f"template {event.payload['template_id']}"


def evidence_of(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the evidence that a payload names, empty where it is none."""
    evidence = payload.get("evidence")
    return evidence if isinstance(evidence, Mapping) else {}


def _priority(word: Any) -> Priority:
    try:
        return Priority.of(str(word))
    except KeyError:
        return Priority.NORMAL


def _new_item(
    event: LoggedEvent,
    trace: TraceContext,
    *,
    kind: WorkflowKind,
    subject: tuple[str, str],
    hours: int,
    source: str,
    priority: Priority,
) -> ItemState:
    return ItemState(
        tenant_id=event.tenant_id,
        workflow_id=f"{event.trace_id}:{subject[0]}:{subject[1]}",
        trace_id=event.trace_id,
        workflow_kind=kind,
        workflow_name=trace.workflow,
        subject_type=subject[0],
        subject_id=subject[1],
        status=ItemStatus.REQUESTED,
        priority=priority,
        title=trace.title,
        request_reason="",
        requested_by_type=event.actor["actor_type"],
        requested_by_id=event.actor["actor_id"],
        requested_at=event.occurred_at,
        sla_due_at=due_at(event.occurred_at, hours),
        updated_at=event.occurred_at,
        created_from_event_id=event.event_id,
        last_source_log_seq=event.log_seq,
        portfolio_id=trace.portfolio_id,
        metadata={"sla": explain_due(event.occurred_at, hours, source), "sla_hours": hours},
    )
