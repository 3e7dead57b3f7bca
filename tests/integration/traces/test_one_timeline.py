"""What happened is told in the order of the log, the same on the page of a trace, on the page of its item and in JSON."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Flask

from lotus_web.domain import notifications
from lotus_web.domain.access import Permission
from lotus_web.domain.events.envelope import EventType
from lotus_web.domain.items.actions import Action
from lotus_web.models import WorkflowItem
from lotus_web.models.to_domain import item_state
from lotus_web.queries.traces.summary import trace_detail
from lotus_web.queries.traces.timeline import item_timeline, trace_timeline
from lotus_web.services.events.item_rows import store_notices
from lotus_web.store.session import db, transaction
from tests.contract.callers import Caller, bearer_of
from tests.support.histories import MARA, NOW, STARTED, act, append, event, requested

ITEM = "trace-1:exception:ex-1"


def minute(number: int) -> datetime:
    return NOW + timedelta(minutes=number)


def happen() -> None:
    """Let clocks of other systems run hours behind and before ours while people work."""
    hours = timedelta(hours=1)
    read = {"input_id": "late-input", "source": {"system": "s", "object_type": "o", "object_id": "i"}, "facts": {}}
    with transaction() as session:
        append(session, event(EventType.TRACE_STARTED, STARTED, occurred_at=NOW + 5 * hours))
        append(session, event(EventType.EXCEPTION_REQUESTED, requested(), occurred_at=NOW - hours))
        act(session, ITEM, Action.CLAIM, now=minute(1))
        act(session, ITEM, Action.REASSIGN, actor=MARA, now=minute(2))
        item = session.get(WorkflowItem, ("default", ITEM))
        assert item is not None
        (risk,) = notifications.deadline_risk(item_state(item), minute(3))
        store_notices(session, [risk])
        act(session, ITEM, Action.COMMENT, now=minute(4))
        append(session, event(EventType.INPUT_OBSERVED, read, occurred_at=NOW - 9 * hours), minute(5))
        act(session, ITEM, Action.ESCALATE, now=minute(6))
        act(session, ITEM, Action.APPROVE, actor=MARA, now=minute(7))
        act(session, ITEM, Action.COMMENT, now=minute(8))


TOLD = [
    ("event", "TraceStarted"),
    ("event", "ExceptionRequested"),
    ("notification", "assignment"),
    ("action", "claim"),
    ("action", "reassign"),
    ("notification", "assignment"),
    ("notification", "deadline_risk"),
    ("action", "comment"),
    ("event", "InputObserved"),
    ("action", "escalate"),
    ("notification", "escalation"),
    ("event", "ApprovalRecorded"),
    ("action", "approve"),
    ("notification", "approval"),
    ("action", "comment"),
]


def test_a_trace_is_told_in_the_order_of_the_log_everywhere(app: Flask) -> None:
    with app.app_context():
        happen()
    caller = Caller(app.test_client(), "rob", bearer_of(app, "rob", [Permission.RUNS_READ], "default"))
    timeline = caller.get("/traces/trace-1").json["data"]["timeline"]
    assert [(one["kind"], one["type"]) for one in timeline] == TOLD
    # The pages tell an approval once, as the action.
    wanted = [one["id"] for one in timeline if one["type"] != "ApprovalRecorded"]
    with app.app_context():
        of_trace = trace_timeline(trace_detail(db.session(), "default", "trace-1"))
        of_item = item_timeline(db.session(), "default", trace_id="trace-1", workflow_id=ITEM).entries
    assert [entry.entry_id for entry in of_trace] == wanted
    assert [entry.entry_id for entry in reversed(of_item)] == wanted
