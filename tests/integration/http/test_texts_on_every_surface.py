"""What people write comes through each door in one form, and what turns the text around it comes through none."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from flask import Flask

from lotus_web.models import Decision, WorkflowAction
from lotus_web.store.session import db
from tests.contract.callers import ALL, Caller, bearer_of, segment
from tests.integration.api.events.test_events import code, event, post
from tests.support import people, runs

TYPED = "\ufeff2\u00a0h late, Depot\u00adbank: 1\u202f000\u200b CHF می\u200cخواهم 👩\u200d👧\u2028agreed"
KEPT = "2 h late, Depotbank: 1 000 CHF می\u200cخواهم 👩\u200d👧\nagreed"
TURNED = "an amount of \u202e001"
REFUSAL = "The text contains U+202E at character 14, which cannot be shown."
TITLE_MAX = 300

gated = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")


@pytest.fixture
def program(app: Flask) -> Caller:
    return Caller(app.test_client(), "feed", bearer_of(app, "feed", ALL, "default"))


def by_form(app: Flask, workflow_id: str, text: str) -> Any:
    client = app.test_client()
    people.sign_in(client, people.hire(app, "nora"))
    fields = {"csrf_token": people.csrf_token(client), "action": "comment", "version": "1", "text": text}
    return client.post(f"/inbox/{segment(workflow_id)}", data=fields)


@gated
def test_a_text_is_kept_in_one_form_whichever_door_it_came_through(app: Flask, program: Caller) -> None:
    workflow_id = runs.item(app)
    assert by_form(app, workflow_id, TYPED).status_code == 303
    at = f"/workflows/{segment(workflow_id)}/actions"
    done = program.send("POST", at, json={"action": "comment", "note": TYPED})
    assert done.json["data"]["action"]["reason"] == KEPT
    gate = program.decide(workflow_id.rpartition(":")[2], comment=TYPED).json
    assert gate["latest_decision"]["comment"] == KEPT
    with app.app_context():
        assert [row.text for row in db.session.query(WorkflowAction)] == [KEPT] * 3
        assert db.session.query(Decision).one().comment == KEPT


@gated
def test_what_is_refused_is_named_with_its_place_at_each_door(app: Flask, program: Caller) -> None:
    workflow_id = runs.item(app)
    form = by_form(app, workflow_id, TURNED)
    assert (form.status_code, REFUSAL in unescape(form.text)) == (422, True)
    told = program.send(
        "POST", f"/workflows/{segment(workflow_id)}/actions", json={"action": "comment", "note": TURNED}
    )
    assert (told.status_code, told.json["error"]["message"]) == (422, REFUSAL)
    gate = program.decide(workflow_id.rpartition(":")[2], comment=TURNED)
    assert (gate.status_code, gate.json["detail"][0]["loc"]) == (422, ["body", "comment"])
    assert gate.json["detail"][0]["msg"].endswith(REFUSAL)
    with app.app_context():
        assert db.session.query(WorkflowAction).count() == 0


@gated
def test_a_title_and_a_reason_of_the_studio_are_texts_like_any(app: Flask, program: Caller) -> None:
    at = f"/workflow-studio/traces/{segment(runs.item(app).partition(':')[0])}/reviews"
    refused = program.send("POST", at, json={"title": TURNED})
    assert refused.json["error"]["message"] == REFUSAL.replace("The text", "The title")
    kept = program.send("POST", at, json={"title": "Depot\u00adbank,\u00a0late", "reason": TYPED}).json["data"][
        "workflow"
    ]
    assert (kept["title"], kept["request_reason"]) == ("Depotbank, late", KEPT)


@gated
@pytest.mark.stores("sqlite")
def test_a_reason_that_needs_a_comment_needs_one_that_can_be_seen(app: Flask, program: Caller) -> None:
    body = {"action": "approve", "reason_code": "OTHER", "reason": "\u200b\u00a0"}
    told = program.send("POST", f"/workflows/{segment(runs.item(app))}/actions", json=body)
    assert (told.status_code, told.json["error"]["message"]) == (422, "Add a comment: this reason requires one.")


def changed(seq: int, **payload: Any) -> dict[str, Any]:
    whole = event(seq)
    return whole | {"payload": whole["payload"] | payload}


@pytest.mark.parametrize(
    ("seq", "payload", "message"),
    [
        (0, {"title": "x" * (TITLE_MAX + 1)}, "payload.title must be non-empty text of at most 300 characters"),
        (0, {"workflow": "x" * (TITLE_MAX + 1)}, "payload.workflow must be non-empty text of at most 300 characters"),
        (1, {"title": "x" * (TITLE_MAX + 1)}, "payload.title must be non-empty text of at most 300 characters"),
        (0, {"title": "Invoice \u202elive"}, "payload.title contains U+202E at character 9, which cannot be shown."),
        (1, {"reason": "\u2067late"}, "payload.reason contains U+2067 at character 1, which cannot be shown."),
        (
            1,
            {"policy": {"policy_id": "a\u202bb", "policy_version": "1"}},
            "payload.policy.policy_id contains U+202B at character 2, which cannot be shown.",
        ),
    ],
)
def test_a_name_of_another_system_is_bounded_and_turns_nothing(
    program: Caller, seq: int, payload: dict[str, Any], message: str
) -> None:
    if seq:
        assert post(program, event(0)).status_code == 201
    answer = post(program, changed(seq, **payload))
    assert code(answer) == (400, "invalid_argument")
    assert answer.json["error"]["message"] == message


@pytest.mark.stores("sqlite")
def test_the_names_of_an_envelope_turn_nothing_either(program: Caller) -> None:
    for changes, name in (
        ({"actor": {"actor_type": "person", "actor_id": "a\u202eb"}}, "actor_id"),
        ({"source": {"system": "a\u202eb", "producer_id": "credit-desk"}}, "system"),
        ({"trace_id": "a\u202eb"}, "trace_id"),
        ({"tags": ["fine", "a\u202eb"]}, "tags"),
    ):
        answer = post(program, event(0, **changes))
        assert code(answer) == (400, "invalid_argument")
        assert answer.json["error"]["message"] == f"{name} contains U+202E at character 2, which cannot be shown."


def test_what_other_systems_may_say_at_length_and_in_their_own_letters_is_taken(program: Caller) -> None:
    assert post(program, changed(0, title="\u200fשלום\u00a0" + "x" * (TITLE_MAX - 6))).status_code == 201
    facts = {"evidence": {"note": "isolated \u2068here\u2069"}}
    assert post(program, changed(1, reason="y" * 20_000, **facts)).status_code == 201
