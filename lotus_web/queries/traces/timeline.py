"""What happened to a trace and its item: events, actions and notifications in one order, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.accounts.acting import voucher
from lotus_web.domain.decisions.reason_codes import REASON_CODES, Catalogue, reason_text
from lotus_web.domain.events.envelope import EventType
from lotus_web.domain.events.opening import OPENING
from lotus_web.domain.items.actions import ACTIONS, Action, assignee
from lotus_web.domain.notifications import NoticeCategory, stored_sentence
from lotus_web.domain.proposals.states import ProposalEvent
from lotus_web.domain.sentences import Account, Sentence
from lotus_web.models import EventLogEntry, Notification, WorkflowAction
from lotus_web.queries.traces.ordering import ActionEntry, EventEntry, NoticeEntry, TraceEntry, in_order
from lotus_web.queries.traces.summary import TraceDetail

MOST_ENTRIES = 200
_STEPS = {
    ProposalEvent.CLIENT_CONSENT_RECORDED: "recorded the client's consent to version {number}",
    ProposalEvent.EXECUTED: "recorded that version {number} was executed",
    ProposalEvent.CANCELLED: "cancelled the proposal at version {number}",
    ProposalEvent.EXPIRED: "let version {number} expire",
}
_POLICY_WORDS = {"allow": "allowed", "deny": "blocked", "require_exception": "needs a review"}


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened; ``kind`` is an action, ``event``, ``notification`` or ``failure``.

    A title or body that is a sentence names accounts, which pages show by their display names; text is as it was written.

    ``workflow_id`` is the item that it was done to or told about; None for an event.
    """

    at: datetime
    actor: str | None
    title: Sentence | str
    body: Sentence | str
    kind: str
    entry_id: str
    workflow_id: str | None = None


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """An event of the log with its payload, for what has no run behind it."""

    event_id: str
    event_type: str
    occurred_at: datetime
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Entries newest first, at most ``MOST_ENTRIES`` of each source, and the events they were read from."""

    entries: tuple[TimelineEntry, ...]
    events: tuple[TraceEvent, ...]
    cut: bool


def item_timeline(
    session: Session, tenant_id: str, *, trace_id: str, workflow_id: str | None, codes: Catalogue = REASON_CODES
) -> Timeline:
    """Return the timeline of a trace and, if there is one, of its item, with reasons in ``codes``' words; one query a source."""
    events: Sequence[EventLogEntry] = _newest(session, EventLogEntry, tenant_id, "trace_id", trace_id, "trace_seq")
    actions: Sequence[WorkflowAction] = ()
    notices: Sequence[Notification] = ()
    if workflow_id is not None:
        actions = _newest(session, WorkflowAction, tenant_id, "workflow_id", workflow_id, "action_seq")
        notices = _newest(session, Notification, tenant_id, "workflow_id", workflow_id, "notification_seq")
    entries = _to_entries(in_order(events, actions, notices), actions, codes)
    return Timeline(
        entries=tuple(reversed(entries)),
        events=tuple(
            TraceEvent(row.event_id, row.event_type, row.occurred_at, row.payload) for row in reversed(events)
        ),
        cut=any(len(rows) == MOST_ENTRIES for rows in (events, actions, notices)),
    )


def trace_timeline(detail: TraceDetail, codes: Catalogue = REASON_CODES) -> tuple[TimelineEntry, ...]:
    """Return everything that happened in a trace, oldest first, each approval once, with reasons in ``codes``' words."""
    return _to_entries(detail.in_order, detail.actions, codes)


def _to_entries(
    everything: Iterable[TraceEntry], actions: Iterable[WorkflowAction], codes: Catalogue
) -> tuple[TimelineEntry, ...]:
    """Return entries in words. An approval is both an event and the action made from it: it is listed once, as the action."""
    everything = tuple(everything)
    as_actions = {action.source_event_id for action in actions}
    posters = {one.row.event_id: one.row.posted_by for one in everything if isinstance(one, EventEntry)}
    return tuple(
        _entry(one, codes, posters)
        for one in everything
        if not (isinstance(one, EventEntry) and one.row.event_id in as_actions)
    )


