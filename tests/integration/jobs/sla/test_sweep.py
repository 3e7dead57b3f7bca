"""The sweep: warns and escalates what is due and nothing else, each item by itself, and stops between two."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Role
from lotus_web.domain.errors import Conflict
from lotus_web.domain.items.actions import Action
from lotus_web.jobs import claims, sla
from lotus_web.jobs.batches import work_through
from lotus_web.jobs.context import JobContext
from lotus_web.models import Notification, WorkflowAction, WorkflowItem
from lotus_web.services import sla as deadlines
from lotus_web.services.events.item_rows import ItemKey
from lotus_web.services.jobs.leases import Leadership
from lotus_web.store.session import db
from tests.contract.rows import add_items
from tests.support import runs
from tests.support.events import NOON, open_item, open_items, person

HOURS = timedelta(hours=1)
NORA = person("nora", Role.REVIEWER)


def context(app: Flask) -> JobContext:
    return JobContext(app.extensions["lotus_settings"])


def told(category: str) -> list[str]:
    rows = db.session.query(Notification).filter_by(category=category).order_by(Notification.notification_seq)
    return [row.dedupe_key for row in rows]


def escalations() -> list[str]:
    rows = db.session.query(WorkflowAction).filter_by(action_type="escalate").order_by(WorkflowAction.action_seq)
    return [row.workflow_id for row in rows]


@contextmanager
def statements(app: Flask) -> Iterator[list[tuple[str, Any]]]:
    sent: list[tuple[str, Any]] = []

    def note(_conn: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        sent.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_an_item_is_warned_about_once_and_escalated_once(app: Flask, session: Session) -> None:
    workflow_id = open_item(app, "t", at=NOON)
    job = context(app)
    assert sla.sweep(job, NOON + 3 * HOURS) == {"escalated": 0, "warned": 0, "failed": 0}
    assert sla.sweep(job, NOON + 3.6 * HOURS) == {"escalated": 0, "warned": 1, "failed": 0}
    assert sla.sweep(job, NOON + 3.7 * HOURS) == {"escalated": 0, "warned": 0, "failed": 0}
    assert sla.sweep(job, NOON + 5 * HOURS) == {"escalated": 1, "warned": 0, "failed": 0}
    assert sla.sweep(job, NOON + 6 * HOURS) == {"escalated": 0, "warned": 0, "failed": 0}
    assert told("deadline_risk") == [f"deadline_risk:{workflow_id}:2026-11-03T16:00:00.000000+00:00"]
    assert told("escalation") == [f"escalation:{workflow_id}:1"]
    item = session.get(WorkflowItem, ("default", workflow_id), populate_existing=True)
    assert (item.status, item.assigned_role, item.last_actor_id) == ("escalated", "manager", "workflow-sla")
    assert item.details["previous_assignment"] == {"account_id": None, "role": "reviewer"}
    assert item.details["escalation_count"] == 1


def test_one_sweep_escalates_a_hundred_and_tells_of_each_once(app: Flask, session: Session) -> None:
    """Whatever is due is done in the sweep that finds it due, so within two intervals of becoming due at the latest."""
    late = open_items(app, [f"t{number:03d}" for number in range(100)], at=NOON)
    job = context(app)
    assert sla.sweep(job, NOON + 5 * HOURS) == {"escalated": 100, "warned": 0, "failed": 0}
    assert sorted(escalations()) == late
    assert sorted(told("escalation")) == [f"escalation:{one}:1" for one in late]
    assert sla.sweep(job, NOON + 5 * HOURS) == {"escalated": 0, "warned": 0, "failed": 0}


def test_what_was_escalated_and_returned_for_changes_stays_with_who_returned_it(app: Flask, session: Session) -> None:
    workflow_id = open_item(app, "t", at=NOON)
    job, max_ = context(app), person("max", Role.MANAGER)
    assert sla.sweep(job, NOON + 5 * HOURS)["escalated"] == 1
    runs.act(app, workflow_id, Action.CLAIM, by=max_)
    runs.act(app, workflow_id, Action.REQUEST_CHANGE, by=max_, text="Price it again.")
    assert sla.sweep(job, NOON + 6 * HOURS) == {"escalated": 0, "warned": 0, "failed": 0}
    item = session.get(WorkflowItem, ("default", workflow_id), populate_existing=True)
    assert (item.status, item.last_actor_id) == ("changes_requested", "max")
    assert told("escalation") == [f"escalation:{workflow_id}:1"]


def test_a_reopened_item_has_a_new_clock(app: Flask, session: Session) -> None:
    workflow_id = runs.item(app, age=5 * HOURS)
    runs.act(app, workflow_id, Action.APPROVE, by=NORA, text="fine")
    runs.act(app, workflow_id, Action.REQUEST_CHANGE, by=NORA, text="not so fast")
    job = context(app)
    now = utcnow()
    assert sla.sweep(job, now + HOURS) == {"escalated": 0, "warned": 0, "failed": 0}
    assert sla.sweep(job, now + 3.6 * HOURS)["warned"] == 1
    assert sla.sweep(job, now + 4.1 * HOURS)["escalated"] == 1
    item = session.get(WorkflowItem, ("default", workflow_id), populate_existing=True)
    assert item.details["sla"]["source"] == "reopened"


def test_the_sweep_touches_only_what_is_due(app: Flask, session: Session) -> None:
    add_items(app, 20_000, start=NOON + timedelta(days=30))
    late = open_items(app, [f"late-{number}" for number in range(10)], at=NOON)
    session.rollback()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    with statements(app) as sent:
        assert sla.sweep(context(app), NOON + 5 * HOURS) == {"escalated": 10, "warned": 0, "failed": 0}
    assert sorted(escalations()) == sorted(late)
    writes = [str(parameters) for statement, parameters in sent if statement.startswith("UPDATE dg_workflow_items")]
    assert {one for one in late for written in writes if one in written} == set(late)
    assert all(any(one in written for one in late) for written in writes)
    searches = {
        statement: parameters
        for statement, parameters in sent
        if "FROM dg_workflow_items" in statement and "ORDER BY" in statement
    }
    assert len(searches) == 2
    for statement, parameters in searches.items():
        plan = explained(statement, parameters)
        assert "ix_dg_workflow_items_to_" in plan, plan
        assert "SCAN dg_workflow_items" not in plan
        assert "Seq Scan" not in plan


def explained(statement: str, parameters: Any) -> str:
    verb = "EXPLAIN " if db.engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    with db.engine.connect() as connection:
        rows = connection.exec_driver_sql(verb + statement, parameters).all()
    return "\n".join(str(row[-1]) for row in rows)


def test_a_row_that_fails_is_pushed_back_and_holds_up_nothing(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison, *healthy = open_items(app, ["a", "b", "c"], at=NOON)
    whole = deadlines.apply_action

    def fail_on_one(session: Session, workflow_id: str, *args: Any, **named: Any) -> Any:
        if workflow_id == poison:
            raise ValueError("cannot be read")
        return whole(session, workflow_id, *args, **named)

    monkeypatch.setattr(deadlines, "apply_action", fail_on_one)
    now = NOON + 5 * HOURS
    assert sla.sweep(context(app), now) == {"escalated": 2, "warned": 0, "failed": 1}
    assert escalations() == healthy
    assert sla.sweep(context(app), now + timedelta(minutes=14))["failed"] == 0
    monkeypatch.undo()
    assert sla.sweep(context(app), now + timedelta(minutes=16))["escalated"] == 1


def test_a_stop_finishes_the_unit_at_hand_and_begins_no_other(app: Flask, session: Session) -> None:
    open_items(app, ["a", "b", "c", "d"], at=NOON)
    job = context(app)
    now = NOON + 5 * HOURS

    def act(session: Session, key: ItemKey) -> bool:
        job.stop.set()
        return deadlines.escalate(session, key, now=now, policy=runs.GATED)

    done = work_through(job, now, lambda session: deadlines.to_escalate(session, now=now, limit=10), act)
    assert done == (1, 0)
    assert escalations() == ["a:exception:ex"]


def test_a_process_that_lost_the_lease_writes_nothing(app: Flask, session: Session) -> None:
    open_item(app, "t", at=NOON)
    stale = JobContext(app.extensions["lotus_settings"], Leadership("gone", 1))
    with pytest.raises(Conflict, match="Another process"):
        sla.sweep(stale, NOON + 5 * HOURS)
    assert escalations() == []


def test_claims_that_ran_out_are_released_by_the_job(app: Flask, session: Session) -> None:
    workflow_id = open_item(app, "t", at=utcnow())
    runs.act(app, workflow_id, Action.CLAIM, by=NORA)
    job = context(app)
    assert claims.release(job, utcnow() + timedelta(minutes=29)) == {"released": 0, "failed": 0}
    assert claims.release(job, utcnow() + timedelta(minutes=31)) == {"released": 1, "failed": 0}
    assert claims.release(job, utcnow() + timedelta(minutes=31)) == {"released": 0, "failed": 0}


def test_a_tick_says_what_was_done(app: Flask) -> None:
    open_items(app, ["a", "b"], at=utcnow() - 5 * HOURS)
    done = app.test_cli_runner().invoke(args=["jobs", "tick", "--job", "sla"])
    assert json.loads(done.stdout) == {"sla": {"escalated": 2, "warned": 0, "failed": 0}}
    whole = app.test_cli_runner().invoke(args=["jobs", "tick"])
    assert set(json.loads(whole.stdout)) >= {"sla", "claims", "retention", "housekeeping"}
