"""A run enters the log: its trace, what the policy said, and the exception if the gate asks for one (workflow.md §1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.domain.access import Actor
from lotus_web.domain.decisions.gate import priority_of
from lotus_web.domain.events.envelope import OWN_PRODUCER, SOURCE, EventDraft, EventType, own_event_key
from lotus_web.domain.runs.findings import findings, headline
from lotus_web.models import EventLogEntry, Run
from lotus_web.services.events.history import TraceHistory
from lotus_web.services.events.log import append_events, trace_history
from lotus_web.store.new_ids import new_id

POLICY_ID = "rebalance_rules"
VIOLATIONS_MAX = 50  # a payload is bounded, a model's targets are not
_DECISION = {"READY": "allow", "PENDING_REVIEW": "require_exception", "BLOCKED": "deny"}


def append_run_events(
    session: Session, run: Run, result: Mapping[str, Any], *, actor: Actor, now: datetime, policy: DeploymentPolicy
) -> None:
    """Append what a recorded run means for the log; opens its item where the gate requires review.

    A run whose status needed no person when it was recorded, and does now, is in the log already but for its exception.
    """
    payloads = {EventType.TRACE_STARTED: trace_started(run), EventType.POLICY_EVALUATED: policy_evaluated(run, result)}
    if policy.requires_review(run.status):
        payloads[EventType.EXCEPTION_REQUESTED] = exception_requested(run, result)
    drafts = [run_event(run, event_type, payload, actor=actor, now=now) for event_type, payload in payloads.items()]
    history = trace_history(session, drafts)
    new = [draft for draft in drafts if not _is_logged(draft, history)]
    if new:
        append_events(session, new, history, defaults=policy.defaults, now=now)


def _is_logged(draft: EventDraft, history: TraceHistory) -> bool:
    match draft.event_type:
        case EventType.TRACE_STARTED:
            return history.first is not None
        case EventType.POLICY_EVALUATED:
            return history.has_key(draft)
    return False


def evaluation_event(tenant_id: str, run_id: str) -> Select[int]:
    """Return the question for the event that every run in the log has once; it outlives the run."""
    return select(EventLogEntry.log_seq).where(
        EventLogEntry.tenant_id == tenant_id,
        EventLogEntry.producer_id == OWN_PRODUCER,
        EventLogEntry.idempotency_key == own_event_key(run_id, EventType.POLICY_EVALUATED),
    )


def run_event(
    run: Run, event_type: EventType, payload: Mapping[str, Any], *, actor: Actor, now: datetime
) -> EventDraft:
    """Return an event of a run's trace as Lotus Web itself produces it."""
    return EventDraft(
        event_id=new_id("evt_"),
        tenant_id=run.tenant_id,
        trace_id=run.correlation_id,
        event_type=event_type,
        occurred_at=now,
        source=SOURCE,
        actor={"actor_type": actor.actor_type.value, "actor_id": actor.decider_id},
        idempotency_key=own_event_key(run.rebalance_run_id, event_type),
        payload=payload,
        correlation_id=run.correlation_id,
    )


def _title(run: Run) -> str:
    return f"Rebalance {run.portfolio_id}"


def trace_started(run: Run) -> dict[str, Any]:
    """Return the payload that says what a run's trace is about."""
    return {
        "workflow": "rebalance",
        "title": _title(run),
        "primary_entity": {"entity_type": "portfolio", "entity_id": run.portfolio_id},
    }


def _policy(run: Run) -> dict[str, str]:
    return {"policy_id": POLICY_ID, "policy_version": run.engine_version}


def policy_evaluated(run: Run, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the payload that says what the rules said of a run."""
    found = findings(result)
    return {
        "policy": _policy(run),
        "inputs": {"rebalance_run_id": run.rebalance_run_id, "request_hash": run.request_hash},
        "decision": _DECISION[run.status],
        "violations": [
            {
                "rule_id": finding.rule_id,
                "severity": finding.severity,
                "reason_code": finding.reason_code,
                "measured": finding.measured,
                "threshold": dict(finding.threshold or {}),
            }
            for finding in found[:VIOLATIONS_MAX]
        ],
        "violation_count": len(found),
    }


def exception_requested(run: Run, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the payload that says why a run needs a person, with locators of the evidence and no copy of it."""
    found = findings(result)
    soft = sum(1 for finding in found if finding.rule_id != "TARGET")
    return {
        "exception_id": run.rebalance_run_id,
        "title": _title(run),
        "portfolio_id": run.portfolio_id,
        "policy": _policy(run),
        "reason": headline(result),
        "priority": priority_of(run.status, soft_failures=soft).word,
        "evidence": {
            "rebalance_run_id": run.rebalance_run_id,
            "rule_ids": sorted({finding.rule_id for finding in found}),
            "artifact_hash": run.artifact_hash,
        },
    }
