"""The one order in which events, actions and notifications are listed, on pages and in JSON: that of the log.

An event's place is its ``log_seq``, an action's the ``log_seq`` after which it happened; their clocks do not count, since an
event says when another system saw something. A notification follows what it is about; what nothing brought about (a deadline
that nears, a failure) follows what was recorded before it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from lotus_web.domain.events.opening import OPENING
from lotus_web.domain.events.projection import target_workflow_id
from lotus_web.domain.items.actions import ACTIONS, ActionSpec, Hold
from lotus_web.domain.items.state import Origin
from lotus_web.domain.notifications import NoticeCategory
from lotus_web.models import EventLogEntry, Notification, WorkflowAction
from lotus_web.models.to_domain import logged_event


@dataclass(frozen=True, slots=True)
class EventEntry:
    """An event in its place."""

    row: EventLogEntry


@dataclass(frozen=True, slots=True)
class ActionEntry:
    """An action in its place."""

    row: WorkflowAction


@dataclass(frozen=True, slots=True)
class NoticeEntry:
    """A notification in its place."""

    row: Notification


TraceEntry = EventEntry | ActionEntry | NoticeEntry
# log_seq; 0 for the event and the action made from it, 1 for what people did after it; action_seq; notification_seq.
Place = tuple[int, int, int, int]


def _actions_that(do: Callable[[ActionSpec], bool]) -> frozenset[str]:
    return frozenset(action.value for action, spec in ACTIONS.items() if do(spec))


# What brings a notification about.
_KINDS: Mapping[str, frozenset[str]] = {
    NoticeCategory.ASSIGNMENT: OPENING | _actions_that(lambda spec: spec.hold is Hold.REASSIGN),
    NoticeCategory.ESCALATION: _actions_that(lambda spec: spec.hold is Hold.ESCALATE),
    NoticeCategory.APPROVAL: _actions_that(lambda spec: spec.approval is not None),
}


@dataclass(frozen=True, slots=True)
class _Cause:
    """What a notification may follow: its kind, its item, when it happened and when it was written."""

    place: Place
    kind: str
    workflow_id: str | None
    happened: datetime
    written: datetime
    entry: TraceEntry


def in_order(
    events: Sequence[EventLogEntry], actions: Iterable[WorkflowAction], notifications: Iterable[Notification]
) -> tuple[TraceEntry, ...]:
    """Return the rows of one trace in the order in which they came about, oldest first."""
    written = {event.log_seq: event.recorded_at for event in events}
    causes = sorted((*_events(events), *_actions(actions, written)), key=lambda one: one.place)
    placed: list[tuple[Place, TraceEntry]] = [(one.place, one.entry) for one in causes]
    found = _Causes(causes)
    placed += [(found.place_of(notice), NoticeEntry(notice)) for notice in notifications]
    return tuple(entry for _, entry in sorted(placed, key=lambda pair: pair[0]))


def _events(events: Iterable[EventLogEntry]) -> Iterator[_Cause]:
    for row in events:
        item = target_workflow_id(logged_event(row))
        yield _Cause((row.log_seq, 0, 0, 0), row.event_type, item, row.occurred_at, row.recorded_at, EventEntry(row))


def _actions(actions: Iterable[WorkflowAction], written: Mapping[int, datetime]) -> Iterator[_Cause]:
    for row in actions:
        manual = row.origin == Origin.MANUAL
        place = (row.after_log_seq, int(manual), row.action_seq, 0)
        at = row.occurred_at if manual else written.get(row.after_log_seq, row.occurred_at)
        yield _Cause(place, row.action_type, row.workflow_id, row.occurred_at, at, ActionEntry(row))


class _Causes:
    """Causes in the order of their places, found by what a notification knows of its own."""

    def __init__(self, causes: Sequence[_Cause]):
        self._exact: dict[tuple[str | None, str, datetime], Place] = {}
        for one in causes:
            self._exact.setdefault((one.workflow_id, one.kind, one.happened), one.place)
        by_time = sorted(causes, key=lambda one: one.written)
        self._written = [one.written for one in by_time]
        self._latest = list(accumulate((one.place for one in by_time), max))

    def place_of(self, notice: Notification) -> Place:
        """Return the place after what brought a notification about, else after all that was written before it."""
        kinds = _KINDS.get(notice.category, frozenset())
        keys = ((notice.workflow_id, kind, notice.created_at) for kind in kinds)
        cause = min((self._exact[key] for key in keys if key in self._exact), default=None)
        if cause is None:
            before = bisect_right(self._written, notice.created_at)
            cause = self._latest[before - 1] if before else (0, 0, 0, 0)
        log_seq, after, action_seq, _ = cause
        return log_seq, after, action_seq, notice.notification_seq
