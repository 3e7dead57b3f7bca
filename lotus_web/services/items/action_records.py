"""The rows and events that follow from one checked action on one item, built without a store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lotus_web.domain.decisions.reason_codes import NO_REASON_CODE
from lotus_web.domain.events.envelope import SOURCE, EventDraft, EventType
from lotus_web.domain.events.projection import OVERRIDE_SUBJECT
from lotus_web.domain.items.actions import ACTIONS, Action, Approval
from lotus_web.domain.items.evidence import Presented
from lotus_web.domain.items.signing import Signature
from lotus_web.domain.items.state import ActionRecord, ItemState, Origin
from lotus_web.domain.items.values import ItemStatus
from lotus_web.models import Decision
from lotus_web.services.command import CommandContext
from lotus_web.services.proposals.standing import LoadedProposal
from lotus_web.store.new_ids import new_id


@dataclass(frozen=True, slots=True)
class AtSubject:
    """What a program that decides on a proposal itself says of it: ``details`` as they came.

    ``as_approval`` is False where it posts the event of a rejection, which leaves no approval (proposals-api §1 route 6).
    ``loaded`` is the proposal where the caller has locked and checked it.
    """

    details: Mapping[str, Any]
    as_approval: bool = True
    loaded: LoadedProposal | None = None


@dataclass(frozen=True, slots=True)
class ReviewAction:
    """What someone asks to be done to an item; ``version`` and ``shown_digest`` are what they had in front of them.

    ``presented`` is the evidence that it came with, ``signature`` what it was signed with, None where it came without.
    """

    action: Action
    text: str | None = None
    reason_code: str | None = None
    assigned_account_id: str | None = None
    assigned_role: str | None = None
    confirm_text: str | None = None
    version: int | None = None
    shown_digest: str | None = None
    evidence: Mapping[str, Any] | None = None
    presented: Presented | None = None
    signature: Signature | None = None
    at_subject: AtSubject | None = None


@dataclass(frozen=True, slots=True)
class ReviewCase:
    """An action on an item in the context of its command; ``digest`` is of the evidence that the item showed then.

    ``signed`` is what its entry says of its signature, None where it needs none.
    """

    item: ItemState
    asked: ReviewAction
    after: ItemStatus
    context: CommandContext
    digest: str
    four_eyes_exempted: bool = False
    signed: Mapping[str, Any] | None = None


def decision_row(case: ReviewCase) -> Decision | None:
    """Return the RFC-0020 decision of a run's review; other actions and other items have none."""
    gate_action = ACTIONS[case.asked.action].gate
    if gate_action is None or case.item.rebalance_run_id is None:
        return None
    return Decision(
        decision_id=new_id("dwd_", 12),
        tenant_id=case.item.tenant_id,
        run_id=case.item.rebalance_run_id,
        workflow_id=case.item.workflow_id,
        portfolio_id=case.item.portfolio_id or "",
        action=gate_action.value,
        reason_code=case.asked.reason_code or NO_REASON_CODE,
        comment=case.asked.text,
        actor_id=case.context.actor.decider_id,
        recorded_by=case.context.actor.actor_id,
        decided_at=case.context.now,
        correlation_id=case.context.correlation_id,
        shown_digest=case.digest,
        surface=case.context.surface.value,
    )


def presented_facts(case: ReviewCase) -> dict[str, Any]:
    """Return what a decision says of the evidence that was presented, of who really acted and of how they were signed in.

    The digest is the one that came with the decision and none that was computed in its place.
    """
    shown, signed_in = case.asked.presented, case.context.signed_in
    facts: dict[str, Any] = {"presented": shown is not None, "acted_by": case.context.actor.acted_by}
    if shown is not None:
        facts["evidence_digest"] = shown.digest
        if shown.seconds_open is not None:
            facts["seconds_open"] = shown.seconds_open
    if signed_in is not None:
        facts["signed_in"] = asdict(signed_in)
    if case.signed is not None:
        facts["signature"] = dict(case.signed)
    return facts


def approval_draft(case: ReviewCase, approval: Approval, approval_id: str) -> EventDraft:
    """Return the ApprovalRecorded of an approval, a rejection or an override."""
    return EventDraft(
        event_id=new_id("evt_"),
        tenant_id=case.item.tenant_id,
        trace_id=case.item.trace_id,
        event_type=EventType.APPROVAL_RECORDED,
        occurred_at=case.context.now,
        source=SOURCE,
        actor={"actor_type": case.context.actor.actor_type.value, "actor_id": case.context.actor.actor_id},
        idempotency_key=f"{approval_id}:{EventType.APPROVAL_RECORDED.value}",
        payload=_approval_payload(case, approval, approval_id),
        correlation_id=case.context.correlation_id,
    )


def _approval_payload(case: ReviewCase, approval: Approval, approval_id: str) -> dict[str, Any]:
    evidence = {"surface": case.context.surface.value, "shown_digest": case.digest, **presented_facts(case)}
    if case.asked.reason_code:
        evidence["reason_code"] = case.asked.reason_code
    if case.four_eyes_exempted:
        evidence["four_eyes"] = "exempted"
    if case.asked.evidence:
        evidence["attached"] = dict(case.asked.evidence)
    approver_type = "person" if case.context.actor.on_behalf_of else case.context.actor.actor_type.value
    payload = {
        "approval_id": approval_id,
        "subject": {
            "subject_type": OVERRIDE_SUBJECT if approval.override else case.item.subject_type,
            "subject_id": case.item.workflow_id if approval.override else case.item.subject_id,
        },
        "approver": {"actor_type": approver_type, "actor_id": case.context.actor.decider_id},
        "decision": approval.verdict.value,
        "evidence": evidence,
    }
    return payload | ({"reason": case.asked.text} if case.asked.text else {})


def manual_record(case: ReviewCase, *, account: str | None, role: str | None, after_log_seq: int) -> ActionRecord:
    """Return the record of an action that is no event of the log, with the assignment it leads to."""
    asked = case.asked
    return ActionRecord(
        action_id=new_id("act_", 16),
        tenant_id=case.item.tenant_id,
        workflow_id=case.item.workflow_id,
        trace_id=case.item.trace_id,
        action_type=case.asked.action,
        origin=Origin.MANUAL,
        actor_type=case.context.actor.actor_type.value,
        actor_id=case.context.actor.actor_id,
        on_behalf_of=case.context.actor.on_behalf_of,
        surface=case.context.surface.value,
        reason_code=case.asked.reason_code,
        text=case.asked.text,
        from_status=case.item.status,
        to_status=case.after,
        assigned_account_id=account,
        assigned_role=role,
        after_log_seq=after_log_seq,
        occurred_at=case.context.now,
        details={"shown_digest": case.digest}
        | (presented_facts(case) if ACTIONS[asked.action].decides else {"acted_by": case.context.actor.acted_by})
        | ({"attached": dict(asked.evidence)} if asked.evidence else {}),
    )
