"""The one place where an action meets an item, whichever surface it came from (workflow.md §2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.events import EventDraft, EventType
from lotus_web.domain.gate import GATE_ACTION, check_reason_code
from lotus_web.domain.items import ActionRecord, ItemState, Origin
from lotus_web.domain.lineage import EdgeType, EntityKind
from lotus_web.domain.projection import OVERRIDE_SUBJECT, fold_action
from lotus_web.domain.shown import check_unmoved, shown_digest
from lotus_web.domain.workflow import (
    NEEDS_TEXT,
    Action,
    ItemStatus,
    check_action,
    check_free_text,
    override_phrase,
)
from lotus_web.models import Decision, Run, TenantRuntime
from lotus_web.services.assignment import check_assignee
from lotus_web.services.event_log import append_event, lock_tenant
from lotus_web.services.items import action_row, get_item, item_state, store_effect
from lotus_web.services.lineage import add_edge
from lotus_web.services.new_ids import new_id
from lotus_web.services.review_policy import ReviewPolicy
from lotus_web.services.run_events import SOURCE

NO_REASON_CODE = "UNSPECIFIED"
_APPENDS_EVENT = {Action.APPROVE: "approved", Action.REJECT: "rejected", Action.OVERRIDE: "approved"}


@dataclass(frozen=True, slots=True)
class ReviewAction:
    """What someone asks to be done to an item; ``version`` and ``shown_digest`` are what they had in front of them."""

    action: Action
    text: str | None = None
    reason_code: str | None = None
    assigned_account_id: str | None = None
    assigned_role: str | None = None
    confirm_text: str | None = None
    version: int | None = None
    shown_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What an action left behind."""

    item: ItemState
    action_id: str
    decision: Decision | None


@dataclass(frozen=True, slots=True)
class _Case:
    """Everything one action needs, loaded and checked under the lock."""

    item: ItemState
    asked: ReviewAction
    after: ItemStatus
    actor: Actor
    surface: str
    correlation_id: str
    now: datetime
    policy: ReviewPolicy
    runtime: TenantRuntime
    digest: str
    run: Run | None


def apply_action(
    session: Session,
    workflow_id: str,
    asked: ReviewAction,
    *,
    actor: Actor,
    surface: str,
    correlation_id: str,
    now: datetime,
    policy: ReviewPolicy,
) -> Reviewed:
    """Apply one action under the tenant's lock: event, action, item, decision and notices together.

    Raises NotFound, Forbidden, Conflict (``invalid_transition``, ``version_conflict``) or InvalidInput; nothing is
    written then.
    """
    runtime = lock_tenant(session, actor.tenant_id)
    item = item_state(get_item(session, actor.tenant_id, workflow_id, lock=True))
    run = session.get(Run, (actor.tenant_id, item.rebalance_run_id)) if item.rebalance_run_id else None
    digest = shown_digest(item, run.artifact_hash if run else None)
    asked = check_input(item, asked)
    check_unmoved(item, version=asked.version, digest=asked.shown_digest, current_digest=digest)
    after = check_action(item.facts, actor, asked.action)
    case = _Case(item, asked, after, actor, surface, correlation_id, now, policy, runtime, digest, run)
    decision = _decide(session, case)
    action_id = _append_approval(session, case, decision) if asked.action in _APPENDS_EVENT else _act(session, case)
    return Reviewed(item_state(get_item(session, actor.tenant_id, workflow_id)), action_id, decision)


def check_input(item: ItemState, asked: ReviewAction) -> ReviewAction:
    """Return the request with its text cleaned; raises InvalidInput for a missing reason, target or phrase."""
    text = check_free_text((asked.text or "").strip()) or None
    if asked.reason_code is not None:
        check_reason_code(asked.reason_code)
    coded = asked.reason_code is not None and asked.action is not Action.COMMENT
    if asked.action in NEEDS_TEXT and text is None and not coded:
        word = "note" if asked.action is Action.COMMENT else "reason"
        raise InvalidInput("invalid_argument", f"Enter a {word}.", loc=("body", word))
    if asked.action is Action.OVERRIDE and (asked.confirm_text or "").strip() != override_phrase(item.workflow_id):
        raise InvalidInput(
            "invalid_argument", f"Type {override_phrase(item.workflow_id)} to confirm.", loc=("body", "confirm_text")
        )
    if asked.action is Action.REASSIGN and not (asked.assigned_account_id or asked.assigned_role):
        raise InvalidInput(
            "invalid_argument", "Name a person or a role to assign to.", loc=("body", "assigned_account_id")
        )
    return replace(asked, text=text)


