"""Signed decisions on both stores: with a passkey or the password again, on every surface, and every way to sign something else."""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from lotus_web.config import current
from lotus_web.domain.access import Permission, Role
from lotus_web.domain.canonical import canonical_json
from lotus_web.domain.errors import Conflict
from lotus_web.domain.events.envelope import EventType
from lotus_web.domain.items.signing import SignDecisions
from lotus_web.models import (
    Decision,
    EventLogEntry,
    Passkey,
    PersonSession,
    SignInFailure,
    WorkflowAction,
    WorkflowItem,
)
from lotus_web.queries.audit.facts import verify_facts
from lotus_web.queries.audit.signatures import verify_signatures
from lotus_web.queries.transparency.keys import log_keys
from lotus_web.services.events.ingest import ingest_event
from lotus_web.store.session import db, transaction
from lotus_web.wire import lotus_verify
from tests.conftest import MakeApp
from tests.contract.callers import ALL, Caller, review_request, segment
from tests.contract.conftest import MakeCaller
from tests.contract.proposals.requests import created, path_of, sent
from tests.support import passkeys, people
from tests.support.alone import verify_alone
from tests.support.authenticators import EDDSA, ES256, RS256, UP, UV, Authenticator
from tests.support.events import NOON, POLICY, account, draft, trace_started
from tests.support.histories import approved, unguarded
from tests.support.logs import log_settings, sign
from tests.support.proposals import demo

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true", LOTUS_SIGN_DECISIONS="all")
SIGN_IT = "signed by the person who takes it"
NOT_YOURS = "This signature is not yours"


@pytest.fixture
def app(make_app: MakeApp, tmp_path: Path) -> Flask:
    """A deployment that signs its log."""
    return make_app(**log_settings(tmp_path))


def signed_in(app: Flask, name: str) -> FlaskClient:
    people.hire(app, name)
    client = app.test_client()
    assert people.sign_in(client, name).status_code == 303
    return client


@pytest.fixture
def nora(app: Flask) -> FlaskClient:
    """A reviewer, signed in with her password."""
    return signed_in(app, "nora")


@pytest.fixture
def laptop(nora: FlaskClient) -> Authenticator:
    """Her passkey."""
    found: Authenticator = passkeys.add(nora)[0]
    return found


def item_of(engine: Caller, correlation: str) -> str:
    run = engine.run(review_request(), correlation=correlation)["rebalance_run_id"]
    return f"{correlation}:exception:{run}"


def form_of(client: FlaskClient, workflow_id: str, action: str = "approve", **typed: str) -> dict[str, str]:
    """Open an item and return one of its forms, filled in."""
    page = client.get(f"/inbox/{segment(workflow_id)}")
    form = page.text[page.text.index(f'id="fold-{action}"') :]
    seal = form.partition('name="evidence" value="')[2].partition('"')[0]
    kept = {name: value for name, value in people.hidden_fields(page).items() if name in ("version", "digest")}
    kept |= {"csrf_token": people.csrf_token(client), "action": action, "evidence": seal}
    return kept | {"reason_code": "OTHER", "text": "Within the mandate."} | typed


def question(client: FlaskClient, workflow_id: str, form: dict[str, str]) -> Any:
    return client.post(f"/inbox/{segment(workflow_id)}/challenge", data=form).json


def with_signature(
    client: FlaskClient, workflow_id: str, form: dict[str, str], key: Authenticator, **wrong: Any
) -> dict[str, str]:
    asked = question(client, workflow_id, form)
    return form | {"sealed": asked["sealed"], "answer": key.get(asked["options"], **wrong)}


def send(client: FlaskClient, workflow_id: str, form: dict[str, str]) -> Any:
    return client.post(f"/inbox/{segment(workflow_id)}", data=form)


def wrong_in_log(app: Flask) -> list[str]:
    with app.app_context():
        session = db.session()
        return [*verify_signatures(session, "default"), *verify_facts(session, "default")]


