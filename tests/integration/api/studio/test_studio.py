"""The studio's routes: templates, a dry run that writes nothing, a start that happens once."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Permission, Role
from lotus_web.domain.events.envelope import EventType
from lotus_web.domain.items.actions import Action
from lotus_web.services.events.log import append_event
from lotus_web.store.session import db, transaction
from tests.contract.callers import Caller
from tests.integration.api.conftest import MakeCaller
from tests.support import runs
from tests.support.events import POLICY, draft, open_item, person, trace_started

NORA = person("nora", Role.REVIEWER)


def open_trace(app: Flask, trace_id: str, outcome: str | None = None) -> None:
    """Append a trace without an exception, finished with an outcome if one is given."""
    with app.app_context(), transaction() as session:
        for event_type, payload in (
            (EventType.TRACE_STARTED, trace_started()),
            *([(EventType.TRACE_FINISHED, {"outcome": outcome})] if outcome else []),
        ):
            event = draft(trace_id, event_type, payload, at=utcnow())
            append_event(session, event, defaults=POLICY.defaults, now=utcnow())


@pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")
def test_the_trace_of_a_run_is_active_only_while_an_item_of_it_is_open(app: Flask, chief: Caller) -> None:
    runs.record(app, runs.CLEAN, key="ready")
    data = chief.get("/workflow-studio/traces/corr-ready").json["data"]
    assert data["priority"] == data["draft"]["priority"] == "normal"
    assert "still active" not in data["recommended_reason"]
    workflow_id = runs.item(app, key="asked")
    seen = []
    for action in (None, Action.APPROVE):
        if action:
            runs.act(app, workflow_id, action, by=NORA, text="Fine.")
        signals = chief.get("/workflow-studio/traces/corr-asked").json["data"]["signals"]
        outcome = chief.get("/traces/corr-asked").json["data"]["summary"]["outcome"]
        seen.append((outcome, "trace_active" in [one["signal"] for one in signals]))
    assert seen == [("active", True), ("settled", False)]


def test_the_templates_are_the_contracts(chief: Caller) -> None:
    items = chief.get("/workflow-studio/templates").json["data"]["items"]
    told = [(one["template_id"], one["priority"], one["sla_hours"], one["assigned_role"]) for one in items]
    assert told == [
        ("incident_triage", "high", 2, "admin"),
        ("exception_follow_up", "urgent", 1, "admin"),
        ("precedent_gap_review", "normal", 6, "reviewer"),
    ]
    assert {one["workflow_kind"] for one in items} == {"incident_review"}


@pytest.mark.parametrize(
    ("outcome", "template", "priority", "signals"),
    [
        (None, "precedent_gap_review", "high", ["trace_active", "no_close_precedents"]),
        ("success", "precedent_gap_review", "normal", ["no_close_precedents"]),
        ("failure", "incident_triage", "urgent", ["unfavourable_outcome", "no_close_precedents"]),
        ("abandoned", "incident_triage", "urgent", ["unfavourable_outcome", "no_close_precedents"]),
    ],
)
def test_the_outcome_of_a_trace_chooses_template_and_priority(
    app: Flask, chief: Caller, outcome: str | None, template: str, priority: str, signals: list[str]
) -> None:
    open_trace(app, "t", outcome)
    data = chief.get("/workflow-studio/traces/t").json["data"]
    assert data["template"]["template_id"] == template
    assert (data["priority"], data["draft"]["priority"]) == (priority, priority)
    assert [one["signal"] for one in data["signals"]] == signals
    assert data["recommended_reason"].startswith("Credit line of Amara Tan: ")


def test_an_exception_asks_for_a_follow_up(app: Flask, chief: Caller) -> None:
    workflow_id = open_item(app, "t", at=utcnow())
    data = chief.get("/workflow-studio/traces/t").json["data"]
    assert data["template"]["template_id"] == "exception_follow_up"
    assert data["priority"] == "urgent"
    assert [one["workflow_id"] for one in data["existing"]] == [workflow_id]


def test_a_dry_run_writes_nothing(app: Flask, chief: Caller) -> None:
    open_trace(app, "t")

    def rows() -> list[int | None]:
        with app.app_context():
            return [db.session.scalar(select(func.count()).select_from(table)) for table in db.metadata.sorted_tables]

    before = rows()
    chief.get("/workflow-studio/traces/t")
    assert rows() == before


def test_a_review_is_started_once(app: Flask, chief: Caller) -> None:
    open_trace(app, "t")
    path = "/workflow-studio/traces/t/reviews"
    first = chief.send("POST", path, json={"reason": "Look at this", "template_id": "incident_triage"})
    again = chief.send("POST", path, json={"template_id": "incident_triage"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert (first.json["data"]["created"], again.json["data"]["created"]) == (True, False)
    item = first.json["data"]["workflow"]
    assert item["workflow_id"] == "t:trace_review:incident_triage"
    assert (item["assigned_role"], item["priority"], item["request_reason"]) == ("admin", "high", "Look at this")
    assert item["metadata"]["sla"]["hours"] == 2
    assert again.json["data"]["workflow"] == item
    assert chief.get("/workflow-studio/traces/t", template_id="incident_triage").json["data"]["existing"] == [item]


def test_who_started_a_review_may_not_approve_it(app: Flask, chief: Caller) -> None:
    open_trace(app, "t")
    chief.send("POST", "/workflow-studio/traces/t/reviews", json={})
    path = "/workflows/t%3Atrace_review%3Aprecedent_gap_review/actions"
    answer = chief.send("POST", path, json={"action": "approve", "reason": "ok"})
    assert (answer.status_code, answer.json["error"]["code"]) == (403, "four_eyes")
    assert "requested this review" in answer.json["error"]["message"]


def test_starting_a_review_needs_its_permission_and_a_trace(app: Flask, make_caller: MakeCaller) -> None:
    open_trace(app, "t")
    reader = make_caller("rob", [Permission.RUNS_READ])
    assert reader.send("POST", "/workflow-studio/traces/t/reviews", json={}).status_code == 403
    chief = make_caller("chief")
    assert chief.send("POST", "/workflow-studio/traces/none/reviews", json={}).status_code == 404
    assert chief.send("POST", "/workflow-studio/traces/t/reviews", json={"template_id": "x"}).status_code == 404
    wrong = chief.send("POST", "/workflow-studio/traces/t/reviews", json={"assigned_role": "butler"})
    assert (wrong.status_code, wrong.json["error"]["code"]) == (422, "invalid_argument")


def test_what_is_no_exception_review_is_never_asked_for_the_phrase_of_an_override(app: Flask, chief: Caller) -> None:
    open_trace(app, "t")
    chief.send("POST", "/workflow-studio/traces/t/reviews", json={})
    path = "/workflows/t%3Atrace_review%3Aprecedent_gap_review"
    for body in ({}, {"reason": "ok"}, {"reason": "ok", "confirm_text": "OVERRIDE"}):
        error = chief.send("POST", f"{path}/actions", json={"action": "override"} | body).json["error"]
        assert (error["code"], error["message"]) == ("invalid_transition", "Only exception reviews can be overridden.")
    assert chief.get(path).json["data"]["review_context"]["override_phrase"] is None
