"""Each switch of proposals, off and on (proposals-api §0, deltas 19, 40)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from lotus_web.store.session import db
from tests.contract.callers import Caller
from tests.contract.conftest import Count, written
from tests.contract.proposals.requests import (
    PROPOSALS,
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

CONFIG = f"{PROPOSALS}/supportability/config"
LOOK_UPS = ("workflow-events", "approvals", "lineage")


def test_the_lifecycle_can_be_switched_off(app: Flask, engine: Caller, count_rows: Callable[[], Count]) -> None:
    proposal_id = created(engine)
    app.extensions["lotus_settings"].environ["PROPOSAL_WORKFLOW_LIFECYCLE_ENABLED"] = "false"
    before, off = count_rows(), (404, "PROPOSAL_WORKFLOW_LIFECYCLE_DISABLED")
    assert refusal(create(engine)) == off
    assert refusal(add_version(engine, proposal_id)) == off
    assert refusal(step(engine, proposal_id, "CANCELLED", "DRAFT")) == off
    assert refusal(approval(engine, proposal_id, "RISK", "DRAFT")) == off
    for path in ("", "versions", "versions/1", *LOOK_UPS):
        assert refusal(engine.get(path_of(proposal_id, path) if path else path_of(proposal_id))) == off
    assert refusal(engine.get(PROPOSALS)) == refusal(engine.get(f"{PROPOSALS}/idempotency/key-1")) == off
    assert written(before, count_rows()) == {}
    assert engine.get(CONFIG).json["lifecycle_enabled"] is False
    simulated = sent(engine, f"{PROPOSALS}/simulate", demo(11), "k")
    assert simulated.status_code == 200


@pytest.mark.environ(PROPOSAL_SUPPORT_APIS_ENABLED="off")
def test_look_ups_can_be_switched_off(engine: Caller) -> None:
    proposal_id = created(engine)
    for path in (*(path_of(proposal_id, part) for part in LOOK_UPS), f"{PROPOSALS}/idempotency/key-1"):
        assert refusal(engine.get(path)) == (404, "PROPOSAL_SUPPORT_APIS_DISABLED")
    for path in (path_of(proposal_id), path_of(proposal_id, "versions"), PROPOSALS):
        assert engine.get(path).status_code == 200
    assert engine.get(CONFIG).json["support_apis_enabled"] is False


@pytest.mark.environ(PROPOSAL_REQUIRE_EXPECTED_STATE="no")
def test_the_expected_state_can_be_left_out_and_is_compared_if_given(engine: Caller) -> None:
    proposal_id = created(engine)
    assert refusal(step(engine, proposal_id, "CANCELLED", "RISK_REVIEW")) == (
        409,
        "STATE_CONFLICT: expected_state mismatch",
    )
    assert step(engine, proposal_id, "SUBMITTED_FOR_RISK_REVIEW", None).status_code == 200


@pytest.mark.environ(PROPOSAL_REQUIRE_SIMULATION_FLAG="0")
def test_the_option_can_be_left_out_of_what_is_recorded_but_not_of_a_simulation(engine: Caller) -> None:
    body, version = create_json(created_by=engine.account), version_json(created_by=engine.account)
    for request in (body, version):
        request["simulate_request"]["options"] = {}
    assert add_version(engine, created(engine, body), version).status_code == 200
    simulated = sent(engine, f"{PROPOSALS}/simulate", body["simulate_request"], "k")
    assert simulated.status_code == 422


@pytest.mark.environ(PROPOSAL_ALLOW_PORTFOLIO_CHANGE_ON_NEW_VERSION="true")
def test_a_version_may_be_of_another_portfolio_where_that_is_allowed(engine: Caller) -> None:
    proposal_id, body = created(engine), version_json(created_by=engine.account)
    body["simulate_request"]["portfolio_snapshot"]["portfolio_id"] = "another"
    made = add_version(engine, proposal_id, body).json
    assert made["proposal"]["portfolio_id"] == create_json()["simulate_request"]["portfolio_snapshot"]["portfolio_id"]
    assert made["version"]["evidence_bundle"]["inputs"]["portfolio_snapshot"]["portfolio_id"] == "another"


def test_delta_40_the_config_says_what_is_switched_on(app: Flask, adviser: Caller) -> None:
    told = adviser.get(CONFIG)
    assert told.json == {
        "store_backend": app.extensions["lotus_settings"].store_backend,
        "backend_ready": True,
        "backend_init_error": None,
        "lifecycle_enabled": True,
        "support_apis_enabled": True,
        "async_operations_enabled": True,
        "store_evidence_bundle": True,
        "require_expected_state": True,
        "allow_portfolio_id_change_on_new_version": False,
        "require_proposal_simulation_flag": True,
    }


def test_delta_40_the_config_answers_while_the_store_is_away(app: Flask, adviser: Caller) -> None:
    def away(*_: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("away"))

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", away)
    try:
        told = adviser.get(CONFIG)
        refused = adviser.get(PROPOSALS)
        unknown = adviser.client.get(f"/api/v1{CONFIG}")
    finally:
        event.remove(engine, "before_cursor_execute", away)
    assert (told.status_code, told.json["backend_ready"]) == (200, False)
    assert told.json["backend_init_error"] == "DPM_STORE_UNAVAILABLE"
    assert (refused.status_code, refused.json) == (503, {"detail": "DPM_STORE_UNAVAILABLE"})
    assert unknown.status_code == 401