def _entry(one: TraceEntry, codes: Catalogue, posters: Mapping[str, str | None]) -> TimelineEntry:
    match one:
        case EventEntry(row):
            return _event(row)
        case ActionEntry(row):
            return _action(row, codes, posters.get(row.source_event_id or ""))
        case NoticeEntry(row):
            return _notice(row)


def _newest(session: Session, model: Any, tenant_id: str, key: str, value: str, order: str) -> Sequence[Any]:
    query = select(model).where(model.tenant_id == tenant_id, getattr(model, key) == value)
    return session.scalars(query.order_by(getattr(model, order).desc()).limit(MOST_ENTRIES)).all()


def _event(row: EventLogEntry) -> TimelineEntry:
    title, body = _event_words(row.event_type, row.payload)
    who = row.actor.get("actor_id")
    fed = f" (posted by {row.posted_by})" if row.posted_by not in (None, who) else ""
    return TimelineEntry(row.occurred_at, who, title + fed, body, "event", row.event_id)


def _step_words(event_type: str, payload: Mapping[str, Any]) -> str:
    """Return what was proposed or carried out: a step of a version, where the event names them, else an action by its id."""
    number, step = payload.get("version_no"), payload.get("step")
    if event_type == EventType.ACTION_PROPOSED:
        return f"made version {number}" if isinstance(number, int) else f"proposed the action {payload['action_id']}"
    if isinstance(number, int) and step in _STEPS:
        return _STEPS[step].format(number=number)
    return f"carried out the action {payload['action_id']}"


def _event_words(event_type: str, payload: Mapping[str, Any]) -> tuple[str, str]:
    """Return the line and the text beneath it; required keys are there, the log checked them."""
    match event_type:
        case EventType.TRACE_STARTED:
            return "started the trace", str(payload["title"])
        case EventType.POLICY_EVALUATED:
            policy = payload["policy"]
            outcome = _POLICY_WORDS.get(payload["decision"], payload["decision"])
            return f"checked {policy['policy_id']} {policy['policy_version']}: {outcome}", ""
        case _ if event_type in OPENING:
            return "requested a review", str(payload["reason"])
        case EventType.APPROVAL_RECORDED:
            return f"recorded {payload['decision']} in another system; it does not decide this item", str(
                payload.get("reason", "")
            )
        case EventType.INPUT_OBSERVED:
            return "read an input", str(payload["input_id"])
        case EventType.ENTITY_OBSERVED:
            entity = payload["entity"]
            return f"observed a {payload['role']} {entity['entity_type']}", str(entity["entity_id"])
        case EventType.PRECEDENT_CITED:
            return f"cited the precedent {payload['cited_trace_id']}", str(payload["reason"])
        case EventType.ACTION_PROPOSED | EventType.ACTION_COMMITTED:
            return _step_words(event_type, payload), ""
        case EventType.TRACE_FINISHED:
            return f"finished the trace: {payload['outcome']}", ""
    return event_type, ""


def _action(row: WorkflowAction, codes: Catalogue, posted_by: str | None) -> TimelineEntry:
    action = Action(row.action_type)
    done = ACTIONS[action].describe(account=row.assigned_account_id, role=row.assigned_role)
    through = voucher(row.actor_id, row.on_behalf_of, posted_by)
    reason = reason_text(action, row.reason_code, codes) if row.reason_code else ""
    return TimelineEntry(
        at=row.occurred_at,
        actor=row.on_behalf_of or row.actor_id,
        title=Sentence("{done} (through {actor})", done=done, actor=Account(through)) if through else done,
        body="\n".join(part for part in (reason, row.text) if part),
        kind=row.action_type,
        entry_id=row.action_id,
        workflow_id=row.workflow_id,
    )


def _notice(row: Notification) -> TimelineEntry:
    kind = "failure" if row.category == NoticeCategory.FAILURE else "notification"
    body = stored_sentence(row.code, row.params, row.message)
    told = Sentence("{recipient} was notified", recipient=assignee(row.recipient_account_id, row.recipient_role))
    return TimelineEntry(row.created_at, None, told, body, kind, row.notification_id, row.workflow_id)
