"""The rebuild gives back what was lost or changed, and its check names it; what was right stays as it is (workflow.md §1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from lotus_web.domain.decisions.gate import GateAction
from lotus_web.domain.events.envelope import EventType
from lotus_web.domain.items.actions import Action
from lotus_web.domain.sla.deadlines import WorkflowDefaults
from lotus_web.models import Notification, WorkflowAction, WorkflowItem
from lotus_web.models.to_domain import action_record, item_state
from lotus_web.services.events import rebuild
from lotus_web.services.events.log import append_event
from lotus_web.store.session import db, transaction
from tests.support.histories import (
    ADA,
    FEED,
    MARA,
    NOW,
    STARTED,
    act,
    append,
    approved,
    assert_provable,
    count,
    decide,
    differences,
    event,
    record,
    requested,
    review_requested,
    unguarded,
    workflow_id,
)


def fill(app: Flask) -> None:
    """Write runs and foreign items in several states and of two tenants."""
    with app.app_context():
        with transaction() as session:
            for number in range(1, 6):
                record(session, number, correlation_id="batch" if number > 3 else None)
            record(session, 7, actor=replace(FEED, tenant_id="elsewhere"))
            append(session, event(EventType.TRACE_STARTED, STARTED))
            append(session, event(EventType.EXCEPTION_REQUESTED, requested()))
            append(session, event(EventType.WORKFLOW_REVIEW_REQUESTED, review_requested()))
        with transaction() as session:
            decide(session, 1, GateAction.APPROVE)
            decide(session, 1, GateAction.REQUEST_CHANGES)
            for action in (Action.CLAIM, Action.ESCALATE, Action.COMMENT, Action.OVERRIDE):
                act(session, workflow_id(2), action, actor=ADA)
            act(session, workflow_id(3), Action.REASSIGN, actor=MARA)
            append(session, event(EventType.APPROVAL_RECORDED, approved("exception", "ex-1")))


pytestmark = pytest.mark.filled(by=fill)


@pytest.fixture
def inbox(app: Flask) -> Iterator[Flask]:
    """An inbox with runs and foreign items in several states and two tenants."""
    with app.app_context():
        yield app


def snapshot() -> tuple[Any, ...]:
    """Return items, event actions and notices as values, whatever their row numbers."""
    db.session.rollback()
    items = [item_state(row) for row in db.session.scalars(db.select(WorkflowItem))]
    actions = [action_record(row) for row in db.session.scalars(db.select(WorkflowAction))]
    told = [(row.tenant_id, row.dedupe_key, row.message) for row in db.session.scalars(db.select(Notification))]
    db.session.rollback()
    return sorted(items, key=repr), sorted(actions, key=repr), sorted(told)


def rebuilt(app: Flask, *options: str) -> Any:
    db.session.rollback()
    return app.test_cli_runner().invoke(args=["workflow", "rebuild", *options])


@pytest.mark.filled(by=None)
@pytest.mark.parametrize(
    ("kind", "hours", "setting"),
    [
        ("incident_review", 5, "LOTUS_INCIDENT_REVIEW_SLA_HOURS"),
        ("exception_review", 7, "LOTUS_EXCEPTION_REVIEW_SLA_HOURS"),
        ("proposal_review", 6, "LOTUS_PROPOSAL_REVIEW_SLA_HOURS"),
    ],
)
def test_hours_that_a_request_leaves_open_are_those_of_its_day_for_good(
    app: Flask, kind: str, hours: int, setting: str
) -> None:
    that_day = WorkflowDefaults(exception_review_sla_hours=7, incident_review_sla_hours=5, proposal_review_sla_hours=6)
    asked = event(EventType.WORKFLOW_REVIEW_REQUESTED, review_requested(sla_hours=None, workflow_kind=kind))
    with app.app_context():
        with transaction() as session:
            append(session, event(EventType.TRACE_STARTED, STARTED))
            append_event(session, asked, defaults=that_day, now=NOW)
        (items, _, _) = before = snapshot()
        assert items[0].sla_due_at == NOW + timedelta(hours=hours)
        assert (items[0].metadata["sla"]["hours"], items[0].metadata["sla"]["source"]) == (hours, setting)
        assert rebuilt(app, "--check").exit_code == 0
        with unguarded("dg_workflow_items") as session:
            session.execute(text("UPDATE dg_workflow_items SET sla_due_at = updated_at"))
        assert (rebuilt(app).exit_code, snapshot()) == (0, before)


def test_a_rebuild_of_a_sound_inbox_changes_nothing(inbox: Flask) -> None:
    before = snapshot()
    done = rebuilt(inbox)
    assert (done.exit_code, snapshot()) == (0, before)
    assert "default: 7 items, 0 were repaired or reported" in done.output
    assert rebuilt(inbox, "--check").exit_code == 0


def test_items_that_were_lost_come_back_as_they_were(inbox: Flask) -> None:
    before = snapshot()
    with transaction() as session:
        session.execute(text("DELETE FROM dg_workflow_items"))
    check = rebuilt(inbox, "--check")
    assert check.exit_code == 1
    assert f"default: item {workflow_id(1)}: it is missing" in check.output
    assert rebuilt(inbox).exit_code == 0
    assert snapshot() == before
    assert_provable()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("priority_rank", 0),
        ("title", "edited"),
        ("version", 99),
        ("metadata", "{}"),
        ("sla_due_at", "2001-01-01 00:00:00.000000"),
    ],
)
def test_an_edited_item_is_named_and_mended(inbox: Flask, column: str, value: object) -> None:
    before = snapshot()
    with transaction() as session:
        session.execute(
            text(f"UPDATE dg_workflow_items SET {column} = :value WHERE trace_id = 'corr-3'"), {"value": value}
        )
    check = rebuilt(inbox, "--check")
    assert check.exit_code == 1
    assert f"item {workflow_id(3)}: " in check.output
    rebuilt(inbox)
    assert snapshot() == before


def test_an_item_that_no_event_opened_is_taken_out(inbox: Flask) -> None:
    before = snapshot()
    with transaction() as session:
        row = session.get_one(WorkflowItem, ("default", workflow_id(1)))
        values = {column.key: getattr(row, column.key) for column in WorkflowItem.__mapper__.column_attrs}
        session.add(WorkflowItem(**{**values, "workflow_id": "forged", "trace_id": "zzz"}))
    assert "item forged: no event opened it" in rebuilt(inbox, "--check").output
    rebuilt(inbox)
    assert snapshot() == before


@pytest.mark.parametrize("table", ["dg_workflow_actions", "dg_workflow_notifications"])
def test_event_actions_and_notices_that_were_lost_are_added(inbox: Flask, table: str) -> None:
    before = snapshot()
    lost = (
        "origin = 'event'" if table == "dg_workflow_actions" else "category IN ('assignment', 'approval', 'escalation')"
    )
    with unguarded(table) as session:
        session.execute(text(f"DELETE FROM {table} WHERE {lost}"))
    assert rebuilt(inbox, "--check").exit_code == 1
    rebuilt(inbox)
    assert snapshot() == before
    assert differences() == []


def test_what_is_append_only_is_named_but_not_changed(inbox: Flask) -> None:
    with unguarded("dg_workflow_actions") as session:
        session.execute(text("UPDATE dg_workflow_actions SET text = 'edited' WHERE origin = 'event'"))
    done = rebuilt(inbox)
    assert "text differ from its history, and it cannot be changed" in done.output
    assert count("dg_workflow_actions", "text = 'edited'") > 0


def test_a_lost_manual_action_shows_in_its_item(inbox: Flask) -> None:
    with unguarded("dg_workflow_actions") as session:
        session.execute(text("DELETE FROM dg_workflow_actions WHERE action_type = 'claim'"))
    assert any(workflow_id(2) in difference for difference in differences())


def test_one_tenant_can_be_looked_at_alone(inbox: Flask) -> None:
    with transaction() as session:
        session.execute(text("DELETE FROM dg_workflow_items WHERE tenant_id = 'elsewhere'"))
    assert rebuilt(inbox, "--check", "--tenant", "default").exit_code == 0
    assert rebuilt(inbox, "--check", "--tenant", "elsewhere").exit_code == 1


def test_traces_are_folded_a_bounded_number_at_a_time(inbox: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild, "TRACES_A_BATCH", 1)
    assert differences() == []
    before = snapshot()
    with transaction() as session:
        session.execute(text("DELETE FROM dg_workflow_items"))
    rebuilt(inbox)
    assert snapshot() == before


def test_items_of_traces_that_the_log_does_not_know_are_found_wherever_they_sort(
    inbox: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "TRACES_A_BATCH", 2)
    with transaction() as session:
        row = session.get_one(WorkflowItem, ("default", workflow_id(1)))
        values = {column.key: getattr(row, column.key) for column in WorkflowItem.__mapper__.column_attrs}
        for trace in ("!", "corr-2a", "~"):
            session.add(WorkflowItem(**{**values, "workflow_id": trace, "trace_id": trace}))
    assert len(differences()) == 3


def test_notices_of_versions_without_codes_are_no_difference(inbox: Flask) -> None:
    with unguarded("dg_workflow_notifications") as own:
        own.execute(text("UPDATE dg_workflow_notifications SET code = NULL, params = NULL"))
    assert differences() == []


def test_a_notice_with_other_values_than_its_history_is_named(inbox: Flask) -> None:
    with unguarded("dg_workflow_notifications") as own:
        own.execute(text("UPDATE dg_workflow_notifications SET params = '{}'"))
    assert all("params differ from its history" in one for one in differences())
    assert differences()
