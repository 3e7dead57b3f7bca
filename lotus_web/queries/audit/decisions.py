"""Verifying that each RFC-0020 decision is also in the log or among the actions, word for word, and the other way round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import and_, exists, func, select
from sqlalchemy.orm import Session

from lotus_web.domain.decisions.reason_codes import NO_REASON_CODE
from lotus_web.domain.events.envelope import OWN_PRODUCER, EventType
from lotus_web.domain.events.projection import approval_action, approved_item_id
from lotus_web.domain.items.actions import ACTIONS
from lotus_web.models import Decision, EventLogEntry, WorkflowAction, WorkflowItem

BATCH = 1_000
_SUFFIX = f":{EventType.APPROVAL_RECORDED.value}"
# Decisions that are an event of the log, by what it says; the others are actions alone.
_APPROVALS = {spec.gate: spec.approval.verdict for spec in ACTIONS.values() if spec.gate and spec.approval}
_BY_VERDICT = {verdict.value: gate for gate, verdict in _APPROVALS.items()}
_REQUESTS = {action.value: spec.gate.value for action, spec in ACTIONS.items() if spec.gate and not spec.approval}

Facts = tuple[Any, ...]


def verify_decisions(session: Session, tenant_id: str) -> Iterator[str]:
    """Yield a sentence for each decision that its event or action contradicts, or that is missing; batches of bounded size."""
    yield from _contradicted(session, tenant_id)
    yield from _missing_approvals(session, tenant_id)
    yield from _missing_requests(session, tenant_id)


def _contradicted(session: Session, tenant_id: str) -> Iterator[str]:
    after = 0
    query = select(Decision).where(Decision.tenant_id == tenant_id).order_by(Decision.decision_seq).limit(BATCH)
    while decisions := session.scalars(query.where(Decision.decision_seq > after)).all():
        recorded = _approvals(session, tenant_id, decisions) | _requests(session, tenant_id, decisions)
        for decision in decisions:
            key = _key(decision.action, decision.decision_id, decision.workflow_id, decision.shown_digest)
            found = recorded.get(key)
            if found is None:
                yield f"decision {decision.decision_id}: no log entry and no action matches it"
            elif found != _facts(decision):
                yield f"decision {decision.decision_id}: it does not say what was recorded with it"
        after = decisions[-1].decision_seq


def _key(action: str, decision_id: str, workflow_id: str, digest: str) -> Facts:
    return (decision_id,) if action in _APPROVALS else (workflow_id, digest)


def _facts(decision: Decision) -> Facts:
    shared = (
        decision.workflow_id,
        decision.action,
        decision.reason_code,
        decision.comment,
        decision.actor_id,
        decision.recorded_by,
        decision.decided_at,
        decision.shown_digest,
        decision.surface,
    )
    return (*shared, decision.correlation_id) if decision.action in _APPROVALS else shared


def _approvals(session: Session, tenant_id: str, decisions: Sequence[Decision]) -> dict[Facts, Facts]:
    keys = [decision.decision_id + _SUFFIX for decision in decisions if decision.action in _APPROVALS]
    events = session.scalars(
        select(EventLogEntry).where(
            EventLogEntry.tenant_id == tenant_id,
            EventLogEntry.producer_id == OWN_PRODUCER,
            EventLogEntry.idempotency_key.in_(keys),
        )
    )
    return {(event.payload["approval_id"],): _event_facts(event) for event in events}


def _event_facts(event: EventLogEntry) -> Facts:
    payload: Mapping[str, Any] = event.payload
    evidence = payload["evidence"]
    return (
        approved_item_id(event.trace_id, payload),
        _BY_VERDICT[payload["decision"]].value,
        evidence.get("reason_code", NO_REASON_CODE),
        payload.get("reason"),
        payload["approver"]["actor_id"],
        event.actor["actor_id"],
        event.occurred_at,
        evidence["shown_digest"],
        evidence["surface"],
        event.correlation_id,
    )


def _requests(session: Session, tenant_id: str, decisions: Sequence[Decision]) -> dict[Facts, Facts]:
    asked = [decision.workflow_id for decision in decisions if decision.action not in _APPROVALS]
    actions = session.scalars(
        select(WorkflowAction).where(
            WorkflowAction.tenant_id == tenant_id,
            WorkflowAction.workflow_id.in_(asked),
            WorkflowAction.action_type.in_(_REQUESTS),
        )
    )
    return {(action.workflow_id, action.details.get("shown_digest")): _action_facts(action) for action in actions}


def _action_facts(action: WorkflowAction) -> Facts:
    return (
        action.workflow_id,
        _REQUESTS[action.action_type],
        action.reason_code or NO_REASON_CODE,
        action.text,
        action.on_behalf_of or action.actor_id,
        action.actor_id,
        action.occurred_at,
        action.details.get("shown_digest"),
        action.surface,
    )


def _missing_approvals(session: Session, tenant_id: str) -> Iterator[str]:
    """Look at each approval of a run that this deployment recorded in the log and that no decision has for its id."""
    key = EventLogEntry.idempotency_key
    decision_id = func.substr(key, 1, func.length(key) - len(_SUFFIX))
    known = exists().where(and_(Decision.tenant_id == tenant_id, Decision.decision_id == decision_id))
    of_run = and_(
        WorkflowItem.tenant_id == EventLogEntry.tenant_id,
        WorkflowItem.trace_id == EventLogEntry.trace_id,
        WorkflowItem.rebalance_run_id.is_not(None),
    )
    query = select(EventLogEntry, WorkflowItem.workflow_id).join(WorkflowItem, of_run)
    query = query.where(
        EventLogEntry.tenant_id == tenant_id,
        EventLogEntry.producer_id == OWN_PRODUCER,
        EventLogEntry.event_type == EventType.APPROVAL_RECORDED.value,
        ~known,
    )
    for row, workflow_id in session.execute(query.order_by(EventLogEntry.log_seq)):
        decides = ACTIONS[approval_action(row.payload)].gate is not None
        if decides and approved_item_id(row.trace_id, row.payload) == workflow_id:
            yield f"entry {row.log_seq}, {row.event_id}: the decision that it records is missing"


def _missing_requests(session: Session, tenant_id: str) -> Iterator[str]:
    """Compare, item by item of runs, how many changes were requested and how many such decisions there are."""
    decided = (
        select(Decision.workflow_id, func.count().label("decisions"))
        .where(Decision.tenant_id == tenant_id, Decision.action.in_(_REQUESTS.values()))
        .group_by(Decision.workflow_id)
        .subquery()
    )
    asked = (
        select(WorkflowAction.workflow_id, func.count().label("actions"))
        .join(WorkflowItem, _same_item())
        .where(
            WorkflowAction.tenant_id == tenant_id,
            WorkflowAction.action_type.in_(_REQUESTS),
            WorkflowItem.rebalance_run_id.is_not(None),
        )
        .group_by(WorkflowAction.workflow_id)
        .subquery()
    )
    query = (
        select(asked.c.workflow_id)
        .outerjoin(decided, decided.c.workflow_id == asked.c.workflow_id)
        .where(asked.c.actions > func.coalesce(decided.c.decisions, 0))
    )
    for workflow_id in session.scalars(query.limit(BATCH)):
        yield f"{workflow_id}: changes were requested more often than decided"


def _same_item() -> Any:
    return and_(
        WorkflowItem.tenant_id == WorkflowAction.tenant_id, WorkflowItem.workflow_id == WorkflowAction.workflow_id
    )
