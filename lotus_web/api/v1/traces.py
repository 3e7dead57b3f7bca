"""A trace: its summary and its timeline, events, actions and notifications in one order (workflow.md §6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lotus_web.api.endpoint.params import Answer, Stamp
from lotus_web.api.endpoint.routing import ApiBlueprint, Call, endpoint
from lotus_web.api.v1.envelope import NOT_FOUND, V1Envelope
from lotus_web.api.v1.item_answers import workflow_answers
from lotus_web.api.v1.schemas.items import WorkflowAnswer
from lotus_web.api.v1.schemas.traces import PosterAnswer
from lotus_web.domain.access import Permission
from lotus_web.domain.events.envelope import Poster
from lotus_web.queries.traces.ordering import ActionEntry, EventEntry, NoticeEntry, TraceEntry
from lotus_web.queries.traces.summary import trace_detail
from lotus_web.services.events.log import poster_of
from lotus_web.store.session import db

routes = ApiBlueprint("traces", __name__, envelope=V1Envelope())


class TraceSummaryAnswer(Answer):
    """A trace at a glance; ``outcome`` is ``active`` until it is finished.

    The trace of a run of this deployment is ``settled`` while no item of it is open.
    """

    trace_id: str
    title: str
    workflow: str
    primary_entity: dict[str, Any]
    outcome: str
    started_at: Stamp
    last_event_at: Stamp
    event_count: int
    policy: dict[str, Any] | None
    workflows: list[WorkflowAnswer]


class TimelineEntryAnswer(Answer):
    """One thing that happened; ``kind`` is ``event``, ``action`` or ``notification``, ``type`` its type or category.

    ``posted_by`` is who fed an event of another system.
    """

    kind: str
    type: str
    id: str
    at: Stamp
    actor_id: str | None
    workflow_id: str | None
    trace_seq: int | None
    text: str | None
    payload: dict[str, Any]
    posted_by: PosterAnswer | None


class TraceAnswer(Answer):
    """A trace; ``truncated`` says that the timeline holds the first 500 of a kind only."""

    summary: TraceSummaryAnswer
    timeline: list[TimelineEntryAnswer]
    truncated: bool


@routes.get("/traces/<ident:trace_id>")
@endpoint(
    "Return a trace with its timeline", permission=Permission.RUNS_READ, response=TraceAnswer, refuses=(NOT_FOUND,)
)
def get_trace(call: Call, trace_id: str) -> TraceAnswer:
    """Return a trace, oldest first, in the order of the log."""
    detail = trace_detail(db.session(), call.actor.tenant_id, trace_id)
    trace = detail.summary
    summary = TraceSummaryAnswer(
        trace_id=trace.trace_id,
        title=trace.title,
        workflow=trace.workflow,
        primary_entity=dict(trace.primary_entity),
        outcome=trace.outcome,
        started_at=trace.started_at,
        last_event_at=trace.last_event_at,
        event_count=trace.event_count,
        policy=dict(trace.policy) if trace.policy else None,
        workflows=workflow_answers(trace.items, call.now),
    )
    posters = {one.event_id: poster_of(one.posted_by, one.posted_with) for one in detail.events}
    timeline = [_entry(row, posters) for row in detail.in_order]
    return TraceAnswer(summary=summary, timeline=timeline, truncated=detail.cut)


def _entry(entry: TraceEntry, posters: Mapping[str, Poster | None]) -> TimelineEntryAnswer:
    match entry:
        case EventEntry():
            return _event_entry(entry)
        case ActionEntry():
            return _action_entry(entry, posters)
        case NoticeEntry():
            return _notification_entry(entry)


def _event_entry(entry: EventEntry) -> TimelineEntryAnswer:
    event = entry.row
    return TimelineEntryAnswer(
        kind="event",
        type=event.event_type,
        id=event.event_id,
        at=event.occurred_at,
        actor_id=event.actor.get("actor_id"),
        workflow_id=None,
        trace_seq=event.trace_seq,
        text=None,
        payload=event.payload,
        posted_by=PosterAnswer.of(poster_of(event.posted_by, event.posted_with)),
    )


def _action_entry(entry: ActionEntry, posters: Mapping[str, Poster | None]) -> TimelineEntryAnswer:
    action = entry.row
    poster = posters.get(action.source_event_id or "")
    if poster is None and action.on_behalf_of is not None:
        poster = Poster(action.actor_id)
    return TimelineEntryAnswer(
        kind="action",
        type=action.action_type,
        id=action.action_id,
        at=action.occurred_at,
        actor_id=action.on_behalf_of or action.actor_id,
        workflow_id=action.workflow_id,
        trace_seq=None,
        text=action.text,
        payload={
            "from_status": action.from_status,
            "to_status": action.to_status,
            "reason_code": action.reason_code,
        },
        posted_by=PosterAnswer.of(poster),
    )


def _notification_entry(entry: NoticeEntry) -> TimelineEntryAnswer:
    notice = entry.row
    return TimelineEntryAnswer(
        kind="notification",
        type=notice.category,
        id=notice.notification_id,
        at=notice.created_at,
        actor_id=None,
        workflow_id=notice.workflow_id,
        trace_seq=None,
        text=notice.message,
        payload={"recipient": notice.recipient_account_id or notice.recipient_role},
        posted_by=None,
    )
