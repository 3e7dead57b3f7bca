"""The fold over a whole trace again: its events and the actions of people, in the order in which they happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lotus_web.domain.events.envelope import EventType
from lotus_web.domain.events.projection import Effect, fold_action, fold_event, target_workflow_id
from lotus_web.domain.items.state import ActionRecord, ItemState, LoggedEvent, TraceContext
from lotus_web.domain.notifications import Notice


@dataclass(slots=True)
class RebuildResult:
    """What a trace's history gives: its items, the actions recorded by its events, the notices, and what does not fit."""

    items: dict[str, ItemState] = field(default_factory=dict)
    actions: dict[str, ActionRecord] = field(default_factory=dict)
    notices: dict[str, Notice] = field(default_factory=dict)
    inconsistencies: list[str] = field(default_factory=list)

    def keep(self, effect: Effect) -> None:
        """Add what one event or action did."""
        self.items[effect.item.workflow_id] = effect.item
        if effect.action is not None:
            self.actions[effect.action.action_id] = effect.action
        for notice in effect.notices:
            self.notices.setdefault(notice.dedupe_key, notice)


def rebuild_trace(events: Iterable[LoggedEvent], manual: Iterable[ActionRecord]) -> RebuildResult:
    """Fold one trace: ``events`` by ``log_seq``, ``manual`` actions by (``after_log_seq``, ``action_seq``).

    An action belongs after the event that was the head of the log when it happened, and before the next.
    """
    waiting = list(manual)
    done = RebuildResult()
    trace: TraceContext | None = None
    openers: dict[str, str] = {}
    for event in events:
        while waiting and waiting[0].after_log_seq < event.log_seq:
            _act(done, waiting.pop(0))
        if event.event_type == EventType.TRACE_STARTED:
            trace = TraceContext.from_payload(event.payload)
        workflow_id = target_workflow_id(event)
        if workflow_id is None or trace is None:
            continue
        effect = fold_event(done.items.get(workflow_id), event, trace, opened_by=openers.get(workflow_id))
        if effect is not None:
            openers.setdefault(workflow_id, event.producer_id)
            done.keep(effect)
    for record in waiting:
        _act(done, record)
    return done


def _act(done: RebuildResult, record: ActionRecord) -> None:
    item = done.items.get(record.workflow_id)
    if item is None:
        done.inconsistencies.append(f"action {record.action_id}: its item {record.workflow_id} was never opened")
        return
    if item.status is not record.from_status:
        done.inconsistencies.append(
            f"action {record.action_id}: it starts from {record.from_status}, but its item was {item.status}"
        )
    done.keep(fold_action(item, record))
