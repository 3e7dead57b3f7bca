"""Late items go to somebody who can take it, whatever became of whom the settings name."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Role
from lotus_web.domain.items.actions import Action
from lotus_web.jobs import sla
from lotus_web.jobs.context import JobContext
from lotus_web.models import Notification, WorkflowAction, WorkflowItem
from lotus_web.services.accounts.people import disable_person
from lotus_web.store.session import db, transaction
from tests.support import people, runs
from tests.support.events import NOON, open_item, person
from tests.support.histories import assert_provable

pytestmark = pytest.mark.environ(LOTUS_ESCALATION_ASSIGNED_ACCOUNT_ID="max")
LATE = NOON + timedelta(hours=5)
INSTEAD = "Credit line of Amara Tan was escalated. max, named in the settings, cannot review items here."


def escalated(app: Flask, session: Session, trace_id: str) -> WorkflowItem:
    workflow_id = open_item(app, trace_id)
    assert sla.sweep(JobContext(app.extensions["lotus_settings"]), LATE)["escalated"] == 1
    found = session.get(WorkflowItem, ("default", workflow_id), populate_existing=True)
    assert found is not None
    return found


def told(workflow_id: str) -> list[tuple[str | None, str | None, str]]:
    rows = db.session.query(Notification).filter_by(category="escalation", workflow_id=workflow_id)
    return [(row.recipient_account_id, row.recipient_role, row.message) for row in rows]


def test_the_person_of_the_settings_gets_it_while_they_may_review(app: Flask, session: Session) -> None:
    people.hire(app, "max")
    item = escalated(app, session, "t")
    assert item.assigned_account_id == "max"
    assert "passed_over_account_id" not in item.details
    assert told(item.workflow_id) == [("max", None, "Credit line of Amara Tan was escalated.")]


@pytest.mark.parametrize("why", ["unknown", "disabled", "viewer", "elsewhere"])
def test_someone_who_cannot_take_it_is_passed_over_for_the_role(app: Flask, session: Session, why: str) -> None:
    if why != "unknown":
        role, tenant = Role.VIEWER if why == "viewer" else Role.MANAGER, "north" if why == "elsewhere" else "default"
        people.hire(app, "max", role, tenant=tenant)
    if why == "disabled":
        with app.app_context(), transaction() as store:
            disable_person(store, name="max", now=utcnow())
    item = escalated(app, session, "t")
    assert (item.status, item.assigned_account_id, item.assigned_role) == ("escalated", None, "manager")
    assert item.details["passed_over_account_id"] == "max"
    (action,) = db.session.query(WorkflowAction).filter_by(action_type="escalate")
    assert action.details["passed_over_account_id"] == "max"
    assert told(item.workflow_id) == [(None, "manager", INSTEAD)]
    assert_provable()


@pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")
def test_the_next_escalation_says_what_holds_then(app: Flask, session: Session) -> None:
    workflow_id, nora = runs.item(app, age=timedelta(hours=5)), person("nora", Role.REVIEWER)
    context = JobContext(app.extensions["lotus_settings"])
    assert sla.sweep(context, utcnow())["escalated"] == 1
    people.hire(app, "max")
    runs.act(app, workflow_id, Action.REJECT, by=nora, text="no")
    runs.act(app, workflow_id, Action.REQUEST_CHANGE, by=nora, text="not so fast")
    assert sla.sweep(context, utcnow() + timedelta(hours=5))["escalated"] == 1
    item = session.get(WorkflowItem, ("default", workflow_id), populate_existing=True)
    assert (item.assigned_account_id, item.details["escalation_count"]) == ("max", 2)
    assert "passed_over_account_id" not in item.details
    assert_provable()


def test_the_doctor_says_in_which_tenants_nobody_is_there(app: Flask) -> None:
    runner = app.test_cli_runner()
    told = runner.invoke(args=["doctor"])
    assert told.exit_code == 1
    assert "wrong escalation: max is unknown, disabled or without a role that reviews in default:" in told.stdout
    people.hire(app, "max")
    open_item(app, "t")
    assert "ok    escalation: Late items go to max." in runner.invoke(args=["doctor"]).stdout
    open_item(app, "u", tenant="north")
    assert "without a role that reviews in north: late items there go to any manager." in (
        runner.invoke(args=["doctor"]).stdout
    )


@pytest.mark.environ(LOTUS_ESCALATION_ASSIGNED_ACCOUNT_ID="")
@pytest.mark.stores("sqlite")
def test_without_a_person_the_doctor_names_the_role(app: Flask) -> None:
    assert "ok    escalation: Late items go to any manager." in app.test_cli_runner().invoke(args=["doctor"]).stdout
