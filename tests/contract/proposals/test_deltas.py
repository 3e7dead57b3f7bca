"""What we do better than the reference on purpose, a test for each row of the page (deltas 29–41)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from lotus_web.domain.access import Permission
from lotus_web.domain.proposals.reviews import review_item_id
from lotus_web.services.proposals import create as module
from lotus_web.store.session import transaction
from tests.contract.callers import Caller, segment
from tests.contract.conftest import Count, MakeCaller, written
from tests.contract.proposals.evidence import found_in, secretive
from tests.contract.proposals.requests import (
    KEY_CONFLICT,
    STATE_MISMATCH,
    STATE_REQUIRED,
    add_version,
    approval,
    create,
    created,
    path_of,
    refusal,
    sent,
    step,
)
from tests.support.proposals import blocked, create_json, demo, version_json

INSERT_ONLY = ("proposal_versions", "proposal_events", "proposal_approvals")


def under_review(adviser: Caller, key: str = "key-1") -> str:
    proposal_id = created(adviser, key=key)
    assert step(adviser, proposal_id, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT").status_code == 200
    return proposal_id


def consented(adviser: Caller, reviewer: Caller) -> str:
    proposal_id = under_review(adviser)
    assert approval(reviewer, proposal_id, "RISK", "RISK_REVIEW").status_code == 200
    assert approval(adviser, proposal_id, "CLIENT_CONSENT", "AWAITING_CLIENT_CONSENT").status_code == 200
    return proposal_id


def test_delta_29_versions_events_and_approvals_are_only_ever_added(
    app: Flask, adviser: Caller, reviewer: Caller
) -> None:
    consented(adviser, reviewer)
    for table in (*INSERT_ONLY, "proposal_documents", "proposal_keys"):
        verbs = (
            ("UPDATE {} SET tenant_id = 'x'", "DELETE FROM {}")
            if table in INSERT_ONLY
            else ("UPDATE {} SET tenant_id = 'x'",)
        )
        for verb in verbs:
            with app.app_context(), pytest.raises(DatabaseError, match="append-only"), transaction() as session:
                session.execute(text(verb.format(table)))


def test_delta_29_the_store_refuses_what_leaves_an_ended_proposal(app: Flask, adviser: Caller) -> None:
    created(adviser)
    copied = (
        "event_id, tenant_id, proposal_id, event_type, from_state, to_state, actor_id, recorded_by, occurred_at, reason"
    )
    query = (
        f"INSERT INTO proposal_events ({copied}, related_version_no, correlation_id, surface)"
        " SELECT 'pwe_x', tenant_id, proposal_id, event_type, 'EXECUTED', to_state, actor_id, recorded_by, occurred_at,"
        " reason, related_version_no, correlation_id, surface FROM proposal_events"
    )
    with app.app_context(), pytest.raises(DatabaseError), transaction() as session:
        session.execute(text(query))


@pytest.mark.parametrize("kind", ["RISK_APPROVED", "COMPLIANCE_APPROVED", "CLIENT_CONSENT_RECORDED"])
def test_delta_30_approvals_are_not_posted_as_transitions(adviser: Caller, reviewer: Caller, kind: str) -> None:
    proposal_id, state = created(adviser), "RISK_REVIEW"
    step(adviser, proposal_id, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT")
    if kind == "COMPLIANCE_APPROVED":
        proposal_id, state = created(adviser, key="key-2"), "COMPLIANCE_REVIEW"
        step(adviser, proposal_id, "SUBMITTED_FOR_COMPLIANCE_REVIEW", "DRAFT")
    elif kind == "CLIENT_CONSENT_RECORDED":
        approval(reviewer, proposal_id, "RISK", state)
        state = "AWAITING_CLIENT_CONSENT"
    assert refusal(step(adviser, proposal_id, kind, state)) == (422, "APPROVAL_REQUIRED")
    assert refusal(step(adviser, proposal_id, kind, state, related_version_no=2)) == (409, "VERSION_CONFLICT")


def test_delta_30_a_blocked_version_is_not_submitted(adviser: Caller) -> None:
    proposal_id = created(adviser, blocked(create_json(created_by=adviser.account)))
    for event in ("SUBMITTED_FOR_RISK_REVIEW", "SUBMITTED_FOR_COMPLIANCE_REVIEW"):
        assert refusal(step(adviser, proposal_id, event, "DRAFT")) == (422, "PROPOSAL_BLOCKED")
    assert add_version(adviser, proposal_id).json["version"]["status_at_creation"] == "READY"
    assert step(adviser, proposal_id, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT").status_code == 200


@pytest.mark.parametrize("number", [0, 2, 77, -1, 10**30])
def test_delta_30_another_version_than_the_current_one_is_a_conflict(adviser: Caller, number: int) -> None:
    proposal_id = created(adviser)
    answer = step(adviser, proposal_id, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT", related_version_no=number)
    assert refusal(answer) == (409, "VERSION_CONFLICT")
    answer = step(adviser, proposal_id, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT", related_version_no=1)
    assert answer.json["latest_workflow_event"]["related_version_no"] == 1


def test_delta_30_a_new_version_is_a_draft_and_voids_the_approvals(adviser: Caller, reviewer: Caller) -> None:
    proposal_id = consented(adviser, reviewer)
    second = add_version(adviser, proposal_id)
    assert (second.json["proposal"]["current_state"], second.json["proposal"]["current_version_no"]) == ("DRAFT", 2)
    assert refusal(step(adviser, proposal_id, "EXECUTED", "DRAFT")) == (422, "INVALID_TRANSITION")
    assert refusal(step(adviser, proposal_id, "EXECUTED", "EXECUTION_READY")) == (409, STATE_MISMATCH)
    step(adviser, proposal_id, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT", related_version_no=2)
    again = approval(reviewer, proposal_id, "RISK", "RISK_REVIEW", related_version_no=2)
    assert again.json["approval"]["related_version_no"] == 2


@pytest.mark.environ(PROPOSAL_KEEP_STATE_ON_NEW_VERSION="true")
def test_delta_30_the_reference_keeps_state_and_approvals(adviser: Caller, reviewer: Caller) -> None:
    proposal_id = consented(adviser, reviewer)
    second = add_version(adviser, proposal_id).json
    event = second["latest_workflow_event"]
    assert (event["from_state"], event["to_state"]) == ("EXECUTION_READY", "EXECUTION_READY")
    approvals = adviser.get(path_of(proposal_id, "approvals")).json["approvals"]
    assert [row["voided_at"] for row in approvals] == [None, None]
    assert step(adviser, proposal_id, "EXECUTED", "EXECUTION_READY").json["current_state"] == "EXECUTED"


def test_delta_31_versions_are_listed_and_take_a_key(adviser: Caller, count_rows: Callable[[], Count]) -> None:
    proposal_id = created(adviser)
    first = add_version(adviser, proposal_id, key="two")
    before = count_rows()
    assert add_version(adviser, proposal_id, key="two").data == first.data
    assert written(before, count_rows()) == {}
    assert add_version(adviser, proposal_id).json["version"]["version_no"] == 3
    told = adviser.get(path_of(proposal_id, "versions")).json
    assert (told["proposal_id"], told["current_version_no"]) == (proposal_id, 3)
    assert [(row["version_no"], row["created_by"]) for row in told["versions"]] == [
        (number, adviser.account) for number in (1, 2, 3)
    ]


def test_delta_31_a_version_may_name_the_version_that_it_replaces(adviser: Caller) -> None:
    proposal_id = created(adviser)
    body = version_json(created_by=adviser.account, expected_version_no=1)
    assert add_version(adviser, proposal_id, body).json["version"]["version_no"] == 2
    assert refusal(add_version(adviser, proposal_id, body)) == (409, "VERSION_CONFLICT")


def test_delta_33_a_fault_tells_the_correlation_id_and_nothing_of_its_cause(
    app: Flask, adviser: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a secret of the program")

    monkeypatch.setattr(module, "compute_version", broken)
    app.testing = False
    answer = create(adviser, correlation="desk-9")
    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert answer.json["correlation_id"] == answer.headers["X-Correlation-Id"] == "desk-9"
    assert "secret" not in answer.text


def test_delta_35_an_exchange_never_leaves_a_rounding_overdraft(engine: Caller) -> None:
    body = create_json(created_by=engine.account)
    body["simulate_request"] = funded = demo(11)
    for price in funded["market_data_snapshot"]["prices"]:
        price["price"] = "33.3335"
    funded["proposed_trades"][0]["quantity"] = "3"
    result = create(engine, body).json["version"]["proposal_result"]
    (exchange,) = (row for row in result["intents"] if row["intent_type"] == "FX_SPOT")
    assert (result["status"], exchange["buy_amount"]) == ("READY", "100.01")
    assert all(not row["amount"].startswith("-") for row in result["after_simulated"]["cash_balances"])


def test_delta_34_hashes_do_not_tell_one_call_from_another(adviser: Caller) -> None:
    proposal_id = created(adviser)
    one, two = (add_version(adviser, proposal_id, key=key).json["version"] for key in (None, "a key"))
    for name in ("request_hash", "simulation_hash", "artifact_hash"):
        assert one[name] == two[name]


def test_delta_36_refusals_come_in_one_order(adviser: Caller, engine: Caller, make_caller: MakeCaller) -> None:
    """Each request below is wrong in every way that is left; the ways are mended one after the other."""
    made_by = make_caller("both", (Permission.PROPOSALS_WRITE, Permission.WORKFLOW_REVIEW))
    body = blocked(create_json(created_by=made_by.account))
    proposal_id = created(made_by, body)
    step(made_by, proposal_id, "CANCELLED", None, key="k")  # refused, so the key stays free
    assert refusal(step(made_by, "pp_of_nobody", "EXECUTED", None, key="k", related_version_no=7)) == (
        404,
        "PROPOSAL_NOT_FOUND",
    )
    used = created(made_by, key="key-2")
    step(made_by, used, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT", key="k")
    assert refusal(step(made_by, used, "EXECUTED", None, key="k", related_version_no=7)) == (409, KEY_CONFLICT)
    wrong: dict[str, Any] = {"related_version_no": 7}
    assert refusal(step(made_by, proposal_id, "EXECUTED", None, **wrong)) == (409, STATE_REQUIRED)
    assert refusal(step(made_by, proposal_id, "EXECUTED", "EXECUTED", **wrong)) == (409, STATE_MISMATCH)
    assert refusal(step(made_by, proposal_id, "EXECUTED", "DRAFT", **wrong)) == (409, "VERSION_CONFLICT")
    assert refusal(step(made_by, proposal_id, "EXECUTED", "DRAFT")) == (422, "INVALID_TRANSITION")
    assert refusal(step(made_by, proposal_id, "RISK_APPROVED", "DRAFT")) == (422, "INVALID_TRANSITION")
    assert refusal(step(made_by, used, "RISK_APPROVED", "RISK_REVIEW")) == (422, "APPROVAL_REQUIRED")
    assert refusal(step(made_by, proposal_id, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT")) == (422, "PROPOSAL_BLOCKED")
    assert refusal(approval(made_by, used, "RISK", None, **wrong)) == (409, STATE_REQUIRED)
    assert refusal(approval(made_by, used, "COMPLIANCE", "DRAFT", **wrong)) == (409, STATE_MISMATCH)
    assert refusal(approval(made_by, used, "COMPLIANCE", "RISK_REVIEW", **wrong)) == (409, "VERSION_CONFLICT")
    assert refusal(approval(made_by, used, "COMPLIANCE", "RISK_REVIEW")) == (422, "INVALID_APPROVAL_STATE")
    assert refusal(approval(made_by, used, "RISK", "RISK_REVIEW")) == (403, "FOUR_EYES")


def test_delta_36_versions_are_refused_in_the_order_of_the_contract(adviser: Caller) -> None:
    proposal_id = created(adviser)
    add_version(adviser, proposal_id, key="k")
    step(adviser, proposal_id, "CANCELLED", "DRAFT")
    wrong = version_json(created_by=adviser.account)
    wrong["simulate_request"]["options"] = {}
    wrong["simulate_request"]["portfolio_snapshot"]["portfolio_id"] = "another"
    assert refusal(add_version(adviser, "pp_of_nobody", wrong, key="k")) == (404, "PROPOSAL_NOT_FOUND")
    assert refusal(add_version(adviser, proposal_id, wrong, key="k")) == (409, KEY_CONFLICT)
    assert refusal(add_version(adviser, proposal_id, wrong)) == (422, "PROPOSAL_TERMINAL_STATE: cannot create version")
    other = created(adviser, key="key-2")
    assert refusal(add_version(adviser, other, wrong)) == (
        422,
        "PROPOSAL_SIMULATION_DISABLED: set options.enable_proposal_simulation=true",
    )
    wrong["simulate_request"]["options"] = {"enable_proposal_simulation": True}
    assert refusal(add_version(adviser, other, wrong)) == (422, "PORTFOLIO_CONTEXT_MISMATCH")


def test_delta_37_who_made_the_version_does_not_approve_it(
    engine: Caller, make_caller: MakeCaller, hired: Callable[..., None], count_rows: Callable[[], Count]
) -> None:
    """Neither whoever is named, nor through the account that sent it; who only submitted it may."""
    hired("maker", "submitter")
    gate = make_caller("gate")
    proposal_id = created(engine, create_json(created_by="maker"))
    step(engine, proposal_id, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT", actor_id="submitter")
    before = count_rows()
    for caller, named in ((gate, "maker"), (engine, "submitter")):
        refused = approval(caller, proposal_id, "RISK", "RISK_REVIEW", actor_id=named)
        assert refusal(refused) == (403, "FOUR_EYES")
        assert refused.json["submitted_by"] == "maker"
    assert written(before, count_rows()) == {"dg_audit_records": 2}
    assert approval(gate, proposal_id, "RISK", "RISK_REVIEW", actor_id="submitter").status_code == 200
    assert (
        approval(engine, proposal_id, "CLIENT_CONSENT", "AWAITING_CLIENT_CONSENT", actor_id="maker").json[
            "current_state"
        ]
        == "EXECUTION_READY"
    )


def test_delta_37_a_token_that_speaks_for_others_approves_nothing_of_its_own(
    engine: Caller, make_caller: MakeCaller, hired: Callable[..., None], count_rows: Callable[[], Count]
) -> None:
    """Neither in the name of someone else, nor for someone else in its own, by a posted approval or in the inbox."""
    hired("maker", "nora")
    own = under_review(engine)
    sent_for_another = created(engine, create_json(created_by="maker"), key="key-2")
    step(engine, sent_for_another, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT")
    another = make_caller("another-bot", (Permission.RUNS_READ, Permission.WORKFLOW_REVIEW, Permission.ACT_ON_BEHALF))
    attempts = (
        (engine, own, engine.account, "engine-feed made version 1"),
        (engine, own, "nora", "engine-feed made version 1"),
        (engine, sent_for_another, engine.account, "engine-feed recorded it in the name of another"),
        (engine, sent_for_another, "nora", "engine-feed recorded it in the name of another"),
        (another, sent_for_another, "maker", "maker made version 1"),
    )
    for caller, proposal_id, named, told in attempts:
        before, sentence = count_rows(), f"{told}: someone else must approve it."
        refused = approval(caller, proposal_id, "RISK", "RISK_REVIEW", actor_id=named)
        assert refusal(refused) == (403, "FOUR_EYES")
        item = f"/workflows/{segment(review_item_id(proposal_id))}/actions"
        inbox = caller.send("POST", item, json={"action": "approve", "actor_id": named, "reason": "Fine."})
        assert (inbox.status_code, inbox.json["error"]["message"]) == (403, sentence)
        assert written(before, count_rows()) == {"dg_audit_records": 2}
    assert approval(another, sent_for_another, "RISK", "RISK_REVIEW", actor_id="nora").status_code == 200
    assert approval(another, own, "RISK", "RISK_REVIEW").status_code == 200


def test_delta_37_the_maker_may_reject_and_only_the_last_maker_counts(
    engine: Caller, make_caller: MakeCaller, hired: Callable[..., None]
) -> None:
    hired("first", "second")
    gate = make_caller("gate")
    proposal_id = created(engine, create_json(created_by="first"))
    add_version(engine, proposal_id, version_json(created_by="second"))
    step(engine, proposal_id, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT")
    assert refusal(approval(gate, proposal_id, "RISK", "RISK_REVIEW", actor_id="second")) == (403, "FOUR_EYES")
    assert approval(gate, proposal_id, "RISK", "RISK_REVIEW", actor_id="first").status_code == 200
    other = created(engine, create_json(created_by="first"), key="key-2")
    step(engine, other, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT")
    answer = approval(engine, other, "RISK", "RISK_REVIEW", actor_id="first", approved=False)
    assert answer.json["current_state"] == "REJECTED"


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(0, marks=pytest.mark.environ(PROPOSAL_FOUR_EYES="false"), id="off"),
        pytest.param(1, marks=pytest.mark.environ(LOTUS_FOUR_EYES_EXEMPT_TENANTS="default"), id="exempt"),
    ],
)
def test_delta_37_four_eyes_can_be_lifted_and_an_exemption_is_recorded(
    engine: Caller, count_rows: Callable[[], Count], lines: int
) -> None:
    proposal_id = created(engine)
    step(engine, proposal_id, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT")
    before = count_rows()["dg_audit_records"]
    assert approval(engine, proposal_id, "RISK", "RISK_REVIEW").status_code == 200
    assert count_rows()["dg_audit_records"] - before == lines


def test_delta_38_a_void_approval_stays_and_says_what_voided_it(adviser: Caller, reviewer: Caller) -> None:
    proposal_id = consented(adviser, reviewer)
    before = adviser.get(path_of(proposal_id, "approvals")).json["approvals"]
    assert [(row["voided_at"], row["voided_by_version_no"]) for row in before] == [(None, None)] * 2
    second = add_version(adviser, proposal_id).json
    third = add_version(adviser, proposal_id).json
    event = second["latest_workflow_event"]
    assert (event["event_type"], event["from_state"], event["to_state"], event["related_version_no"]) == (
        "NEW_VERSION_CREATED",
        "EXECUTION_READY",
        "DRAFT",
        2,
    )
    assert third["latest_workflow_event"]["from_state"] == "DRAFT"
    step(adviser, proposal_id, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT")
    approval(reviewer, proposal_id, "RISK", "RISK_REVIEW")
    after = adviser.get(path_of(proposal_id, "approvals")).json["approvals"]
    void = {"voided_at": event["occurred_at"], "voided_by_version_no": 2}
    assert after[:2] == [row | void for row in before]
    assert (after[2]["related_version_no"], after[2]["voided_at"]) == (3, None)


@pytest.mark.parametrize("part", ["transitions", "approvals", "versions", ""])
def test_delta_39_an_empty_key_is_refused(adviser: Caller, part: str) -> None:
    proposal_id = created(adviser)
    path = path_of(proposal_id, part) if part else "/rebalance/proposals"
    for key in ("", "a" * 256, "tab\there"):
        answer = sent(adviser, path, {}, key)
        assert answer.status_code == 422
        assert ["header", "Idempotency-Key"] in [problem["loc"] for problem in answer.json["detail"]]


def test_delta_39_a_step_is_taken_in_the_name_of_the_token_or_of_whom_it_speaks_for(
    adviser: Caller, reviewer: Caller
) -> None:
    proposal_id = under_review(adviser)
    other = {"actor_id": "somebody.else"}
    assert refusal(step(adviser, proposal_id, "CANCELLED", "RISK_REVIEW", **other)) == (403, "ACTOR_MISMATCH")
    assert refusal(approval(reviewer, proposal_id, "RISK", "RISK_REVIEW", **other)) == (403, "ACTOR_MISMATCH")
    body = version_json(created_by="somebody.else")
    assert refusal(add_version(adviser, proposal_id, body)) == (403, "ACTOR_MISMATCH")


@pytest.mark.environ(PROPOSAL_STORE_EVIDENCE_BUNDLE="false")
def test_delta_41_evidence_that_is_not_stored_is_nowhere(adviser: Caller) -> None:
    body, planted = secretive(adviser.account)
    made = create(adviser, body)
    proposal_id = made.json["proposal"]["proposal_id"]
    for answer in (made, adviser.get(path_of(proposal_id)), adviser.get(path_of(proposal_id, "versions", "1"))):
        version = answer.json.get("version") or answer.json.get("current_version") or answer.json
        assert version["evidence_bundle"] == version["artifact"]["evidence_bundle"] == {}
        assert found_in(answer.text, planted) == []
        assert version["proposal_result"]["status"] == "READY"