def status_of(app: Flask, workflow_id: str) -> str:
    with app.app_context():
        return db.session.scalars(select(WorkflowItem.status).where(WorkflowItem.workflow_id == workflow_id)).one()


def receipt_of(app: Flask, caller: Caller) -> tuple[bytes, argparse.Namespace]:
    with app.app_context():
        sign(app)
        decision = db.session.scalars(
            select(Decision.decision_id).order_by(Decision.decision_seq.desc()).limit(1)
        ).one()
        key = str(log_keys(db.session(), current.settings(), "default")[-1])
    answer = caller.get(f"/decisions/{decision}/receipt")
    assert answer.status_code == 200, answer.text
    return answer.data, argparse.Namespace(key=[key], witness=[], passkey=[])


@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
def test_a_passkey_signs_a_decision_and_its_receipt_proves_it(
    app: Flask, engine: Caller, nora: FlaskClient, algorithm: int, tmp_path: Path
) -> None:
    key, _ = passkeys.add(nora, Authenticator(algorithm))
    workflow_id = item_of(engine, "signed")
    form = form_of(nora, workflow_id)
    assert send(nora, workflow_id, with_signature(nora, workflow_id, form, key)).status_code == 303
    assert status_of(app, workflow_id) == "approved"
    data, given = receipt_of(app, engine)
    receipt = json.loads(data)
    assert (receipt["receipt_version"], receipt["decision"]["signed"]) == (2, "passkey")
    said = lotus_verify.verify(data, given)
    assert "Signed with the passkey" in said[1]
    with app.app_context():
        stored = db.session.scalars(select(Passkey.public_key)).one()
    mine = lotus_verify.fingerprint({"public_key": stored})
    assert mine in nora.get("/account/passkeys").text
    given.passkey = [mine]
    assert mine in lotus_verify.verify(data, given)[1]
    given.passkey = ["0" * 64]
    with pytest.raises(lotus_verify.Refused, match="another passkey"):
        lotus_verify.verify(data, given)
    given.passkey = [mine]
    for name, found in (
        ("receipt.json", data),
        ("other.json", data.replace(b"Within the mandate.", b"Without the mandate")),
    ):
        (tmp_path / name).write_bytes(found)
        done = verify_alone(tmp_path, name, "--key", given.key[0], "--passkey", mine)
        assert done.returncode == (0 if found == data else 1), done
    archive = engine.get(f"/admin/workflows/{segment(workflow_id)}/archive").data
    assert lotus_verify.verify(archive, given)
    assert wrong_in_log(app) == []


def test_the_word_of_a_password_is_the_way_without_a_passkey(app: Flask, engine: Caller, nora: FlaskClient) -> None:
    workflow_id = item_of(engine, "typed")
    form = form_of(nora, workflow_id)
    refused = send(nora, workflow_id, form | {"password": "not it", "text": "My words."})
    assert refused.status_code == 409
    assert NOT_YOURS in refused.text and "My words." in refused.text and "not it" not in refused.text
    assert send(nora, workflow_id, form | {"password": people.PASSWORD}).status_code == 303
    data, given = receipt_of(app, engine)
    assert json.loads(data)["decision"]["signed"] == "password"
    said = lotus_verify.verify(data, given)
    assert said[1] == "Signed with the password, typed again."
    assert any("no file can prove that" in line for line in said)
    assert wrong_in_log(app) == []


def test_the_password_of_a_signature_is_counted_like_one_of_a_sign_in(engine: Caller, nora: FlaskClient) -> None:
    workflow_id = item_of(engine, "guessed")
    form = form_of(nora, workflow_id, text="Kept words.")
    found = [send(nora, workflow_id, form | {"password": f"guess {n}"}) for n in range(8)]
    assert found[0].status_code == 409
    assert found[-1].status_code == 429 and "Kept words." in found[-1].text


