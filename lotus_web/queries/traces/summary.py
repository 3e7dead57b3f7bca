"""A trace: its summary and everything that happened in it in one order (workflow.md §6), and the traces that moved last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.errors import NotFound
from lotus_web.domain.events.envelope import OWN_PRODUCER, EventType
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.subjects import EXCEPTIONS
from lotus_web.models import EventLogEntry, Notification, WorkflowAction, WorkflowItem
from lotus_web.models.events.log import OF_TRACES
from lotus_web.models.to_domain import item_state
from lotus_web.queries.traces.ordering import TraceEntry, in_order

MOST_ROWS = 500
ACTIVE, SETTLED = "active", "settled"
# One trace may have many events a day; the list of recent traces reads this many of the newest events.
RECENT_REACH = 400


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """A trace at a glance; ``outcome`` is ``active`` until it is finished. Its status is read from its newest ``MOST_ROWS`` events.

    Nothing finishes the trace of a run of this deployment, so that one is ``settled`` while no item of it is open.
    """

    trace_id: str
    title: str
    workflow: str
    primary_entity: Mapping[str, Any]
    outcome: str
    started_at: datetime
    last_event_at: datetime
    event_count: int
    exception_requested: bool
    policy: Mapping[str, Any] | None
    items: tuple[ItemState, ...]


@dataclass(frozen=True, slots=True)
class TraceDetail:
    """A trace with its rows, oldest first, at most ``MOST_ROWS`` of each kind; ``cut`` says that there are more."""

    summary: TraceSummary
    events: tuple[EventLogEntry, ...]
    actions: tuple[WorkflowAction, ...]
    notifications: tuple[Notification, ...]
    cut: bool

    @property
    def in_order(self) -> tuple[TraceEntry, ...]:
        """All of it in one order."""
        return in_order(self.events, self.actions, self.notifications)


def trace_summary(session: Session, tenant_id: str, trace_id: str) -> TraceSummary:
    """Return what a trace is about and its status; raises NotFound. Four queries of bounded cost, whatever its length.

    Its events are numbered without a gap, so the number of the last says how many there are.
    """
    of_trace = (EventLogEntry.tenant_id == tenant_id, EventLogEntry.trace_id == trace_id)
    started = session.scalars(select(EventLogEntry).where(*of_trace, EventLogEntry.trace_seq == 0)).one_or_none()
    if started is None:
        raise NotFound("not_found", "There is no such trace.")
    places = select(_SEQ, EventLogEntry.occurred_at).where(*of_trace).order_by(_SEQ.desc())
    last = session.execute(places.limit(1)).one()
    payload = started.payload
    telling = {
        row.event_type: row
        for row in session.scalars(
            select(EventLogEntry)
            .where(
                *of_trace, EventLogEntry.trace_seq > last.trace_seq - MOST_ROWS, EventLogEntry.event_type.in_(_TELLING)
            )
            .order_by(_SEQ)
        )
    }
    items = session.scalars(
        select(WorkflowItem)
        .where(WorkflowItem.tenant_id == tenant_id, WorkflowItem.trace_id == trace_id)
        .order_by(WorkflowItem.workflow_id)
        .limit(MOST_ROWS)
    )
    states = tuple(item_state(row) for row in items)
    finished = telling.get(EventType.TRACE_FINISHED.value)
    evaluated = telling.get(EventType.POLICY_EVALUATED.value)
    return TraceSummary(
        trace_id=trace_id,
        title=payload["title"],
        workflow=payload["workflow"],
        primary_entity=payload["primary_entity"],
        outcome=finished.payload["outcome"] if finished else _unfinished(started, states),
        started_at=started.occurred_at,
        last_event_at=last.occurred_at,
        event_count=last.trace_seq + 1,
        exception_requested=EventType.EXCEPTION_REQUESTED.value in telling or _asked(states),
        policy=_policy(evaluated or telling.get(EventType.EXCEPTION_REQUESTED.value)),
        items=states,
    )


_SEQ = EventLogEntry.trace_seq
_TELLING = (
    EventType.POLICY_EVALUATED.value,
    EventType.EXCEPTION_REQUESTED.value,
    EventType.TRACE_FINISHED.value,
)


def _asked(items: Sequence[ItemState]) -> bool:
    return any(item.subject in EXCEPTIONS for item in items)


def _unfinished(started: EventLogEntry, items: Sequence[ItemState]) -> str:
    own = started.producer_id == OWN_PRODUCER
    return SETTLED if own and not any(item.is_open for item in items) else ACTIVE


def _policy(entry: EventLogEntry | None) -> Mapping[str, Any] | None:
    if entry is None:
        return None
    return {**entry.payload["policy"], "decision": entry.payload.get("decision")}


def trace_detail(session: Session, tenant_id: str, trace_id: str) -> TraceDetail:
    """Return a trace with everything that happened in it; raises NotFound. Seven queries."""
    summary = trace_summary(session, tenant_id, trace_id)
    events = _rows(session, EventLogEntry, tenant_id, EventLogEntry.trace_id == trace_id, "trace_seq")
    actions = _rows(session, WorkflowAction, tenant_id, WorkflowAction.trace_id == trace_id, "action_seq")
    ids = [item.workflow_id for item in summary.items]
    notices = _rows(session, Notification, tenant_id, Notification.workflow_id.in_(ids), "notification_seq")
    cut = any(len(rows) > MOST_ROWS for rows in (events, actions, notices))
    return TraceDetail(summary, tuple(events[:MOST_ROWS]), tuple(actions[:MOST_ROWS]), tuple(notices[:MOST_ROWS]), cut)


def _rows(session: Session, model: Any, tenant_id: str, which: Any, order: str) -> Sequence[Any]:
    query = select(model).where(model.tenant_id == tenant_id, which).order_by(getattr(model, order))
    return session.scalars(query.limit(MOST_ROWS + 1)).all()


@dataclass(frozen=True, slots=True)
class RecentTrace:
    """A trace as its first event names it, and the time of its last event."""

    trace_id: str
    title: str
    workflow: str
    started_by: str
    last_event_at: datetime


def recent_traces(session: Session, tenant_id: str, *, limit: int) -> tuple[RecentTrace, ...]:
    """Return the traces with the newest events, the newest first; two queries."""
    own = EventLogEntry.tenant_id == tenant_id
    newest = (
        select(EventLogEntry.trace_id, EventLogEntry.occurred_at)
        .where(own, OF_TRACES)
        .order_by(EventLogEntry.log_seq.desc())  # not by a clock, which may be set back
        .limit(RECENT_REACH)
    )
    seen: dict[str, datetime] = {}
    for trace_id, at in session.execute(newest):
        seen.setdefault(trace_id, at)
    newest_ids = list(seen)[:limit]
    first = select(EventLogEntry).where(own, EventLogEntry.trace_seq == 0, EventLogEntry.trace_id.in_(newest_ids))
    started = {row.trace_id: row for row in session.scalars(first)}
    return tuple(_recent(started[trace_id], seen[trace_id]) for trace_id in newest_ids if trace_id in started)


def _recent(row: EventLogEntry, last_event_at: datetime) -> RecentTrace:
    return RecentTrace(
        row.trace_id, row.payload["title"], row.payload["workflow"], row.actor["actor_id"], last_event_at
    )
