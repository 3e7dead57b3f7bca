"""The fold: how events of the log and actions of people become items. Pure, so a rebuild is the same fold again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lotus_web.domain import notifications as notices
from lotus_web.domain.events.envelope import OWN_PRODUCER, EventDraft, EventType
from lotus_web.domain.events.opening import OPENERS, OPENING, evidence_of, opened_again
from lotus_web.domain.events.opening import opened_by as opened_subject
from lotus_web.domain.items.actions import ACTIONS, BY_APPROVAL, Action, Approval, Hold, Verdict
from lotus_web.domain.items.state import ESCALATIONS, ActionRecord, ItemState, LoggedEvent, Origin, TraceContext
from lotus_web.domain.items.subjects import item_id, item_id_as_stored
from lotus_web.domain.items.transitions import status_after
from lotus_web.domain.items.values import OPEN, TERMINAL
from lotus_web.domain.notifications import Notice
from lotus_web.domain.sla.deadlines import due_at, explain_due
from lotus_web.domain.surface import Surface

# The types of events that open or decide items.
ABOUT_ITEMS = tuple(event_type.value for event_type in (*sorted(OPENING), EventType.APPROVAL_RECORDED))
OVERRIDE_SUBJECT = "override"
# In the details of an escalation and of its item: the account of the settings, where it cannot review items here.
PASSED_OVER = "passed_over_account_id"
# In the details of a withdrawal and of its item: what made the review needless.
WITHDRAWN_FOR = "withdrawn_for"


@dataclass(frozen=True, slots=True)
class Effect:
    """What one event or action did: the item after it, the action row made from it, and whom it notifies."""

    item: ItemState
    action: ActionRecord | None
    notices: tuple[Notice, ...]

    def by(self, record: ActionRecord) -> Effect:
        """Return the effect with the record that it followed from, to be stored with it."""
        return replace(self, action=record)


def event_action_id(tenant_id: str, event_id: str) -> str:
    """Return the id of the action row made from an event; it follows from the event, so a rebuild names the same."""
    return "act_" + hashlib.sha256(f"{tenant_id}\n{event_id}".encode()).hexdigest()[:16]


def target_workflow_id(event: EventDraft | LoggedEvent) -> str | None:
    """Return the id of the item that an event is about, or None when it touches none."""
    opens = opened_subject(event)
    if opens is not None:
        return item_id(event.trace_id, opens, OPENERS[opens].subject_id(event.payload))
    return approved_item_id(event.trace_id, event.payload) if event.event_type == EventType.APPROVAL_RECORDED else None


def approved_item_id(trace_id: str, payload: Mapping[str, Any]) -> str:
    """Return the id of the item that an ApprovalRecorded decides; an override names the item itself."""
    subject = payload["subject"]
    if subject["subject_type"] == OVERRIDE_SUBJECT:
        return str(subject["subject_id"])
    return item_id_as_stored(trace_id, subject["subject_type"], subject["subject_id"])


def fold_event(
    item: ItemState | None, event: LoggedEvent, trace: TraceContext, *, opened_by: str | None
) -> Effect | None:
    """Apply an event to the item it is about (None if that does not exist yet); None when it changes nothing.

    ``opened_by`` is the producer of the event that opened the item: only this deployment decides what it opened itself.
    """
    opens = opened_subject(event)
    if opens is not None:
        opener = OPENERS[opens]
        if item is None:
            return _opened(opener.opened(event, trace))
        again = opener.again and item.trace_id == event.trace_id
        return _opened(opened_again(item, opener.opened(event, trace))) if again else None
    if item is None:
        return None
    # Events act within their own trace: another trace's page would not show who closed its item.
    if event.event_type != EventType.APPROVAL_RECORDED or item.trace_id != event.trace_id:
        return None
    # An approval from elsewhere of an item opened here stays a line in the timeline: nobody checked the right to decide.
    elsewhere = opened_by == OWN_PRODUCER != event.producer_id
    return None if elsewhere else _approved_or_rejected(item, event)


def _opened(item: ItemState) -> Effect:
    return Effect(item, None, notices.assignment(item, item.requested_at))


def _approved_or_rejected(item: ItemState, event: LoggedEvent) -> Effect | None:
    payload = event.payload
    action = approval_action(payload)
    after = status_after(item.facts, action)
    if after is None:
        return None
    evidence = evidence_of(payload)
    record = ActionRecord(
        action_id=event_action_id(event.tenant_id, event.event_id),
        tenant_id=event.tenant_id,
        workflow_id=item.workflow_id,
        trace_id=item.trace_id,
        action_type=action,
        origin=Origin.EVENT,
        actor_type=str(event.actor["actor_type"]),
        actor_id=str(event.actor["actor_id"]),
        on_behalf_of=_other(payload["approver"]["actor_id"], event.actor["actor_id"]),
        surface=str(evidence.get("surface", Surface.EVENT.value)),
        reason_code=evidence.get("reason_code"),
        text=payload.get("reason"),
        from_status=item.status,
        to_status=after,
        source_event_id=event.event_id,
        after_log_seq=event.log_seq,
        occurred_at=event.occurred_at,
        details={key: evidence[key] for key in ("shown_digest", "four_eyes", "attached") if key in evidence},
    )
    effect = fold_action(item, record)
    closed = replace(effect.item, approval_event_id=event.event_id, last_source_log_seq=event.log_seq)
    told = notices.approval(closed, event_id=event.event_id, actor_id=record.decider_id, now=event.occurred_at)
    return Effect(closed, record, told)


def approval_action(payload: Mapping[str, Any]) -> Action:
    """Return the action of an ApprovalRecorded."""
    verdict = Verdict(payload["decision"])
    overriding = Approval(verdict, override=payload["subject"]["subject_type"] == OVERRIDE_SUBJECT)
    return BY_APPROVAL.get(overriding) or BY_APPROVAL[Approval(verdict)]


def _other(approver: str, actor: str) -> str | None:
    return None if approver == actor else approver


def fold_action(item: ItemState, record: ActionRecord) -> Effect:
    """Apply a recorded action to its item; what was possible was checked when it was recorded."""
    acted = replace(
        item,
        status=record.to_status,
        version=item.version + 1,
        updated_at=record.occurred_at,
        last_action_type=record.action_type.value,
        last_action_at=record.occurred_at,
        last_actor_id=record.decider_id,
        claimed_at=_renewed(item, record),
    )
    spec = ACTIONS[record.action_type]
    if record.to_status in TERMINAL and spec.decides:
        acted = replace(
            acted,
            # Clocks of other systems may be wrong; nothing is decided before it was asked.
            resolved_at=max(record.occurred_at, item.requested_at),
            current_decision=record.to_status.value,
            current_reason=record.text,
        )
    if WITHDRAWN_FOR in record.details:
        acted = replace(acted, metadata={**acted.metadata, WITHDRAWN_FOR: record.details[WITHDRAWN_FOR]})
    match spec.hold:
        case Hold.CLAIM:
            return _effect(
                replace(acted, assigned_account_id=record.assigned_account_id, claimed_at=record.occurred_at)
            )
        case Hold.RELEASE:
            return _effect(replace(acted, assigned_account_id=None, claimed_at=None))
        case Hold.PAUSE:
            return _effect(_changes_requested(item, acted, record))
        case Hold.REASSIGN:
            return _reassigned(acted, record)
        case Hold.ESCALATE:
            return _escalated(item, acted, record)
    return _effect(acted)


def _renewed(item: ItemState, record: ActionRecord) -> datetime | None:
    """Return when the holder was last at work: a claim is a lease that their own actions renew."""
    holder_acts = item.claimed_at is not None and record.decider_id == item.assigned_account_id
    return record.occurred_at if holder_acts else item.claimed_at


def _effect(item: ItemState, notices_sent: tuple[Notice, ...] = ()) -> Effect:
    return Effect(item, None, notices_sent)


def _changes_requested(item: ItemState, acted: ItemState, record: ActionRecord) -> ItemState:
    # Whoever claimed it has done their part; it is theirs still, but no lease runs while others change it.
    asked = replace(acted, current_decision=record.to_status.value, current_reason=record.text, claimed_at=None)
    if item.status in OPEN:
        return asked
    hours = int(item.metadata["sla_hours"])
    clock = explain_due(record.occurred_at, hours, "reopened")
    return replace(
        asked,
        resolved_at=None,
        approval_event_id=None,
        sla_due_at=due_at(record.occurred_at, hours),
        metadata={**item.metadata, "sla": clock},
    )


def _reassigned(acted: ItemState, record: ActionRecord) -> Effect:
    moved = replace(
        acted,
        assigned_account_id=record.assigned_account_id,
        assigned_role=record.assigned_role or acted.assigned_role,
        claimed_at=None,
    )
    return _effect(moved, notices.assignment(moved, record.occurred_at))


def _escalated(item: ItemState, acted: ItemState, record: ActionRecord) -> Effect:
    passed_over = {PASSED_OVER: record.details[PASSED_OVER]} if PASSED_OVER in record.details else {}
    metadata = {
        **{key: value for key, value in item.metadata.items() if key != PASSED_OVER},
        **passed_over,
        ESCALATIONS: int(item.metadata.get(ESCALATIONS, 0)) + 1,
        "previous_assignment": {"account_id": item.assigned_account_id, "role": item.assigned_role},
    }
    moved = replace(
        acted,
        assigned_account_id=record.assigned_account_id,
        assigned_role=record.assigned_role,
        claimed_at=None,
        metadata=metadata,
    )
    return _effect(moved, notices.escalation(moved, record.occurred_at, passed_over=record.details.get(PASSED_OVER)))