def test_the_password_of_somebody_who_may_not_decide_is_not_looked_at(
    app: Flask, engine: Caller, nora: FlaskClient
) -> None:
    workflow_id = item_of(engine, "viewed")
    people.hire(app, "vera", Role.VIEWER)
    vera = app.test_client()
    assert people.sign_in(vera, "vera").status_code == 303
    form = form_of(nora, workflow_id) | {"csrf_token": people.csrf_token(vera)}
    found = [send(vera, workflow_id, form | {"password": f"guess {n}"}).status_code for n in range(8)]
    assert set(found) == {403}
    with app.app_context():
        assert not db.session.scalars(select(SignInFailure)).all()


def test_a_lost_session_keeps_the_words_and_not_the_signature(
    engine: Caller, nora: FlaskClient, laptop: Authenticator
) -> None:
    workflow_id = item_of(engine, "lost")
    form = with_signature(nora, workflow_id, form_of(nora, workflow_id, text="Kept words."), laptop)
    nora.post("/logout", data={"csrf_token": form["csrf_token"]})
    asked = send(nora, workflow_id, form)
    assert asked.status_code == 401
    page = people.sign_in(nora, "nora", draft=people.hidden_fields(asked)["draft"])
    assert passkeys.second(nora, page, laptop).status_code == 303
    again = nora.get(f"/inbox/{segment(workflow_id)}").text
    assert "Kept words." in again and form["sealed"] not in again
    with nora.application.app_context():
        (draft,) = db.session.scalars(select(PersonSession.draft).where(PersonSession.draft.is_not(None)))
    assert not {"answer", "sealed", "password"} & {name for name, _ in draft["fields"]}


def test_a_request_for_changes_is_signed_too(
    app: Flask, engine: Caller, nora: FlaskClient, laptop: Authenticator
) -> None:
    workflow_id = item_of(engine, "changes")
    form = form_of(nora, workflow_id, "request_change")
    assert send(nora, workflow_id, with_signature(nora, workflow_id, form, laptop)).status_code == 303
    with app.app_context():
        details = db.session.scalars(
            select(WorkflowAction.details).where(WorkflowAction.workflow_id == workflow_id)
        ).all()
    assert [one["signature"]["method"] for one in details if "signature" in one] == ["passkey"]
    assert wrong_in_log(app) == []
    with app.app_context(), unguarded("dg_workflow_actions") as session:
        row = session.scalars(select(WorkflowAction).where(WorkflowAction.action_type == "request_change")).one()
        row.text = "Other words."
    with app.app_context():
        assert any("not what the log records" in line for line in verify_facts(db.session(), "default"))


REFUSED: dict[str, dict[str, Any]] = {
    "another origin": {"origin": "https://evil.example"},
    "another site": {"domain": "evil.example"},
    "nobody verified": {"flags": UP},
    "nobody present": {"flags": UV},
    "another question": {"kind": "webauthn.create"},
}


@pytest.mark.parametrize("wrong", REFUSED.values(), ids=REFUSED)
def test_a_wrong_answer_signs_nothing(
    app: Flask, engine: Caller, nora: FlaskClient, laptop: Authenticator, wrong: dict[str, Any]
) -> None:
    workflow_id = item_of(engine, "wrong")
    form = form_of(nora, workflow_id, text="Kept words.")
    answer = send(nora, workflow_id, with_signature(nora, workflow_id, form, laptop, **wrong))
    assert answer.status_code == 409
    assert NOT_YOURS in answer.text and "Kept words." in answer.text
    assert status_of(app, workflow_id) != "approved"


CHANGED: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "other words": lambda form: form | {"text": "Other words."},
    "another reason": lambda form: form | {"reason_code": "WITHIN_MANDATE"},
    "another action": lambda form: form | {"action": "reject", "reason_code": "OTHER"},
    "other evidence": lambda form: form | {"evidence": ""},
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_a_signature_is_of_one_decision(
    app: Flask,
    engine: Caller,
    nora: FlaskClient,
    laptop: Authenticator,
    change: Callable[[dict[str, str]], dict[str, str]],
) -> None:
    workflow_id = item_of(engine, "one")
    form = with_signature(nora, workflow_id, form_of(nora, workflow_id), laptop)
    answer = send(nora, workflow_id, change(form))
    assert (answer.status_code, NOT_YOURS in answer.text) == (409, True)
    assert status_of(app, workflow_id) not in ("approved", "rejected")
    assert send(nora, workflow_id, form).status_code == 303


