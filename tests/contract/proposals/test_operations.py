"""Proposals and versions made by operations: accepted at once, carried out once, refused on the operation (proposals-api §4)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from lotus_web.config.current import utcnow
from lotus_web.config.policy import DeploymentPolicy
from lotus_web.domain.operations import OperationType
from lotus_web.jobs.context import JobContext
from lotus_web.jobs.operations import run_due
from lotus_web.models import Operation, OperationPayload
from lotus_web.services.operations.leases import LeaseTerms, claim_operation
from lotus_web.services.operations.worker import Assignment
from lotus_web.services.proposals import operation as proposals
from lotus_web.store.session import db, transaction
from tests.contract.callers import Caller, segment
from tests.contract.proposals.requests import (
    DISABLED,
    KEY_CONFLICT,
    PROPOSALS,
    add_version,
    create,
    created,
    path_of,
    refusal,
    sent,
    step,
)
from tests.support.proposals import create_json, version_json

ASYNC = f"{PROPOSALS}/async"
ACCEPT_ONLY = pytest.mark.environ(DPM_ASYNC_EXECUTION_MODE="ACCEPT_ONLY")
SQLITE = pytest.mark.stores("sqlite")
FIELDS = {
    *("operation_id", "operation_type", "status", "correlation_id", "idempotency_key", "proposal_id", "created_by"),
    *("created_at", "started_at", "finished_at", "result", "error"),
}


def submit(caller: Caller, path: str = ASYNC, body: Any = None, *, key: str | None = "key-1", **named: Any) -> Any:
    """Post a request that is accepted, and return the answer."""
    asked = body or (create_json if path == ASYNC else version_json)(created_by=caller.account)
    answer = sent(caller, path, asked, key, **named)
    assert answer.status_code == 202, answer.text
    return answer.json


def status_of(caller: Caller, accepted: Any) -> Any:
    answer = caller.get(f"{PROPOSALS}/operations/{accepted['operation_id']}")
    assert answer.status_code == 200, answer.text
    return answer.json


def failure(caller: Caller, accepted: Any) -> tuple[str, Any, Any]:
    found = status_of(caller, accepted)
    return found["status"], found["error"], found["result"]


def jobs(app: Flask) -> Any:
    with app.app_context():
        return run_due(JobContext(app.extensions["lotus_settings"]), utcnow())


def test_a_proposal_is_created_by_its_operation(adviser: Caller) -> None:
    accepted = submit(adviser, correlation="corr-1")
    assert set(accepted) == {"operation_id", "operation_type", "status", "correlation_id", "created_at", "status_url"}
    assert (accepted["operation_type"], accepted["status"]) == ("CREATE_PROPOSAL", "PENDING")
    assert accepted["operation_id"].startswith("pop_")
    assert accepted["status_url"] == f"/api/v1{PROPOSALS}/operations/{accepted['operation_id']}"
    found = status_of(adviser, accepted)
    assert set(found) == FIELDS
    assert (found["status"], found["idempotency_key"], found["created_by"]) == ("SUCCEEDED", "key-1", adviser.account)
    assert (found["correlation_id"], found["error"]) == ("corr-1", None)
    assert found["proposal_id"] == found["result"]["proposal"]["proposal_id"]
    assert found["result"] == create(adviser).json
    assert found["result"]["latest_workflow_event"]["reason"] == {"correlation_id": "corr-1"}


def test_a_version_is_added_by_its_operation(adviser: Caller) -> None:
    proposal_id = created(adviser)
    accepted = submit(adviser, path_of(proposal_id, "versions", "async"), key=None)
    found = status_of(adviser, accepted)
    assert (found["operation_type"], found["status"], found["proposal_id"]) == (
        "CREATE_PROPOSAL_VERSION",
        "SUCCEEDED",
        proposal_id,
    )
    assert found["idempotency_key"] is None
    assert found["result"]["version"]["version_no"] == 2
    assert found["result"]["version"]["proposal_result"]["lineage"]["idempotency_key"] is None


@pytest.mark.environ(DPM_LINEAGE_APIS_ENABLED="true")
def test_a_version_leads_to_the_operation_that_made_it_and_back(engine: Caller) -> None:
    first = submit(engine)
    again = submit(engine)  # the same key: it made nothing
    proposal_id = status_of(engine, first)["proposal_id"]
    second = submit(engine, path_of(proposal_id, "versions", "async"), key=None)
    for operation, number in ((first, 1), (again, None), (second, 2)):
        asked = f"/rebalance/lineage/{operation['operation_id']}"
        caused = [edge for edge in engine.get(asked).json["edges"] if edge["edge_type"] == "CAUSED_BY"]
        versions = {row["version_no"]: row for row in engine.get(path_of(proposal_id, "versions")).json["versions"]}
        assert [(edge["source_kind"], edge["source_entity_id"], edge["target_kind"]) for edge in caused] == (
            [("proposal", versions[number]["proposal_version_id"], "operation")] if number else []
        )
    keys = engine.get(f"/rebalance/lineage/{proposal_id}").json["edges"]
    assert [edge["source_entity_id"] for edge in keys if edge["edge_type"] == "IDEMPOTENCY_TO_PROPOSAL"] == ["key-1"]
    walked = engine.get(f"/rebalance/lineage/{second['operation_id']}", depth="2").json["edges"]
    assert {edge["edge_type"] for edge in walked} >= {"CAUSED_BY", "DERIVED_FROM", "VERSION_OF"}


def test_the_result_is_what_it_was_then_however_late_it_is_read(adviser: Caller) -> None:
    first = submit(adviser)
    before = status_of(adviser, first)
    proposal_id = before["proposal_id"]
    assert add_version(adviser, proposal_id).status_code == 200
    assert step(adviser, proposal_id, "CANCELLED", "DRAFT").status_code == 200
    assert status_of(adviser, first) == before


def test_a_second_submit_with_the_same_key_is_a_second_operation_with_the_same_proposal(adviser: Caller) -> None:
    first, second = status_of(adviser, submit(adviser)), status_of(adviser, submit(adviser))
    assert first["operation_id"] != second["operation_id"]
    assert first["proposal_id"] == second["proposal_id"]
    assert first["result"] == second["result"]
    other = submit(adviser, body=create_json(created_by=adviser.account, metadata={"title": "Another"}))
    assert failure(adviser, other) == (
        "FAILED",
        {"code": "IDEMPOTENCY_KEY_CONFLICT", "message": KEY_CONFLICT},
        None,
    )
    assert len(adviser.get(PROPOSALS).json["items"]) == 1


def test_a_version_of_an_unknown_proposal_is_accepted_and_fails(adviser: Caller) -> None:
    accepted = submit(adviser, path_of("pp_unknown", "versions", "async"), key=None)
    error = {"code": "PROPOSAL_NOT_FOUND", "message": "PROPOSAL_NOT_FOUND"}
    assert failure(adviser, accepted) == ("FAILED", error, None)
    assert status_of(adviser, accepted)["proposal_id"] == "pp_unknown"


def test_each_refusal_of_the_synchronous_routes_ends_an_operation_with_its_code(adviser: Caller) -> None:
    plain = create_json(created_by=adviser.account)
    plain["simulate_request"]["options"]["enable_proposal_simulation"] = False
    disabled = {"code": "PROPOSAL_SIMULATION_DISABLED", "message": DISABLED}
    assert failure(adviser, submit(adviser, body=plain)) == ("FAILED", disabled, None)
    proposal_id = created(adviser)
    path = path_of(proposal_id, "versions", "async")
    stale = version_json(created_by=adviser.account, expected_version_no=7)
    assert failure(adviser, submit(adviser, path, stale))[1]["code"] == "VERSION_CONFLICT"
    elsewhere = version_json(created_by=adviser.account)
    elsewhere["simulate_request"]["portfolio_snapshot"]["portfolio_id"] = "pf_other"
    assert failure(adviser, submit(adviser, path, elsewhere))[1]["code"] == "PORTFOLIO_CONTEXT_MISMATCH"
    step(adviser, proposal_id, "CANCELLED", "DRAFT")
    ended = {"code": "PROPOSAL_TERMINAL_STATE", "message": "PROPOSAL_TERMINAL_STATE: cannot create version"}
    assert failure(adviser, submit(adviser, path))[1] == ended


def test_the_newest_operation_of_a_correlation_id_is_found(adviser: Caller) -> None:
    for key in ("key-1", "key-2", "key-3"):
        last = submit(adviser, key=key, correlation="corr/again")
    by_correlation = adviser.get(f"{PROPOSALS}/operations/by-correlation/{segment('corr/again')}").json
    assert by_correlation["operation_id"] == last["operation_id"]
    assert refusal(adviser.get(f"{PROPOSALS}/operations/by-correlation/none")) == (
        404,
        "PROPOSAL_ASYNC_OPERATION_NOT_FOUND",
    )


def test_the_two_families_do_not_see_each_other(engine: Caller, make_caller: Any) -> None:
    accepted = submit(engine, correlation="corr-1")
    unknown = (404, "DPM_ASYNC_OPERATION_NOT_FOUND")
    assert refusal(engine.get(f"/rebalance/operations/{accepted['operation_id']}")) == unknown
    assert refusal(engine.get("/rebalance/operations/by-correlation/corr-1")) == unknown
    assert refusal(engine.send("POST", f"/rebalance/operations/{accepted['operation_id']}/execute")) == unknown
    assert engine.get("/rebalance/operations").json["items"] == []
    stranger = make_caller("stan", tenant="north")
    path = f"{PROPOSALS}/operations/{accepted['operation_id']}"
    assert refusal(stranger.get(path)) == (404, "PROPOSAL_ASYNC_OPERATION_NOT_FOUND")


@ACCEPT_ONLY
def test_what_is_only_accepted_is_carried_out_by_the_jobs(app: Flask, adviser: Caller) -> None:
    accepted = submit(adviser)
    waiting = status_of(adviser, accepted)
    assert (waiting["status"], waiting["proposal_id"], waiting["result"]) == ("PENDING", None, None)
    assert adviser.get(PROPOSALS).json["items"] == []
    environ = app.extensions["lotus_settings"].environ
    environ["PROPOSAL_WORKFLOW_LIFECYCLE_ENABLED"] = "false"  # what was accepted is carried out all the same
    assert jobs(app) == {"finished": 1, "released": 0}
    environ["PROPOSAL_WORKFLOW_LIFECYCLE_ENABLED"] = "true"
    assert status_of(adviser, accepted)["status"] == "SUCCEEDED"


@ACCEPT_ONLY
@pytest.mark.parametrize("kind", [OperationType.CREATE_PROPOSAL, OperationType.CREATE_PROPOSAL_VERSION])
def test_a_worker_that_dies_after_the_work_leads_to_no_second_proposal_or_version(
    app: Flask, adviser: Caller, kind: OperationType
) -> None:
    """The proposal is committed, the operation's end is not: the next worker finds what is there."""
    proposal_id = created(adviser, key="key-0")
    path = ASYNC if kind is OperationType.CREATE_PROPOSAL else path_of(proposal_id, "versions", "async")
    accepted = submit(adviser, path, key="key-1" if path == ASYNC else None)
    with app.app_context():
        with transaction() as session:
            claim = claim_operation(session, "default", accepted["operation_id"], terms=LeaseTerms(), now=utcnow())
        operation = db.session.get(Operation, ("default", claim.operation_id))
        payload = db.session.get(OperationPayload, ("default", claim.operation_id))
        assert operation is not None
        assert payload is not None
        policy = DeploymentPolicy.of(app.extensions["lotus_settings"])
        proposals.CARRIES_OUT[kind](Assignment(claim, operation, payload, policy, LeaseTerms(), utcnow, lambda: False))
        with transaction() as session:
            session.execute(text("UPDATE dpm_operations SET due_at = created_at WHERE finished_at IS NULL"))
    assert jobs(app) == {"finished": 1, "released": 0}
    found = status_of(adviser, accepted)
    assert found["status"] == "SUCCEEDED"
    assert len(adviser.get(PROPOSALS).json["items"]) == (2 if path == ASYNC else 1)
    versions = adviser.get(path_of(found["proposal_id"], "versions")).json["versions"]
    assert len(versions) == (1 if path == ASYNC else 2)


