"""The list, the detail and the inputs of actions under /api/v1."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Permission, Role
from lotus_web.domain.items.actions import OFFERED, Action
from lotus_web.models import AuditRecord
from lotus_web.queries.keyset import encode_cursor
from lotus_web.services.accounts.people import create_person, disable_person
from lotus_web.services.accounts.service_accounts import disable_account
from lotus_web.services.sign_in.passwords import hashed
from lotus_web.store.session import db, transaction
from tests.contract.callers import Caller, segment
from tests.integration.api.conftest import MakeCaller
from tests.support import people, runs
from tests.support.events import open_item, open_items, person

FAR_RANK = encode_cursor((1, "2026-01-01T00:00:00+00:00", 99999, "2026-01-01T00:00:00+00:00", "x"))


def act(caller: Caller, workflow_id: str, action: str, **body: Any) -> Any:
    return caller.send("POST", f"/workflows/{segment(workflow_id)}/actions", json={"action": action} | body)


def listed(caller: Caller, **query: Any) -> list[str]:
    answer = caller.get("/workflows", **query)
    assert answer.status_code == 200, answer.text
    return [item["trace_id"] for item in answer.json["data"]["items"]]


@pytest.fixture
def four_items(app: Flask) -> list[str]:
    now = utcnow()
    return [
        open_item(app, "late-normal", at=now - timedelta(hours=5)),
        open_item(app, "fresh-urgent", at=now - timedelta(minutes=1), priority="urgent"),
        open_item(app, "fresh-high", at=now - timedelta(minutes=2), priority="high", portfolio_id="pf-two"),
        open_item(app, "fresh-high-too", at=now - timedelta(minutes=1), priority="high"),
    ]


def test_the_list_is_in_the_inboxs_order_with_a_summary(chief: Caller, four_items: list[str]) -> None:
    data = chief.get("/workflows").json["data"]
    assert [item["trace_id"] for item in data["items"]] == [
        "late-normal",
        "fresh-urgent",
        "fresh-high",
        "fresh-high-too",
    ]
    assert [item["overdue"] for item in data["items"]] == [True, False, False, False]
    assert data["summary"] == {
        "open": 4,
        "overdue": 1,
        "due_soon": 0,
        "unassigned": 4,
        "by_status": {"requested": 4, "in_review": 0, "changes_requested": 0, "escalated": 0},
        "by_priority": {"urgent": 1, "high": 2, "normal": 1, "low": 0},
    }
    assert data["filters"]["only_open"] is True


def test_filters_narrow_the_list(app: Flask, chief: Caller, four_items: list[str]) -> None:
    runs.act(app, four_items[2], Action.CLAIM, by=person("nora", Role.REVIEWER))
    runs.act(app, four_items[3], Action.REJECT, by=person("nora", Role.REVIEWER), text="no")
    assert listed(chief, status="in_review") == ["fresh-high"]
    assert listed(chief, assigned_account_id="nora") == ["fresh-high"]
    assert listed(chief, assigned_role="reviewer", priority="urgent") == ["fresh-urgent"]
    assert listed(chief, trace_id="late-normal") == ["late-normal"]
    assert listed(chief, portfolio_id="pf-two") == ["fresh-high"]
    assert listed(chief, only_overdue="true") == ["late-normal"]
    assert listed(chief, q="FRESH-URG") == ["fresh-urgent"]
    assert listed(chief, status="rejected") == ["fresh-high-too"]
    assert listed(chief, only_open="false") == ["late-normal", "fresh-urgent", "fresh-high", "fresh-high-too"]
    assert listed(chief, status="rejected", only_open="true") == []


@pytest.mark.parametrize("only_open", ["true", "false"])
def test_pages_hold_everything_once(chief: Caller, four_items: list[str], only_open: str) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": 1, "only_open": only_open} | ({"cursor": cursor} if cursor else {})
        data = chief.get("/workflows", **query).json["data"]
        seen += [item["workflow_id"] for item in data["items"]]
        cursor = data["next_cursor"]
        if cursor is None:
            break
    assert seen == four_items


@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"limit": "201"}, {"status": "late"}, {"cursor": "nope"}, {"cursor": FAR_RANK}, {"priority": "1"}],
)
def test_a_list_that_cannot_be_is_invalid(chief: Caller, query: dict[str, str]) -> None:
    answer = chief.get("/workflows", **query)
    assert (answer.status_code, answer.json["error"]["code"]) == (422, "invalid_argument")


@pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")
def test_the_detail_holds_what_a_decision_rests_on(app: Flask, chief: Caller) -> None:
    old = runs.item(app, key="old", age=timedelta(hours=2))
    runs.act(app, old, Action.APPROVE, by=person("nora", Role.REVIEWER), text="within the mandate")
    workflow_id = runs.item(app, key="new")
    data = chief.get(f"/workflows/{segment(workflow_id)}").json["data"]
    context = data["review_context"]
    assert context["rules"][0]["rule_id"] == "CASH_BAND"
    assert context["evidence"]["rule_ids"] == ["CASH_BAND"]
    assert context["run_status"] == "PENDING_REVIEW"
    assert context["sla"]["hours"] == 4
    assert context["sla"]["source"] == "LOTUS_EXCEPTION_REVIEW_SLA_HOURS"
    assert context["override_phrase"] == f"OVERRIDE {workflow_id.upper()}"
    assert context["precedents"]["outcomes"] == {"approved": 1}
    assert context["precedents"]["items"][0]["workflow_id"] == old
    allowed = {choice["action"]: choice["allowed"] for choice in context["actions"]}
    assert allowed == {action.value: action is not Action.RELEASE for action in OFFERED}
    assert data["trace_reference"]["event_count"] == 3
    assert chief.get(data["trace_reference"]["href"].removeprefix("/api/v1")).status_code == 200
    assert [notice["category"] for notice in data["notifications"]] == ["assignment"]


@pytest.mark.parametrize(
    ("action", "body", "message"),
    [
        ("approve", {}, "Enter a reason."),
        ("reject", {"reason": "   "}, "Enter a reason."),
        ("request_change", {}, "Enter a reason."),
        ("escalate", {}, "Enter a reason."),
        ("comment", {}, "Enter a note."),
        ("reassign", {}, "Name a person or a role to assign to."),
        ("reassign", {"assigned_role": "butler"}, "There is no role butler."),
        ("reassign", {"assigned_role": "viewer"}, "A viewer cannot review items."),
        ("reassign", {"assigned_account_id": "nobody"}, "nobody cannot review items here."),
        ("override", {"reason": "agreed"}, "Type OVERRIDE T:EXCEPTION:EX to confirm."),
        ("override", {"reason": "agreed", "confirm_text": "OVERRIDE"}, "Type OVERRIDE T:EXCEPTION:EX to confirm."),
        ("approve", {"reason": "bell \x07"}, "The text contains U+0007 at character 6, which cannot be shown."),
        ("approve", {"reason": "x" * 4001}, "Use at most 4000 characters."),
        ("approve", {"reason": "ok", "reason_code": "not a code"}, None),
        ("approve", {"reason_code": "CLIENT_ACKNOWLEDGED"}, "Add a comment: this reason requires one."),
        ("approve", {"reason": "ok", "evidence": {"all": "e" * 9000}}, "Evidence is locators of at most 8 KiB."),
        ("approve", {"reason": 7}, None),
        ("approve", {"reason": "ok", "colour": "red"}, None),
    ],
    ids=str,
)
def test_an_input_that_is_wrong_answers_422_and_changes_nothing(
    app: Flask, chief: Caller, action: str, body: dict[str, Any], message: str | None
) -> None:
    workflow_id = open_item(app, "t", at=utcnow())
    answer = act(chief, workflow_id, action, **body)
    assert (answer.status_code, answer.json["error"]["code"]) == (422, "invalid_argument"), answer.text
    assert message in (None, answer.json["error"]["message"])
    assert chief.get(f"/workflows/{segment(workflow_id)}").json["data"]["workflow"]["version"] == 1


def test_an_unknown_action_is_malformed_and_an_unknown_item_is_not_found(app: Flask, chief: Caller) -> None:
    workflow_id = open_item(app, "t", at=utcnow())
    answer = act(chief, workflow_id, "bless", reason="ok")
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "invalid_argument")
    missing = act(chief, "t:exception:other", "approve", reason="ok")
    assert (missing.status_code, missing.json["error"]["code"]) == (404, "not_found")


def test_evidence_and_reason_code_stay_with_the_action(app: Flask, chief: Caller) -> None:
    workflow_id = open_item(app, "t", at=utcnow())
    body = {"reason": "ok", "reason_code": "WITHIN_MANDATE", "evidence": {"document": "doc-7"}, "version": 1}
    done = act(chief, workflow_id, "approve", **body).json["data"]
    assert done["action"]["reason_code"] == "WITHIN_MANDATE"
    assert done["action"]["payload"]["attached"] == {"document": "doc-7"}
    assert done["workflow"]["approval_event_id"] == done["action"]["source_event_id"]


@pytest.mark.environ(LOTUS_REASON_CODES='{"approve": [{"code": "FINE", "text": "All is fine"}]}')
def test_a_deployments_own_reasons_are_a_closed_list(app: Flask, chief: Caller) -> None:
    workflow_id = open_item(app, "t", at=utcnow())
    for body in ({"reason_code": "WITHIN_MANDATE"}, {}, {"reason_code": ""}):
        assert act(chief, workflow_id, "approve", reason="ok", **body).status_code == 422
    told = act(chief, workflow_id, "reject", reason="no").json["error"]["message"]
    assert told == "Choose a reason."
    assert act(chief, workflow_id, "comment", note="hm").status_code == 200
    assert act(chief, workflow_id, "approve", reason="ok", reason_code="FINE").status_code == 200
    catalogue = chief.get("/reason-codes").json["data"]
    assert catalogue["closed"] is True
    assert catalogue["actions"]["approve"] == [{"code": "FINE", "text": "All is fine", "needs_comment": False}]


def test_a_version_that_moved_names_who_moved_it(app: Flask, chief: Caller) -> None:
    workflow_id = open_item(app, "t", at=utcnow())
    runs.act(app, workflow_id, Action.CLAIM, by=person("nora", Role.REVIEWER))
    error = act(chief, workflow_id, "approve", reason="ok", version=1).json["error"]
    assert error["code"] == "version_conflict"
    assert error["message"] == "This item changed while you were looking: nora claimed it. It is in review."
    details = error["details"]
    assert (details["changed_by"], details["action"], details["current_version"]) == ("nora", "claim", 2)
    with app.app_context():
        record = db.session.query(AuditRecord).one()
        assert (record.category, record.action, record.code) == ("refused", "approve", "version_conflict")


def test_of_twenty_mixed_actions_with_one_version_one_succeeds_and_the_others_name_it(
    app: Flask, chief: Caller
) -> None:
    workflow_id = open_item(app, "t", at=utcnow())
    mixed = ["approve", "reject", "request_change", "escalate"] * 5

    def send(action: str) -> tuple[str, Any]:
        own = Caller(app.test_client(), chief.account, chief.bearer)
        return action, act(own, workflow_id, action, reason=f"by {action}", version=1)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, mixed))
    won = [action for action, answer in answers if answer.status_code == 200]
    lost = [answer.json["error"] for _, answer in answers if answer.status_code == 409]
    assert (len(won), len(lost)) == (1, 19)
    assert {(error["code"], error["details"]["action"]) for error in lost} == {("version_conflict", won[0])}
    history = chief.get(f"/workflows/{segment(workflow_id)}").json["data"]["actions"]
    assert [action["action_type"] for action in history] == won


@pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")
def test_who_submitted_a_run_may_not_approve_it_on_either_surface(app: Flask, make_caller: MakeCaller) -> None:
    workflow_id = runs.item(app)
    feed = make_caller("engine-feed")
    answer = act(feed, workflow_id, "approve", reason="ok")
    assert (answer.status_code, answer.json["error"]["code"]) == (403, "four_eyes")
    assert answer.json["error"]["message"] == "engine-feed submitted this run: someone else must approve it."
    gate = feed.decide(workflow_id.rpartition(":")[2])
    assert (gate.status_code, gate.json["detail"]) == (403, "FOUR_EYES")
    people.hire(app, "nora")
    on_behalf = act(feed, workflow_id, "approve", reason="ok", actor_id="nora")
    assert (on_behalf.status_code, on_behalf.json["error"]["code"]) == (403, "four_eyes")
    assert act(feed, workflow_id, "reject", reason="no").status_code == 200


@pytest.mark.environ(DPM_WORKFLOW_ENABLED="true", LOTUS_FOUR_EYES_EXEMPT_TENANTS="small, default")
def test_a_tenant_with_one_reviewer_may_and_it_is_put_on_record(app: Flask, make_caller: MakeCaller) -> None:
    workflow_id = runs.item(app)
    done = act(make_caller("engine-feed"), workflow_id, "approve", reason="ok").json["data"]
    assert done["action"]["payload"]["four_eyes"] == "exempted"
    with app.app_context():
        record = db.session.query(AuditRecord).one()
        assert (record.category, record.actor_id, record.subject) == ("exempted", "engine-feed", workflow_id)


def test_an_account_speaks_for_others_only_if_it_may(app: Flask, make_caller: MakeCaller) -> None:
    workflow_id = open_item(app, "t", at=utcnow())
    reviewer = make_caller("desk-bot", [Permission.RUNS_READ, Permission.WORKFLOW_REVIEW])
    answer = act(reviewer, workflow_id, "approve", reason="ok", actor_id="nora")
    assert (answer.status_code, answer.json["error"]["code"]) == (403, "forbidden")
    may = make_caller("trusted", [Permission.WORKFLOW_REVIEW, Permission.ACT_ON_BEHALF])
    unknown = act(may, workflow_id, "approve", reason="ok", actor_id="nora")
    assert unknown.json["error"]["message"] == "nora is no person here: nobody can act on their behalf."
    people.hire(app, "nora")
    done = act(may, workflow_id, "approve", reason="ok", actor_id="nora").json["data"]["action"]
    assert (done["actor"]["actor_id"], done["on_behalf_of"], done["through"]) == ("trusted", "nora", "trusted")


@pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")
def test_nobody_speaks_for_who_was_disabled(app: Flask, make_caller: MakeCaller) -> None:
    workflow_id = runs.item(app)
    make_caller("old-bot")
    with app.app_context(), transaction() as session:
        for name in ("vera", "nora"):
            create_person(
                session,
                name=name,
                password=hashed("a long password"),
                role=Role.REVIEWER,
                tenant_id="default",
                now=utcnow(),
            )
        disable_person(session, name="vera", now=utcnow())
        disable_account(session, name="old-bot", now=utcnow())
    bot = make_caller("bot")
    for name, why in (("vera", "disabled"), ("old-bot", "no person here")):
        refused = [
            act(bot, workflow_id, "approve", reason="ok", actor_id=name),
            bot.send("POST", "/workflows/next", json={"actor_id": name}),
            bot.send("POST", "/workflow-studio/traces/corr-key-1/reviews", json={"actor_id": name}),
            bot.decide(workflow_id.rpartition(":")[2], actor=name),
        ]
        assert [answer.status_code for answer in refused] == [403] * 4
        assert refused[0].json["error"]["message"] == f"{name} is {why}: nobody can act on their behalf."
        assert refused[3].json == {"detail": "ACTOR_MISMATCH", "actor_id": name}
    people.hire(app, "leo")
    answer = bot.send("POST", "/workflows/next", json={"actor_id": "leo"})
    assert (answer.status_code, answer.json["error"]["message"]) == (422, "leo cannot review items here.")
    assert answer.json["error"]["details"]["problems"][0]["loc"] == ["body", "actor_id"]
    handed = bot.send("POST", "/workflows/next", json={"actor_id": "nora"}).json["data"]["claimed"]
    assert handed["workflow"]["workflow_id"] == workflow_id


def test_the_next_item_is_claimed_and_never_handed_out_twice(app: Flask, chief: Caller) -> None:
    now = utcnow()
    open_items(app, ["one", "two"], at=now)
    with app.app_context(), transaction() as session:
        create_person(
            session, name="nora", password=hashed("a long password"), role=Role.REVIEWER, tenant_id="default", now=now
        )
    first = chief.send("POST", "/workflows/next", json={"actor_id": "nora"}).json["data"]["claimed"]["workflow"]
    assert (first["trace_id"], first["status"], first["assigned_account_id"]) == ("one", "in_review", "nora")
    second = chief.send("POST", "/workflows/next", json={}).json["data"]["claimed"]["workflow"]
    assert (second["trace_id"], second["assigned_account_id"]) == ("two", "chief")
    assert chief.send("POST", "/workflows/next", json={}).json["data"] == {"claimed": None}