def test_a_signature_is_of_one_item_and_one_version(engine: Caller, nora: FlaskClient, laptop: Authenticator) -> None:
    first, second = item_of(engine, "first"), item_of(engine, "second")
    signed = with_signature(nora, first, form_of(nora, first), laptop)
    other = form_of(nora, second)
    answer = send(nora, second, other | {name: signed[name] for name in ("sealed", "answer")})
    assert (answer.status_code, NOT_YOURS in answer.text) == (409, True)
    assert send(nora, first, form_of(nora, first, "comment", text="Wait.")).status_code == 303
    again = form_of(nora, first) | {name: signed[name] for name in ("sealed", "answer")}
    assert send(nora, first, again).status_code == 409


def test_a_signature_is_of_its_person_their_session_and_five_minutes(
    app: Flask, engine: Caller, nora: FlaskClient, laptop: Authenticator
) -> None:
    workflow_id = item_of(engine, "mine")
    signed = with_signature(nora, workflow_id, form_of(nora, workflow_id), laptop)
    max_ = signed_in(app, "max")
    phone, _ = passkeys.add(max_)
    theirs = form_of(max_, workflow_id)
    stolen = send(max_, workflow_id, theirs | {name: signed[name] for name in ("sealed", "answer")})
    assert (stolen.status_code, NOT_YOURS in stolen.text) == (409, True)
    # Nora's session, the passkey of somebody else.
    borrowed = send(nora, workflow_id, with_signature(nora, workflow_id, form_of(nora, workflow_id), phone, handle=""))
    assert (borrowed.status_code, NOT_YOURS in borrowed.text) == (409, True)
    with time_machine.travel(current_time(app) + 301, tick=False):
        assert send(nora, workflow_id, signed).status_code == 409


def current_time(app: Flask) -> float:
    with app.app_context():
        return current.utcnow().timestamp()


LOOSE: dict[str, Callable[[str], str]] = {
    "a letter that is none": lambda text: text[:4] + "!" + text[4:],
    "a line break": lambda text: text + "\n",
    "padding": lambda text: text + "====",
}


@pytest.mark.parametrize("loosely", LOOSE.values(), ids=LOOSE)
@pytest.mark.parametrize("part", ["clientDataJSON", "authenticatorData", "signature"])
def test_what_no_verifier_would_take_is_not_recorded(
    app: Flask,
    engine: Caller,
    nora: FlaskClient,
    laptop: Authenticator,
    part: str,
    loosely: Callable[[str], str],
) -> None:
    workflow_id = item_of(engine, "loose")
    form = with_signature(nora, workflow_id, form_of(nora, workflow_id), laptop)
    written = json.loads(form["answer"])
    written["response"][part] = loosely(written["response"][part])
    answer = send(nora, workflow_id, form | {"answer": json.dumps(written)})
    assert (answer.status_code, NOT_YOURS in answer.text) == (409, True)
    assert status_of(app, workflow_id) != "approved"
    assert wrong_in_log(app) == []


def test_a_removed_passkey_signs_nothing(app: Flask, engine: Caller, nora: FlaskClient, laptop: Authenticator) -> None:
    workflow_id = item_of(engine, "removed")
    passkeys.add(nora)
    signed = with_signature(nora, workflow_id, form_of(nora, workflow_id), laptop)
    with app.app_context():
        passkey_id = db.session.scalars(select(Passkey.passkey_id).order_by(Passkey.created_at)).first()
    assert people.post(nora, "/account/passkeys", {"change": "remove", "passkey": str(passkey_id)}).status_code == 303
    answer = send(nora, workflow_id, signed)
    assert (answer.status_code, NOT_YOURS in answer.text) == (409, True)