@SQLITE
def test_what_cannot_be_accepted_is_refused_at_once(adviser: Caller, reviewer: Caller) -> None:
    body = create_json(created_by=adviser.account)
    assert sent(adviser, ASYNC, body).status_code == 422
    assert sent(adviser, ASYNC, body, "").status_code == 422
    assert sent(adviser, ASYNC, {"created_by": adviser.account}, "key-1").status_code == 422
    assert sent(adviser, ASYNC, create_json(created_by="somebody"), "key-1").status_code == 403
    assert sent(reviewer, ASYNC, body, "key-1").status_code == 403
    assert refusal(sent(adviser, ASYNC, body | {"callback_url": "https://8.8.8.8/"}, "key-1")) == (
        422,
        "CALLBACKS_NOT_CONFIGURED",
    )
    versions = path_of("pp_1", "versions", "async")
    assert sent(adviser, versions, version_json(created_by=adviser.account), "").status_code == 422
    assert sent(adviser, versions, {}).status_code == 422


@SQLITE
@pytest.mark.environ(LOTUS_CALLBACK_SECRETS="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
def test_the_address_of_a_callback_is_part_of_no_hash(app: Flask, adviser: Caller) -> None:
    plain = create(adviser).json
    named = submit(adviser, body=create_json(created_by=adviser.account) | {"callback_url": "https://8.8.8.8/hook"})
    found = status_of(adviser, named)
    assert found["result"]["version"]["request_hash"] == plain["version"]["request_hash"]
    assert found["proposal_id"] == plain["proposal"]["proposal_id"]
    with app.app_context():
        row = db.session.execute(text("SELECT subject_id, target, content FROM deliveries")).one()
    assert row[:2] == (named["operation_id"], "https://8.8.8.8/hook")
    assert named["status_url"] in row.content


@SQLITE
@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ("PROPOSAL_ASYNC_OPERATIONS_ENABLED", "PROPOSAL_ASYNC_OPERATIONS_DISABLED"),
        ("PROPOSAL_WORKFLOW_LIFECYCLE_ENABLED", "PROPOSAL_WORKFLOW_LIFECYCLE_DISABLED"),
    ],
)
def test_operations_on_proposals_can_be_switched_off(app: Flask, adviser: Caller, setting: str, code: str) -> None:
    accepted = submit(adviser, correlation="corr-1")
    app.extensions["lotus_settings"].environ[setting] = "false"
    body = create_json(created_by=adviser.account)
    for answer in (
        sent(adviser, ASYNC, body, "key-2"),
        sent(adviser, path_of("pp_1", "versions", "async"), version_json(created_by=adviser.account)),
        adviser.get(f"{PROPOSALS}/operations/{accepted['operation_id']}"),
        adviser.get(f"{PROPOSALS}/operations/by-correlation/corr-1"),
    ):
        assert refusal(answer) == (404, code)
