"""What was shown is what a decision records, by every surface: the digest that came with it, or honestly that none did."""

from __future__ import annotations

import argparse
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update

from lotus_web.domain.access import Role
from lotus_web.domain.accounts.credentials import secret_hash
from lotus_web.domain.canonical import content_hash
from lotus_web.domain.items.actions import Action
from lotus_web.models import Decision, DecisionEvidence, EventLogEntry, PersonSession, WorkflowAction
from lotus_web.store.session import db, transaction
from lotus_web.wire import lotus_verify
from lotus_web.wire.packed import pack
from tests.conftest import MakeApp
from tests.contract.callers import Caller, review_request, segment
from tests.contract.conftest import MakeCaller
from tests.servers.patience import PATIENCE
from tests.support.histories import act, unguarded
from tests.support.logs import log_settings, sign
from tests.support.people import hidden_fields, hire, post, sign_in
from tests.support.waiting import until_it_waits

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")
SELF_CONSISTENT = argparse.Namespace(key=[], witness=[])
REASON = {"reason": "Within the mandate.", "reason_code": "REVIEW_APPROVED"}


@pytest.fixture
def app(make_app: MakeApp, tmp_path: Path) -> Flask:
    """A deployment that signs its log."""
    return make_app(**log_settings(tmp_path))


@pytest.fixture
def rosa(make_caller: MakeCaller) -> Caller:
    """Who decides by JSON."""
    return make_caller("rosa")


def item_of(engine: Caller, correlation: str) -> tuple[str, str]:
    """Record a run that waits for review; return its id and that of its item."""
    run = engine.run(review_request(), correlation=correlation)["rebalance_run_id"]
    return run, f"{correlation}:exception:{run}"


def said(app: Flask) -> dict[str, Any]:
    """Return what the last approval in the log says of itself."""
    query = select(EventLogEntry.payload).where(EventLogEntry.event_type == "ApprovalRecorded")
    with app.app_context():
        found: dict[str, Any] = db.session.scalars(query.order_by(EventLogEntry.log_seq.desc()).limit(1)).one()
    return found["evidence"]


def approve(caller: Caller, workflow_id: str, tag: str | None = None, **more: Any) -> Any:
    headers = {"If-Match": f'"{tag}"'} if tag else {}
    body = {"action": "approve", **REASON, **more}
    return caller.send("POST", f"/workflows/{segment(workflow_id)}/actions", json=body, headers=headers)


def digest_of(caller: Caller, workflow_id: str) -> str:
    answer = caller.get(f"/workflows/{segment(workflow_id)}")
    found: str = answer.json["data"]["review_context"]["evidence_digest"]
    assert answer.headers["ETag"] == f'"{found}"'
    return found


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["error"]["code"] if "error" in answer.json else answer.json["detail"]


def test_a_program_decides_on_what_it_read_and_the_receipt_holds_it(app: Flask, engine: Caller, rosa: Caller) -> None:
    _, workflow_id = item_of(engine, "read")
    read = digest_of(rosa, workflow_id)
    assert digest_of(engine, workflow_id) == read
    assert code_of(approve(rosa, workflow_id, "sha256:" + "0" * 64)) == (409, "evidence_changed")
    assert code_of(approve(rosa, workflow_id, read, evidence_digest="sha256:0")) == (422, "invalid_argument")
    comment = {"action": "comment", "note": "Looking."}
    rosa.send("POST", f"/workflows/{segment(workflow_id)}/actions", json=comment)
    assert code_of(approve(rosa, workflow_id, read)) == (409, "evidence_changed")
    assert approve(rosa, workflow_id, read := digest_of(rosa, workflow_id)).status_code == 200
    found = said(app)
    assert (found["presented"], found["evidence_digest"]) == (True, read)
    assert found["signed_in"]["method"] == "token" and found["signed_in"]["address"] == "127.0.0.1"
    with app.app_context():
        sign(app)
        decision = db.session.scalars(select(Decision.decision_id)).one()
    path = f"/decisions/{decision}/receipt"
    receipt = json.loads(rosa.get(path).data)
    shown = receipt["evidence"]
    assert content_hash(shown) == read and lotus_verify.verify(lotus_verify.written(receipt), SELF_CONSISTENT)
    assert {"findings", "by_class", "by_position", "orders", "cash", "notes"} <= set(shown["evidence"])
    assert shown["item"]["workflow_id"] == workflow_id and "shown" in shown["precedents"]
    archive = rosa.get(f"/admin/workflows/{segment(workflow_id)}/archive").data
    assert "1 evidence document(s)" in lotus_verify.verify(archive, SELF_CONSISTENT)[0]
    shown["evidence"]["currency"] = "USD"
    with pytest.raises(lotus_verify.Refused, match="evidence is another"):
        lotus_verify.verify(lotus_verify.written(receipt), SELF_CONSISTENT)
    with app.app_context(), unguarded("dpm_decision_evidence") as session:
        session.execute(update(DecisionEvidence).values(document=pack(shown)))
    assert code_of(rosa.get(path)) == (409, "evidence_mismatch")
    with app.app_context(), transaction() as session:
        session.execute(delete(DecisionEvidence))
    purged = json.loads(rosa.get(path).data)
    assert (purged["evidence"], purged["decision"]["presented"]) == (None, True)
    assert lotus_verify.verify(lotus_verify.written(purged), SELF_CONSISTENT)