def test_a_counter_that_goes_back_signs_nothing_and_is_noted(
    engine: Caller, nora: FlaskClient, laptop: Authenticator
) -> None:
    first, second = item_of(engine, "counts"), item_of(engine, "counts-on")
    assert send(nora, first, with_signature(nora, first, form_of(nora, first), laptop)).status_code == 303
    answer = send(nora, second, with_signature(nora, second, form_of(nora, second), laptop, step=0))
    assert (answer.status_code, "a copy of it" in answer.text) == (409, True)


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["error"]["code"] if "error" in answer.json else answer.json["detail"]


def test_no_surface_decides_without_a_signature(
    app: Flask, engine: Caller, nora: FlaskClient, make_caller: MakeCaller
) -> None:
    workflow_id = item_of(engine, "surfaces")
    run = workflow_id.rpartition(":")[2]
    rosa = make_caller("rosa", ALL)
    answer = send(nora, workflow_id, form_of(nora, workflow_id, text="Kept words."))
    assert (answer.status_code, SIGN_IT in answer.text, "Kept words." in answer.text) == (409, True, True)
    for action in ("APPROVE", "REJECT", "REQUEST_CHANGES"):
        assert code_of(rosa.decide(run, action)) == (409, "SIGNATURE_REQUIRED")
    body = {"action": "approve", "reason": "Fine.", "reason_code": "REVIEW_APPROVED"}
    answer = rosa.send("POST", f"/workflows/{segment(workflow_id)}/actions", json=body)
    assert code_of(answer) == (409, "signature_required") and SIGN_IT in answer.json["error"]["message"]
    claim = rosa.send("POST", f"/workflows/{segment(workflow_id)}/actions", json={"action": "claim"})
    assert claim.status_code == 200
    assert status_of(app, workflow_id) == "in_review"


def test_a_proposal_is_decided_by_a_signature_in_the_inbox_alone(
    app: Flask, engine: Caller, make_caller: MakeCaller, nora: FlaskClient, laptop: Authenticator
) -> None:
    for name in ("advisor_demo_1", "compliance_demo_1", "client_demo_1"):
        people.hire(app, name, Role.REVIEWER)
    gate = make_caller("gate")
    proposal_id = created(engine, demo(20))
    assert sent(engine, path_of(proposal_id, "transitions"), demo(22)).status_code == 200
    answer = sent(gate, path_of(proposal_id, "approvals"), demo(24))
    assert code_of(answer) == (409, "SIGNATURE_REQUIRED")
    with app.app_context():
        workflow_id = db.session.scalars(select(WorkflowItem.workflow_id)).one()
    form = form_of(nora, workflow_id)
    assert send(nora, workflow_id, with_signature(nora, workflow_id, form, laptop)).status_code == 303
    # What the client consents to is no decision of a reviewer.
    answer = sent(engine, path_of(proposal_id, "approvals"), demo(23))
    assert (answer.status_code, answer.json["current_state"]) == (200, "EXECUTION_READY")
    assert wrong_in_log(app) == []


@pytest.mark.parametrize("which", SignDecisions)
def test_what_another_system_says_was_decided_is_not_taken_where_its_person_must_sign(
    app: Flask, which: SignDecisions
) -> None:
    feed, policy = account("feed", Permission.EVENTS_WRITE), replace(POLICY, sign_decisions=which)
    told = draft("t-1", EventType.APPROVAL_RECORDED, approved("exception", "ex-1"))
    opened = draft("t-1", EventType.TRACE_STARTED, trace_started())
    with app.app_context(), transaction() as session:
        ingest_event(session, opened, actor=feed, now=NOON, policy=policy)
        if which is SignDecisions.ALL:
            with pytest.raises(Conflict, match=SIGN_IT) as refused:
                ingest_event(session, told, actor=feed, now=NOON, policy=policy)
            assert refused.value.code == "SIGNATURE_REQUIRED"
        else:
            assert ingest_event(session, told, actor=feed, now=NOON, policy=policy).created


