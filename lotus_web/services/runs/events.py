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
from lotus_web.domain.events.envelope import OWN_PRODUCER, SOURCE, EventDraft, EventType, run_event_key
from lotus_web.domain.runs.findings import findings, headline
from lotus_web.models import EventLogEntry, Run
from lotus_web.services.events.log import append_event, lock_tenant
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
    lock_tenant(session, run.tenant_id)
    if not _trace_exists(session, run):
        _append(session, run, EventType.TRACE_STARTED, trace_started(run), actor=actor, now=now, policy=policy)
    if session.scalar(evaluation_event(run.tenant_id, run.rebalance_run_id)) is None:
        evaluated = policy_evaluated(run, result)
        _append(session, run, EventType.POLICY_EVALUATED, evaluated, actor=actor, now=now, policy=policy)
    if policy.requires_review(run.status):
        payload = exception_requested(run, result)
        _append(session, run, EventType.EXCEPTION_REQUESTED, payload, actor=actor, now=now, policy=policy)


def _trace_exists(session: Session, run: Run) -> bool:
    query = select(EventLogEntry.log_seq).where(
        EventLogEntry.tenant_id == run.tenant_id,
        EventLogEntry.trace_id == run.correlation_id,
        EventLogEntry.trace_seq == 0,
    )
    return session.scalar(query) is not None


def evaluation_event(tenant_id: str, run_id: str) -> Select[int]:
    """Return the question for the event that every run in the log has once; it outlives the run."""
    return select(EventLogEntry.log_seq).where(
        EventLogEntry.tenant_id == tenant_id,
        EventLogEntry.producer_id == OWN_PRODUCER,
        EventLogEntry.idempotency_key == run_event_key(run_id, EventType.POLICY_EVALUATED),
    )


def _append(
    session: Session,
    run: Run,
    event_type: EventType,
    payload: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
    policy: DeploymentPolicy,
) -> None:
    draft = run_event(run, event_type, payload, actor=actor, now=now)
    append_event(session, draft, defaults=policy.defaults, now=now)


def run_event(
    run: Run, event_type: EventType, payload: Mapping[str, Any], *, actor: Actor, now: datetime
) -> EventDraft:
    """Return an event of a run's trace as the house's own producer sends it."""
    return EventDraft(
        event_id=new_id("evt_"),
        tenant_id=run.tenant_id,
        trace_id=run.correlation_id,
        event_type=event_type,
        occurred_at=now,
        source=SOURCE,
        actor={"actor_type": actor.actor_type.value, "actor_id": actor.decider_id},
        idempotency_key=run_event_key(run.rebalance_run_id, event_type),
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
