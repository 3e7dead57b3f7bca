"""A proposal from draft to its end, through the routes: states, events, approvals and the tenant's log (proposals-api §3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from lotus_web.domain.proposals.states import TERMINAL
from lotus_web.models import AuditRecord
from lotus_web.queries.audit.chain import verify_chain
from lotus_web.store.session import db
from tests.contract.callers import Caller
from tests.contract.conftest import Count, MakeCaller, written
from tests.contract.proposals.requests import (
    KEY_CONFLICT,
    add_version,
    approval,
    create,
    created,
    path_of,
    refusal,
    sent,
    step,
)
from tests.support.proposals import create_json, demo, version_json

pytestmark = pytest.mark.environ(DPM_LINEAGE_APIS_ENABLED="true")

SUBMIT = {"RISK": "SUBMITTED_FOR_RISK_REVIEW", "COMPLIANCE": "SUBMITTED_FOR_COMPLIANCE_REVIEW"}


def events_of(caller: Caller, proposal_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = caller.get(path_of(proposal_id, "workflow-events")).json["events"]
    return found


def logged(caller: Caller, proposal_id: str) -> list[str]:
    """Return the types of the events in the trace of a proposal, oldest first."""
    timeline = caller.get(f"/traces/{proposal_id}").json["data"]["timeline"]
    return [entry["type"] for entry in timeline if entry["kind"] == "event"]


def test_the_sample_payloads_lead_from_draft_to_executed(
    engine: Caller, make_caller: MakeCaller, hired: Callable[..., None]
) -> None:
    """Section 9, 27: 22 → 24 → 23 → 25 on a proposal of 20; what approves comes through another account."""
    hired("advisor_demo_1", "compliance_demo_1", "client_demo_1", "ops_demo_1")
    gate = make_caller("gate")
    proposal_id = created(engine, demo(20))
    states, approved = [], []
    for number, part in ((22, "transitions"), (24, "approvals"), (23, "approvals"), (25, "transitions")):
        answer = sent(gate if part == "approvals" else engine, path_of(proposal_id, part), demo(number))
        assert answer.status_code == 200, answer.text
        states.append(answer.json["current_state"])
        approved.append(answer.json["approval"] and answer.json["approval"]["approval_type"])
    assert states == ["COMPLIANCE_REVIEW", "AWAITING_CLIENT_CONSENT", "EXECUTION_READY", "EXECUTED"]
    assert approved == [None, "COMPLIANCE", "CLIENT_CONSENT", None]
    told = events_of(engine, proposal_id)
    assert [(event["event_type"], event["actor_id"]) for event in told] == [
        ("CREATED", "advisor_demo_1"),
        ("SUBMITTED_FOR_COMPLIANCE_REVIEW", "advisor_demo_1"),
        ("COMPLIANCE_APPROVED", "compliance_demo_1"),
        ("CLIENT_CONSENT_RECORDED", "client_demo_1"),
        ("EXECUTED", "ops_demo_1"),
    ]
    assert [event["from_state"] for event in told] == [None, *(event["to_state"] for event in told[:-1])]
    assert [event["reason"] for event in told[1:]] == [
        demo(22)["reason"],
        demo(24)["details"],
        demo(23)["details"],
        demo(25)["reason"],
    ]
    approvals = engine.get(path_of(proposal_id, "approvals")).json["approvals"]
    assert [row["details"] for row in approvals] == [demo(24)["details"], demo(23)["details"]]
    assert engine.get(path_of(proposal_id)).json["proposal"]["current_state"] == "EXECUTED"


@pytest.mark.parametrize(
    ("number", "status", "gate"),
    [(20, "READY", "RISK_REVIEW_REQUIRED"), (21, "READY", "RISK_REVIEW_REQUIRED")],
)
def test_the_sample_proposals_come_to_their_gates(
    engine: Caller, hired: Callable[..., None], number: int, status: str, gate: str
) -> None:
    hired("advisor_demo_1", "advisor_demo_2")
    version = create(engine, demo(number)).json["version"]
    assert (version["status_at_creation"], version["gate_decision"]["gate"]) == (status, gate)


@pytest.mark.parametrize("kind", ["RISK", "COMPLIANCE"])
def test_either_review_leads_to_execution_and_the_log_tells_it(
    app: Flask, adviser: Caller, reviewer: Caller, kind: str
) -> None:
    proposal_id, review = created(adviser), f"{kind}_REVIEW"
    assert step(adviser, proposal_id, SUBMIT[kind], "DRAFT").json["current_state"] == review
    assert approval(reviewer, proposal_id, kind, review).json["current_state"] == "AWAITING_CLIENT_CONSENT"
    consent = approval(adviser, proposal_id, "CLIENT_CONSENT", "AWAITING_CLIENT_CONSENT")
    assert consent.json["current_state"] == "EXECUTION_READY"
    done = step(adviser, proposal_id, "EXECUTED", "EXECUTION_READY", reason={"order": "oms-7"})
    assert done.json["current_state"] == "EXECUTED"
    told = logged(adviser, proposal_id)
    assert told[:3] == ["TraceStarted", "PolicyEvaluated", "ActionProposed"]
    assert "ApprovalRecorded" in told
    assert told[-3:] == ["ActionCommitted", "ActionCommitted", "TraceFinished"]
    with app.app_context():
        assert verify_chain(db.session(), "default").intact


@pytest.mark.parametrize("kind", ["RISK", "COMPLIANCE", "CLIENT_CONSENT"])
def test_an_approval_that_is_withheld_rejects(adviser: Caller, reviewer: Caller, kind: str) -> None:
    proposal_id, state = created(adviser), f"{kind}_REVIEW"
    if kind == "CLIENT_CONSENT":
        step(adviser, proposal_id, SUBMIT["RISK"], "DRAFT")
        approval(reviewer, proposal_id, "RISK", "RISK_REVIEW")
        state = "AWAITING_CLIENT_CONSENT"
    else:
        step(adviser, proposal_id, SUBMIT[kind], "DRAFT")
    by = adviser if kind == "CLIENT_CONSENT" else reviewer
    answer = approval(by, proposal_id, kind, state, approved=False).json
    assert (answer["current_state"], answer["latest_workflow_event"]["event_type"]) == ("REJECTED", "REJECTED")
    assert (answer["approval"]["approved"], answer["approval"]["voided_at"]) == (False, None)
    assert logged(adviser, proposal_id)[-1] == "TraceFinished"


def test_what_has_ended_stays_as_it_is(adviser: Caller, reviewer: Caller, count_rows: Callable[[], Count]) -> None:
    proposal_id = created(adviser)
    assert step(adviser, proposal_id, "CANCELLED", "DRAFT").json["current_state"] == "CANCELLED"
    assert "CANCELLED" in TERMINAL
    before = count_rows()
    assert refusal(step(adviser, proposal_id, "CANCELLED", "CANCELLED")) == (422, "INVALID_TRANSITION")
    assert refusal(add_version(adviser, proposal_id)) == (422, "PROPOSAL_TERMINAL_STATE: cannot create version")
    assert refusal(approval(reviewer, proposal_id, "RISK", "CANCELLED")) == (422, "INVALID_APPROVAL_STATE")
    assert written(before, count_rows()) == {"dg_audit_records": 3}


def test_rejecting_what_is_under_review_is_a_reviewers_and_everything_else_an_advisers(
    adviser: Caller, reviewer: Caller
) -> None:
    one, two = created(adviser), created(adviser, key="key-2")
    step(adviser, one, SUBMIT["RISK"], "DRAFT")
    missing = step(adviser, one, "REJECTED", "RISK_REVIEW")
    assert (missing.status_code, missing.json["permission"]) == (403, "workflow_review")
    assert step(reviewer, one, "REJECTED", "RISK_REVIEW").json["current_state"] == "REJECTED"
    for proposal_id in (two, "pp_of_nobody"):
        for event in ("SUBMITTED_FOR_RISK_REVIEW", "CANCELLED", "EXECUTED"):
            missing = step(reviewer, proposal_id, event, "DRAFT")
            assert (missing.status_code, missing.json["permission"]) == (403, "proposals_write")
    step(adviser, two, SUBMIT["RISK"], "DRAFT")
    approval(reviewer, two, "RISK", "RISK_REVIEW")
    missing = step(reviewer, two, "REJECTED", "AWAITING_CLIENT_CONSENT")
    assert (missing.status_code, missing.json["permission"]) == (403, "proposals_write")
    missing = approval(reviewer, two, "CLIENT_CONSENT", "AWAITING_CLIENT_CONSENT")
    assert (missing.status_code, missing.json["permission"]) == (403, "proposals_write")
    missing = approval(adviser, two, "RISK", "RISK_REVIEW")
    assert (missing.status_code, missing.json["permission"]) == (403, "workflow_review")


def test_a_repeated_step_is_the_first_answer_whatever_has_happened_since(
    adviser: Caller, reviewer: Caller, count_rows: Callable[[], Count]
) -> None:
    proposal_id = created(adviser)
    submitted = step(adviser, proposal_id, SUBMIT["RISK"], "DRAFT", key="submit")
    approved = approval(reviewer, proposal_id, "RISK", "RISK_REVIEW", key="approve", details={"score": 0.5})
    version = add_version(adviser, proposal_id, key="again")
    assert step(adviser, proposal_id, "CANCELLED", "DRAFT").status_code == 200
    before = count_rows()
    assert step(adviser, proposal_id, SUBMIT["RISK"], "DRAFT", key="submit").data == submitted.data
    repeated = approval(reviewer, proposal_id, "RISK", "RISK_REVIEW", key="approve", details={"score": 0.5})
    assert repeated.data == approved.data
    assert repeated.json["approval"]["details"] == {"score": 0.5}
    assert add_version(adviser, proposal_id, key="again").data == version.data
    assert written(before, count_rows()) == {}


def test_a_key_belongs_to_one_request_of_a_proposal_whatever_kind_it_is(adviser: Caller, reviewer: Caller) -> None:
    one, two = created(adviser), created(adviser, key="key-2")
    step(adviser, one, SUBMIT["RISK"], "DRAFT", key="k")
    assert refusal(step(adviser, one, "CANCELLED", "DRAFT", key="k")) == (409, KEY_CONFLICT)
    assert refusal(approval(reviewer, one, "RISK", "RISK_REVIEW", key="k")) == (409, KEY_CONFLICT)
    assert refusal(add_version(adviser, one, key="k")) == (409, KEY_CONFLICT)
    assert step(adviser, two, SUBMIT["RISK"], "DRAFT", key="k").status_code == 200
    assert step(adviser, two, "CANCELLED", "RISK_REVIEW", key="key-1").status_code == 200


def test_a_key_in_the_reason_is_only_a_reason(adviser: Caller) -> None:
    """Section 8, 10: what a caller writes into a reason never swallows a later request."""
    proposal_id = created(adviser)
    step(adviser, proposal_id, SUBMIT["RISK"], "DRAFT", reason={"idempotency_key": "k"})
    assert step(adviser, proposal_id, "CANCELLED", "RISK_REVIEW", key="k").json["current_state"] == "CANCELLED"


def test_a_version_leads_back_to_the_version_before(engine: Caller, adviser: Caller) -> None:
    made = create(adviser, correlation="c-1").json
    proposal_id = made["proposal"]["proposal_id"]
    second = add_version(adviser, proposal_id).json["version"]["proposal_version_id"]
    edges = {
        (edge["edge_type"], edge["source_kind"], edge["source_entity_id"], edge["target_entity_id"])
        for edge in engine.get(f"/rebalance/lineage/{second}").json["edges"]
    }
    first = made["version"]["proposal_version_id"]
    assert edges == {
        ("DERIVED_FROM", "proposal", second, first),
        ("VERSION_OF", "proposal", second, proposal_id),
    }
    around = {edge["edge_type"] for edge in engine.get(f"/rebalance/lineage/{proposal_id}").json["edges"]}
    assert around == {"CORRELATION_TO_PROPOSAL", "IDEMPOTENCY_TO_PROPOSAL", "VERSION_OF"}


def test_refusals_are_recorded_as_what_was_tried_on_what(app: Flask, adviser: Caller) -> None:
    proposal_id = created(adviser)
    somebody = {"created_by": "somebody.else"}
    create(adviser, create_json(**somebody), key="key-2")
    sent(adviser, path_of(proposal_id, "transitions"), {})
    step(adviser, proposal_id, "EXECUTED", "DRAFT")
    approval(adviser, proposal_id, "RISK", "DRAFT")
    add_version(adviser, proposal_id, version_json(**somebody))
    with app.app_context():
        rows = db.session.scalars(select(AuditRecord).order_by(AuditRecord.audit_seq)).all()
    assert [(row.action, row.subject, row.code) for row in rows] == [
        ("create_proposal", "/api/v1/rebalance/proposals", "ACTOR_MISMATCH"),
        ("move_proposal", proposal_id, "invalid_argument"),
        ("EXECUTED", proposal_id, "INVALID_TRANSITION"),
        ("RISK", proposal_id, "FORBIDDEN"),
        ("create_proposal_version", proposal_id, "ACTOR_MISMATCH"),
    ]
