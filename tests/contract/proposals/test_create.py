"""POST /rebalance/proposals: recorded whole or not at all, once for each key (proposals-api §3, deltas 29, 39)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from lotus_web.api.rebalance.proposals.schemas import ProposalVersionMade
from lotus_web.domain.access import Permission
from lotus_web.services.proposals import create as module
from lotus_web.wire.proposals.artifact import artifact_hash
from tests.contract.callers import Caller
from tests.contract.conftest import ONE_LINE, Count, MakeCaller, written
from tests.contract.proposals.requests import DISABLED, KEY_CONFLICT, add_version, create, created, refusal, step
from tests.support.proposals import blocked, create_json

# A proposal with its trace, and the edges of its correlation id, its key and its version.
WHOLE = {
    "proposals": 1,
    "proposal_versions": 1,
    "proposal_documents": 1,
    "proposal_events": 1,
    "proposal_keys": 1,
    "dg_event_log": 3,
    "dg_workflow_runtime": 1,
    "dpm_lineage_edges": 3,
    "dpm_store_counters": 3,
}


def counts(found: Count) -> Count:
    """Return counts without the counters of the summary, whose number depends on what was there."""
    return {table: rows for table, rows in found.items() if "counter" not in table and table != "dg_workflow_runtime"}


def test_a_proposal_is_recorded_whole(adviser: Caller, count_rows: Callable[[], Count]) -> None:
    before = count_rows()
    answer = create(adviser, correlation="desk-7")
    assert answer.status_code == 200
    made = ProposalVersionMade.model_validate_json(answer.data)
    proposal, version, event = made.proposal, made.version, made.latest_workflow_event
    assert (proposal.current_state, proposal.current_version_no, version.version_no) == ("DRAFT", 1, 1)
    assert proposal.proposal_id == version.proposal_id == event.proposal_id
    assert proposal.created_at == proposal.last_event_at == version.created_at == event.occurred_at
    assert (event.event_type, event.from_state, event.to_state, event.related_version_no) == (
        "CREATED",
        None,
        "DRAFT",
        1,
    )
    assert event.reason == {"correlation_id": "desk-7"}
    assert answer.headers["X-Correlation-Id"] == version.proposal_result.correlation_id == "desk-7"
    assert counts(written(before, count_rows())) == counts(WHOLE)


def test_what_was_sent_is_what_it_is_called(adviser: Caller) -> None:
    proposal = create(adviser).json["proposal"]
    assert {name: proposal[name] for name in ("title", "mandate_id", "jurisdiction", "created_by")} == {
        "title": "Demo lifecycle proposal",
        "mandate_id": "mandate_demo_1",
        "jurisdiction": "SG",
        "created_by": adviser.account,
    }
    nameless = create(adviser, create_json(created_by=adviser.account, metadata={}), key="key-2").json["proposal"]
    assert [nameless[name] for name in ("title", "mandate_id", "jurisdiction")] == [None] * 3
    assert "advisor_notes" not in nameless


def test_the_hashes_of_a_version_can_be_computed_again(adviser: Caller) -> None:
    version = create(adviser).json["version"]
    assert version["artifact_hash"] == version["artifact"]["artifact_hash"] == artifact_hash(version["artifact"])
    assert version["simulation_hash"] == artifact_hash(version["proposal_result"])
    evidence = version["evidence_bundle"]
    assert version["artifact"]["evidence_bundle"] == evidence
    assert evidence["engine_outputs"]["proposal_result"] == version["proposal_result"]
    assert evidence["hashes"] == {name: version[name] for name in ("request_hash", "artifact_hash")}
    assert version["gate_decision"] == version["proposal_result"]["gate_decision"]


def test_the_same_request_under_another_key_has_the_same_hashes(adviser: Caller) -> None:
    one, two = (create(adviser, key=key, correlation=key).json["version"] for key in ("key-1", "key-2"))
    hashes = ("request_hash", "simulation_hash", "artifact_hash")
    assert [one[name] for name in hashes] == [two[name] for name in hashes]


def test_a_blocked_proposal_is_recorded_too(adviser: Caller) -> None:
    answer = create(adviser, blocked(create_json(created_by=adviser.account)))
    assert (answer.status_code, answer.json["version"]["status_at_creation"]) == (200, "BLOCKED")
    assert answer.json["version"]["gate_decision"]["gate"] == "BLOCKED"


def test_gates_that_are_switched_off_leave_no_decision(adviser: Caller) -> None:
    body = create_json(created_by=adviser.account)
    body["simulate_request"]["options"]["enable_workflow_gates"] = False
    made = create(adviser, body).json
    assert made["version"]["gate_decision"] is None
    detail = adviser.get(f"/rebalance/proposals/{made['proposal']['proposal_id']}").json
    assert detail["last_gate_decision"] is None


def test_a_repetition_is_the_first_answer_whatever_has_happened_since(
    adviser: Caller, count_rows: Callable[[], Count]
) -> None:
    first = create(adviser, correlation="first")
    proposal_id = first.json["proposal"]["proposal_id"]
    assert step(adviser, proposal_id, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT").status_code == 200
    assert add_version(adviser, proposal_id).status_code == 200
    assert step(adviser, proposal_id, "CANCELLED", "DRAFT").status_code == 200
    before = count_rows()
    again = create(adviser, correlation="second")
    assert (again.status_code, again.data) == (200, first.data)
    assert again.headers["X-Correlation-Id"] == "first"
    assert written(before, count_rows()) == {}


def test_a_request_is_the_same_however_it_is_written(adviser: Caller) -> None:
    first, written_otherwise = create(adviser), create_json(created_by=adviser.account, unknown=1)
    written_otherwise["simulate_request"]["options"] |= {"allow_restricted": False}
    trade = written_otherwise["simulate_request"]["proposed_trades"][0]
    trade["quantity"] = f"{trade['quantity']}.00"
    assert create(adviser, written_otherwise).data == first.data


def test_a_key_belongs_to_one_request(adviser: Caller, count_rows: Callable[[], Count]) -> None:
    created(adviser)
    before = count_rows()
    answer = create(adviser, create_json(created_by=adviser.account, metadata={}))
    assert refusal(answer) == (409, KEY_CONFLICT)
    assert written(before, count_rows()) == ONE_LINE


def test_a_used_key_conflicts_before_the_missing_option_is_told(adviser: Caller) -> None:
    created(adviser)
    body = create_json(created_by=adviser.account)
    body["simulate_request"]["options"] = {}
    assert refusal(create(adviser, body)) == (409, KEY_CONFLICT)
    assert refusal(create(adviser, body, key="key-2")) == (422, DISABLED)


def test_a_refused_create_leaves_its_key_free(adviser: Caller, count_rows: Callable[[], Count]) -> None:
    body, before = create_json(created_by=adviser.account), count_rows()
    body["simulate_request"]["options"] = {}
    assert refusal(create(adviser, body)) == (422, DISABLED)
    assert written(before, count_rows()) == ONE_LINE
    assert create(adviser).status_code == 200


def test_tenants_have_keys_and_proposals_of_their_own(adviser: Caller, make_caller: MakeCaller) -> None:
    elsewhere = make_caller(adviser.account, (Permission.RUNS_READ, Permission.PROPOSALS_WRITE), "north")
    here, there = create(adviser).json["proposal"], create(elsewhere).json["proposal"]
    assert here["proposal_id"] != there["proposal_id"]
    assert refusal(elsewhere.get(f"/rebalance/proposals/{here['proposal_id']}")) == (404, "PROPOSAL_NOT_FOUND")


def test_a_proposal_is_made_in_the_name_of_the_token_or_of_whom_it_speaks_for(
    adviser: Caller, engine: Caller, hired: Callable[..., None], count_rows: Callable[[], Count]
) -> None:
    assert refusal(create(engine, create_json(created_by="somebody.else"))) == (403, "ACTOR_MISMATCH")
    hired("somebody.else")
    before = count_rows()
    assert refusal(create(adviser, create_json(created_by="somebody.else"))) == (403, "ACTOR_MISMATCH")
    assert written(before, count_rows()) == ONE_LINE
    assert create(engine, create_json(created_by="somebody.else")).json["proposal"]["created_by"] == "somebody.else"


def test_a_failure_in_the_middle_leaves_nothing_and_the_key_free(
    app: Flask, adviser: Caller, count_rows: Callable[[], Count], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = count_rows()

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the log is full")

    with monkeypatch.context() as patched:
        patched.setattr(module, "append_proposal_events", broken)
        app.testing = False
        assert create(adviser).status_code == 500
    assert written(before, count_rows()) == {}
    assert create(adviser).status_code == 200


def test_both_mounts_have_the_same_proposals(adviser: Caller) -> None:
    proposal_id = created(adviser)
    versioned = adviser.get(f"/rebalance/proposals/{proposal_id}")
    adviser.prefix = ""
    assert adviser.get(f"/rebalance/proposals/{proposal_id}").data == versioned.data
    assert create(adviser).json["proposal"]["proposal_id"] == proposal_id


def test_an_answer_is_json_that_names_everything(adviser: Caller) -> None:
    document = json.loads(create(adviser).data)
    assert list(document) == ["proposal", "version", "latest_workflow_event"]
    assert set(document["version"]) == {
        "proposal_version_id",
        "proposal_id",
        "version_no",
        "created_at",
        "request_hash",
        "artifact_hash",
        "simulation_hash",
        "status_at_creation",
        "proposal_result",
        "artifact",
        "evidence_bundle",
        "gate_decision",
    }