@pytest.mark.environ(LOTUS_SIGN_DECISIONS="override")
def test_overrides_alone_can_be_signed(app: Flask, engine: Caller, nora: FlaskClient) -> None:
    workflow_id, other = item_of(engine, "plain"), item_of(engine, "over")
    assert send(nora, workflow_id, form_of(nora, workflow_id)).status_code == 303
    ada = signed_in(app, "ada")
    key, _ = passkeys.add(ada)
    phrase = ada.get(f"/inbox/{segment(other)}").text.partition('<code class="phrase">')[2].partition("<")[0]
    form = form_of(ada, other, "override", confirm_text=phrase)
    answer = send(ada, other, form)
    assert (answer.status_code, SIGN_IT in answer.text) == (409, True)
    assert send(ada, other, with_signature(ada, other, form, key)).status_code == 303
    data, given = receipt_of(app, engine)
    assert lotus_verify.verify(data, given)
    assert wrong_in_log(app) == []


# The name of a member as JSON can also write it, and what readers of JSON do not agree on or fail at.
OTHERWISE = (
    '"signature":null,"signature":',
    "[" * 10_000 + '"signature":',
    '"signature" : ',
    '"\\u0073ignature":',
    '"signa\\u0074ure"\n:',
)


def rewrite(app: Flask, log_seq: int, payload: dict[str, Any], name: str) -> None:
    """Write the name of the signature of an entry in another way, as whoever owns the database can."""
    written = canonical_json(payload).replace('"signature":{', name + "{", 1)
    with app.app_context(), unguarded("dg_event_log") as session:
        session.execute(
            text("UPDATE dg_event_log SET payload = :it WHERE log_seq = :seq"), {"it": written, "seq": log_seq}
        )


def test_what_an_administrator_of_the_database_edits_is_found(
    app: Flask, engine: Caller, nora: FlaskClient, laptop: Authenticator
) -> None:
    workflow_id = item_of(engine, "forged")
    assert (
        send(nora, workflow_id, with_signature(nora, workflow_id, form_of(nora, workflow_id), laptop)).status_code
        == 303
    )
    with app.app_context():
        entry = db.session.scalars(select(EventLogEntry).where(EventLogEntry.event_type == "ApprovalRecorded")).one()
        whole = json.loads(json.dumps(entry.payload))
    for edit in FORGERIES:
        forged = copy.deepcopy(whole)
        edit(forged)
        with app.app_context(), unguarded("dg_event_log") as session:
            row = session.get(EventLogEntry, entry.log_seq)
            assert row is not None
            row.payload = forged
        assert any("its signature does not hold" in line for line in wrong_in_log(app)), edit
        for otherwise in OTHERWISE:
            rewrite(app, entry.log_seq, forged, otherwise)
            assert any("its signature does not hold" in line for line in wrong_in_log(app)), (edit, otherwise)
    with app.app_context(), unguarded("dg_event_log") as session:
        row = session.get(EventLogEntry, entry.log_seq)
        assert row is not None
        row.payload = whole
    assert wrong_in_log(app) == []


def forge(*path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def edit(payload: dict[str, Any]) -> None:
        for name in path[:-1]:
            payload = payload[name]
        payload[path[-1]] = value

    return edit


SIGNATURE = ("evidence", "signature")
FORGERIES = [
    forge("decision", value="rejected"),
    forge("reason", value="Other words."),
    forge("approver", "actor_id", value="max"),
    forge("evidence", "reason_code", value="REVIEW_APPROVED"),
    forge("evidence", "evidence_digest", value="sha256:" + "0" * 64),
    forge(*SIGNATURE, "document", "text", value="Other words."),
    forge(*SIGNATURE, "document", "nonce", value="another"),
    forge(*SIGNATURE, "client_data", value="e30"),
    forge(*SIGNATURE, "authenticator_data", value="AAAA"),
    forge(*SIGNATURE, "signature", value="AAAA"),
    forge(*SIGNATURE, "passkey_id", value="psk_0"),
    forge(*SIGNATURE, "rp_id", value="evil.example"),
    forge(*SIGNATURE, "origin", value="http://evil.example"),
    forge(*SIGNATURE, "enrolled", "entry_hash", value="sha256:" + "0" * 64),
    forge(*SIGNATURE, "method", value="pen"),
]