def _decide(session: Session, case: _Case) -> Decision | None:
    """Write the RFC-0020 decision of a run's review; other actions and other items have none."""
    gate_action = GATE_ACTION.get(case.asked.action)
    if gate_action is None or case.item.rebalance_run_id is None:
        return None
    decision = Decision(
        decision_id=new_id("dwd_", 12),
        tenant_id=case.item.tenant_id,
        run_id=case.item.rebalance_run_id,
        workflow_id=case.item.workflow_id,
        portfolio_id=case.item.portfolio_id or "",
        action=gate_action.value,
        reason_code=case.asked.reason_code or NO_REASON_CODE,
        comment=case.asked.text,
        actor_id=case.actor.decider_id,
        recorded_by=case.actor.actor_id,
        decided_at=case.now,
        correlation_id=case.correlation_id,
        shown_digest=case.digest,
        surface=case.surface,
    )
    session.add(decision)
    add_edge(
        session,
        EdgeType.DECIDED_BY,
        (EntityKind.RUN, decision.run_id),
        (EntityKind.DECISION, decision.decision_id),
        tenant_id=decision.tenant_id,
        now=case.now,
        metadata={"action": decision.action},
    )
    return decision


def _append_approval(session: Session, case: _Case, decision: Decision | None) -> str:
    """Append ApprovalRecorded; its projection moves the item and writes the action."""
    approval_id = decision.decision_id if decision else new_id("apr_", 12)
    draft = EventDraft(
        event_id=new_id("evt_"),
        tenant_id=case.item.tenant_id,
        trace_id=case.item.trace_id,
        event_type=EventType.APPROVAL_RECORDED,
        occurred_at=case.now,
        source=SOURCE,
        actor={"actor_type": case.actor.actor_type.value, "actor_id": case.actor.actor_id},
        idempotency_key=f"{approval_id}:ApprovalRecorded",
        payload=_approval_payload(case, approval_id),
        correlation_id=case.correlation_id,
    )
    entry = append_event(session, draft, defaults=case.policy.defaults, now=case.now).entry
    return entry.event_id


def _approval_payload(case: _Case, approval_id: str) -> dict[str, Any]:
    overriding = case.asked.action is Action.OVERRIDE
    evidence = {"surface": case.surface, "shown_digest": case.digest}
    if case.asked.reason_code:
        evidence["reason_code"] = case.asked.reason_code
    payload = {
        "approval_id": approval_id,
        "subject": {
            "subject_type": OVERRIDE_SUBJECT if overriding else case.item.subject_type,
            "subject_id": case.item.workflow_id if overriding else case.item.subject_id,
        },
        "approver": {
            "actor_type": "person" if case.actor.on_behalf_of else case.actor.actor_type.value,
            "actor_id": case.actor.decider_id,
        },
        "decision": _APPENDS_EVENT[case.asked.action],
        "evidence": evidence,
    }
    return payload | ({"reason": case.asked.text} if case.asked.text else {})


def _act(session: Session, case: _Case) -> str:
    """Record an action that is no event of the log, and fold it into the item."""
    account, role = _target(session, case)
    record = ActionRecord(
        action_id=new_id("act_", 16),
        tenant_id=case.item.tenant_id,
        workflow_id=case.item.workflow_id,
        trace_id=case.item.trace_id,
        action_type=case.asked.action,
        origin=Origin.MANUAL,
        actor_type=case.actor.actor_type.value,
        actor_id=case.actor.actor_id,
        on_behalf_of=case.actor.on_behalf_of,
        surface=case.surface,
        reason_code=case.asked.reason_code,
        text=case.asked.text,
        from_status=case.item.status,
        to_status=case.after,
        assigned_account_id=account,
        assigned_role=role,
        after_log_seq=case.runtime.last_log_seq,
        occurred_at=case.now,
        details={"shown_digest": case.digest},
    )
    session.add(action_row(record))
    store_effect(session, fold_action(case.item, record))
    return record.action_id


def _target(session: Session, case: _Case) -> tuple[str | None, str | None]:
    match case.asked.action:
        case Action.CLAIM:
            return case.actor.decider_id, None
        case Action.ESCALATE:
            defaults = case.policy.defaults
            return defaults.escalation_account_id, defaults.escalation_role
        case Action.REASSIGN:
            account, role = case.asked.assigned_account_id, case.asked.assigned_role
            check_assignee(session, case.item.tenant_id, account_id=account, role=role)
            return account, role
    return None, None