def test_a_decision_without_evidence_says_so(app: Flask, engine: Caller, rosa: Caller) -> None:
    run, workflow_id = item_of(engine, "blind")
    assert rosa.decide(run, "REQUEST_CHANGES").status_code == 200
    with app.app_context():
        details = db.session.scalars(
            select(WorkflowAction.details).where(WorkflowAction.action_type == Action.REQUEST_CHANGE.value)
        ).one()
    assert (details["presented"], details["signed_in"]["method"]) == (False, "token")
    digest = digest_of(rosa, workflow_id)
    assert rosa.decide(run, evidence_digest="sha256:0").json["detail"] == "EVIDENCE_CHANGED"
    assert approve(rosa, workflow_id).status_code == 200
    found = said(app)
    assert found["presented"] is False and "evidence_digest" not in found
    other, _ = item_of(engine, "by-the-gate")
    assert rosa.decide(other, evidence_digest=digest).json["detail"] == "EVIDENCE_CHANGED"
    with app.app_context():
        assert db.session.scalars(select(DecisionEvidence.digest)).all() == []


@pytest.mark.environ(LOTUS_REQUIRE_EVIDENCE="true")
def test_where_evidence_is_required_no_surface_decides_without(app: Flask, engine: Caller, rosa: Caller) -> None:
    run, workflow_id = item_of(engine, "required")
    assert code_of(approve(rosa, workflow_id)) == (409, "evidence_required")
    for action in ("APPROVE", "REJECT", "REQUEST_CHANGES"):
        assert code_of(rosa.decide(run, action)) == (409, "EVIDENCE_REQUIRED")
    nora, fields = page_of(app, workflow_id)
    answer = post(nora, f"/inbox/{segment(workflow_id)}", {**fields, "evidence": ""})
    assert answer.status_code == 409 and "send the digest of what was shown" in answer.text
    claim = {"action": "claim"}
    assert rosa.send("POST", f"/workflows/{segment(workflow_id)}/actions", json=claim).status_code == 200
    digest = digest_of(rosa, workflow_id)
    assert rosa.decide(run, evidence_digest=digest).status_code == 200
    assert said(app)["evidence_digest"] == digest


def page_of(app: Flask, workflow_id: str, name: str = "nora") -> tuple[FlaskClient, dict[str, str]]:
    """Sign somebody in and open an item; return the form of a rejection as they would send it."""
    hire(app, name, Role.REVIEWER)
    client = app.test_client()
    sign_in(client, name)
    page = client.get(f"/inbox/{segment(workflow_id)}")
    assert page.status_code == 200
    form = page.text[page.text.index('id="fold-reject"') :]
    seal = re.findall(r'name="evidence" value="([^"]+)"', form)[0]
    kept = {name: value for name, value in hidden_fields(page).items() if name in ("version", "digest")}
    return client, {**kept, "action": "reject", "reason_code": "OTHER", "text": "Too far.", "evidence": seal}


def test_a_page_seals_what_it_showed_to_whom_and_when(app: Flask, engine: Caller, rosa: Caller) -> None:
    _, workflow_id = item_of(engine, "page")
    nora, fields = page_of(app, workflow_id)
    digest = digest_of(rosa, workflow_id)
    # Another like it is decided while the page is open: that is no part of what the page showed.
    assert approve(rosa, item_of(engine, "meanwhile")[1]).status_code == 200
    assert digest_of(rosa, workflow_id) != digest
    assert post(nora, f"/inbox/{segment(workflow_id)}", fields).status_code == 303
    found = said(app)
    assert (found["presented"], found["evidence_digest"]) == (True, digest)
    assert found["seconds_open"] >= 0
    with app.app_context():
        sessions = db.session.scalars(select(PersonSession.session_hash).where(PersonSession.name == "nora")).all()
    assert found["signed_in"] == {"method": "password", "session": sessions[0], "address": "127.0.0.1"}
    assert sessions[0] == secret_hash_of(nora)


def secret_hash_of(client: FlaskClient) -> str:
    with client.session_transaction() as session:
        return secret_hash(session["_user_id"])


@pytest.mark.stores("sqlite")
def test_a_seal_of_another_page_or_person_presents_nothing(app: Flask, engine: Caller) -> None:
    items = [item_of(engine, f"seal-{number}")[1] for number in range(3)]
    nora, of_nora = page_of(app, items[0])
    tomas, of_tomas = page_of(app, items[1], "tomas")
    _, of_third = page_of(app, items[2], "tilda")
    stolen, elsewhere = {**of_tomas, "evidence": of_nora["evidence"]}, {**of_nora, "evidence": of_third["evidence"]}
    for client, workflow_id, fields in ((tomas, items[1], stolen), (nora, items[0], elsewhere)):
        assert post(client, f"/inbox/{segment(workflow_id)}", fields).status_code == 303
        assert said(app)["presented"] is False


def test_a_digest_is_compared_with_what_there_is_when_it_is_decided(app: Flask, engine: Caller, rosa: Caller) -> None:
    """Whoever comments on the item while a decision waits for the lock has changed what there is to see."""
    _, workflow_id = item_of(engine, "corr-waits")
    digest = digest_of(rosa, workflow_id)
    with ThreadPoolExecutor(1) as pool:
        with app.app_context(), transaction() as session:
            act(session, workflow_id, Action.COMMENT)
            waiting = pool.submit(approve, rosa, workflow_id, evidence_digest=digest)
            until_it_waits(session, waiting)
        assert code_of(waiting.result(PATIENCE)) == (409, "evidence_changed")
    assert approve(rosa, workflow_id, digest_of(rosa, workflow_id)).status_code == 200
