"""The gate of RFC-0020: state, history and decisions, by run, correlation id and key (dpm-api §8, deltas 8 and 9)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from lotus_web.api.rebalance.schemas.decisions import GateHistoryBody, GateStateBody
from lotus_web.config.current import utcnow
from lotus_web.domain.access import Permission
from tests.contract.callers import ENGINE, REVIEWER, Caller, blocked_request, ready_request, review_request, segment
from tests.contract.conftest import ONE_LINE, Count, MakeCaller, written

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")

KEY, CORRELATION = "friday/1", "desk:7"


@pytest.fixture
def run_id(engine: Caller) -> str:
    """A run that waits for review."""
    found: str = engine.run(review_request(), key=KEY, correlation=CORRELATION)["rebalance_run_id"]
    return found


@pytest.fixture(params=["id", "correlation", "key"])
def address(request: pytest.FixtureRequest, run_id: str) -> str:
    """The three ways to name the run."""
    ways = {"id": run_id, "correlation": f"by-correlation/{segment(CORRELATION)}", "key": f"idempotency/{segment(KEY)}"}
    return ways[request.param]


def gate(caller: Caller, address: str) -> Any:
    answer = caller.get(f"/rebalance/runs/{address}/workflow")
    assert answer.status_code == 200, answer.text
    return answer.json


def test_a_run_waits_then_is_decided_and_the_history_tells_it(reviewer: Caller, run_id: str, address: str) -> None:
    pending = gate(reviewer, address)
    assert pending == {
        "run_id": run_id,
        "run_status": "PENDING_REVIEW",
        "workflow_status": "PENDING_REVIEW",
        "requires_review": True,
        "latest_decision": None,
    }
    answer = reviewer.decide(address, comment="Phased over two weeks.", reason_code="PHASED_INVESTMENT_AGREED")
    assert answer.status_code == 200
    assert answer.json == gate(reviewer, address)
    GateStateBody.model_validate(answer.json, extra="forbid")
    decision = answer.json["latest_decision"]
    assert re.fullmatch(r"dwd_[0-9a-f]{12}", decision["decision_id"])
    assert decision | {"decision_id": None, "decided_at": None} == {
        "decision_id": None,
        "run_id": run_id,
        "action": "APPROVE",
        "reason_code": "PHASED_INVESTMENT_AGREED",
        "comment": "Phased over two weeks.",
        "actor_id": REVIEWER,
        "decided_at": None,
        "correlation_id": answer.headers["X-Correlation-Id"],
    }
    history = reviewer.get(f"/rebalance/runs/{address}/workflow/history").json
    assert history == {"run_id": run_id, "decisions": [decision]}
    GateHistoryBody.model_validate(history, extra="forbid")


@pytest.mark.parametrize(
    ("actions", "outcome"),
    [
        (["APPROVE"], "APPROVED"),
        (["REJECT"], "REJECTED"),
        (["REQUEST_CHANGES"], "PENDING_REVIEW"),
        (["APPROVE", "REJECT"], "REJECTED"),
        (["APPROVE", "REQUEST_CHANGES"], "PENDING_REVIEW"),
        (["REJECT", "REQUEST_CHANGES"], "PENDING_REVIEW"),
        (["REJECT", "REQUEST_CHANGES", "APPROVE"], "APPROVED"),
        (["APPROVE", "APPROVE"], 409),
        (["REJECT", "APPROVE"], 409),
        (["REJECT", "REJECT"], 409),
    ],
)
def test_transitions(
    reviewer: Caller, run_id: str, count_rows: Callable[[], Count], actions: list[str], outcome: str | int
) -> None:
    *first, last = actions
    for action in first:
        assert reviewer.decide(run_id, action).status_code == 200
    before = count_rows()
    answer = reviewer.decide(run_id, last)
    if outcome == 409:
        assert (answer.status_code, answer.json) == (409, {"detail": "DPM_WORKFLOW_INVALID_TRANSITION"})
        # That it was tried is put on record; of the decision itself nothing is written.
        assert written(before, count_rows()) == ONE_LINE
    else:
        assert (answer.status_code, answer.json["workflow_status"]) == (200, outcome)
        history = reviewer.get(f"/rebalance/runs/{run_id}/workflow/history").json["decisions"]
        assert [decision["action"] for decision in history] == actions
        assert answer.json["latest_decision"] == history[-1]


@pytest.mark.parametrize("request_of", [ready_request, blocked_request])
def test_a_run_that_needs_nobody_takes_no_decision(engine: Caller, request_of: Callable[[], Any]) -> None:
    run = engine.run(request_of())
    state = gate(engine, run["rebalance_run_id"])
    assert (state["workflow_status"], state["requires_review"]) == ("NOT_REQUIRED", False)
    answer = engine.decide(run["rebalance_run_id"])
    assert (answer.status_code, answer.json) == (409, {"detail": "DPM_WORKFLOW_NOT_REQUIRED_FOR_RUN_STATUS"})


@pytest.mark.environ(DPM_WORKFLOW_REQUIRES_REVIEW_FOR_STATUSES="READY,BLOCKED")
def test_which_statuses_need_review_is_a_setting(engine: Caller, reviewer: Caller, run_id: str) -> None:
    assert gate(engine, run_id)["workflow_status"] == "NOT_REQUIRED"
    ready = engine.run()["rebalance_run_id"]
    assert gate(engine, ready)["workflow_status"] == "PENDING_REVIEW"
    assert reviewer.decide(ready).json["workflow_status"] == "APPROVED"


@pytest.mark.parametrize(
    ("fields", "loc"),
    [
        ({"action": "approve"}, "action"),
        ({"action": None}, "action"),
        ({"reason_code": "lower"}, "reason_code"),
        ({"reason_code": ""}, "reason_code"),
        ({"reason_code": "TRAILING\n"}, "reason_code"),
        ({"reason_code": "X" * 129}, "reason_code"),
        ({"actor_id": ""}, "actor_id"),
        ({"actor_id": "x" * 129}, "actor_id"),
        ({"actor_id": "rosa\x00"}, "actor_id"),
        ({"actor_id": 7}, "actor_id"),
        ({"comment": "x" * 4001}, "comment"),
        ({"comment": "nul\x00"}, "comment"),
    ],
)
def test_a_decision_that_cannot_be_is_refused_and_only_that_is_written(
    reviewer: Caller, run_id: str, count_rows: Callable[[], Count], fields: dict[str, Any], loc: str
) -> None:
    before = count_rows()
    body = {"action": "APPROVE", "reason_code": "OK", "actor_id": REVIEWER} | fields
    answer = reviewer.send("POST", f"/rebalance/runs/{run_id}/workflow/actions", json=body)
    assert answer.status_code == 422
    assert [problem["loc"] for problem in answer.json["detail"]] == [["body", loc]]
    assert written(before, count_rows()) == ONE_LINE


def test_missing_fields_are_told_together(reviewer: Caller, run_id: str) -> None:
    answer = reviewer.send("POST", f"/rebalance/runs/{run_id}/workflow/actions", json={})
    told = [(problem["type"], problem["loc"]) for problem in answer.json["detail"]]
    assert told == [("missing", ["body", name]) for name in ("action", "reason_code", "actor_id")]


def test_nobody_decides_under_another_name(reviewer: Caller, run_id: str, count_rows: Callable[[], Count]) -> None:
    before = count_rows()
    answer = reviewer.decide(run_id, actor="marco.manager")
    assert (answer.status_code, answer.json) == (
        403,
        {"detail": "ACTOR_MISMATCH", "permission": "act_on_behalf", "actor_id": "marco.manager"},
    )
    assert written(before, count_rows()) == ONE_LINE


def test_an_account_may_speak_for_a_person_where_it_is_permitted(
    engine: Caller, make_caller: MakeCaller, hired: Callable[..., None], run_id: str
) -> None:
    gateway = make_caller("gateway")
    unknown = gateway.decide(run_id, actor="marco.manager")
    assert (unknown.status_code, unknown.json["detail"]) == (403, "ACTOR_MISMATCH")
    hired("marco.manager")
    own = engine.decide(run_id, actor="marco.manager")
    assert (own.status_code, own.json["detail"]) == (403, "FOUR_EYES")
    answer = gateway.decide(run_id, actor="marco.manager")
    assert answer.status_code == 200
    assert answer.json["latest_decision"]["actor_id"] == "marco.manager"


def test_whoever_submitted_a_run_does_not_approve_it(engine: Caller, reviewer: Caller, run_id: str) -> None:
    answer = engine.decide(run_id)
    assert (answer.status_code, answer.json) == (403, {"detail": "FOUR_EYES"})
    assert engine.decide(run_id, "REQUEST_CHANGES").status_code == 200
    assert reviewer.decide(run_id).json["workflow_status"] == "APPROVED"


def test_a_reader_does_not_decide(make_caller: MakeCaller, run_id: str) -> None:
    reader = make_caller("reader", (Permission.RUNS_READ,))
    answer = reader.decide(run_id)
    assert (answer.status_code, answer.json) == (403, {"detail": "FORBIDDEN", "permission": "workflow_review"})


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("rr_00000000", "DPM_RUN_NOT_FOUND"),
        ("by-correlation/nobody", "DPM_RUN_NOT_FOUND"),
        ("idempotency/nobody", "DPM_IDEMPOTENCY_KEY_NOT_FOUND"),
    ],
)
def test_the_gate_of_no_run(reviewer: Caller, address: str, code: str) -> None:
    for answer in (
        reviewer.get(f"/rebalance/runs/{address}/workflow"),
        reviewer.get(f"/rebalance/runs/{address}/workflow/history"),
        reviewer.decide(address),
    ):
        assert (answer.status_code, answer.json) == (404, {"detail": code})


def test_another_tenants_run_cannot_be_decided(make_caller: MakeCaller, run_id: str) -> None:
    stranger = make_caller("stranger", tenant="alpine")
    assert stranger.decide(run_id).json == {"detail": "DPM_RUN_NOT_FOUND"}


@pytest.mark.environ(DPM_WORKFLOW_ENABLED="false")
def test_a_gate_that_is_switched_off_is_not_there_even_for_nonsense(engine: Caller, run_id: str, address: str) -> None:
    for answer in (
        engine.get(f"/rebalance/runs/{address}/workflow"),
        engine.get(f"/rebalance/runs/{address}/workflow/history"),
        engine.send("POST", f"/rebalance/runs/{address}/workflow/actions", json={}),
        engine.get("/rebalance/workflow/decisions?limit=nine"),
        engine.get("/rebalance/workflow/decisions/by-correlation/nobody"),
    ):
        assert (answer.status_code, answer.json) == (404, {"detail": "DPM_WORKFLOW_DISABLED"})


@pytest.mark.environ(DPM_SUPPORT_APIS_ENABLED="off")
def test_the_support_switch_comes_first(reviewer: Caller, run_id: str) -> None:
    assert reviewer.decide(run_id).json == {"detail": "DPM_SUPPORT_APIS_DISABLED"}


def test_a_run_recorded_while_the_gate_was_off_is_brought_in_by_its_first_decision(
    engine: Caller, reviewer: Caller, environ: dict[str, str], app: Any
) -> None:
    live = app.extensions["lotus_settings"].environ
    live["DPM_WORKFLOW_ENABLED"] = "false"
    run_id = engine.run(review_request())["rebalance_run_id"]
    live["DPM_WORKFLOW_ENABLED"] = "true"
    assert gate(engine, run_id)["workflow_status"] == "PENDING_REVIEW"
    answer = reviewer.decide(run_id)
    assert answer.json["workflow_status"] == "APPROVED"
    assert answer.json["latest_decision"]["actor_id"] == REVIEWER != ENGINE


def test_a_clock_that_is_set_back_reorders_no_decisions(engine: Caller, reviewer: Caller) -> None:
    run_id = engine.run(review_request())["rebalance_run_id"]
    assert reviewer.decide(run_id, "REQUEST_CHANGES").status_code == 200
    with time_machine.travel(utcnow() - timedelta(hours=1)):
        assert reviewer.decide(run_id).status_code == 200
        state = reviewer.get(f"/rebalance/runs/{run_id}/workflow").json
    assert (state["workflow_status"], state["latest_decision"]["action"]) == ("APPROVED", "APPROVE")
    taken = reviewer.get(f"/rebalance/runs/{run_id}/workflow/history").json["decisions"]
    assert [decision["action"] for decision in taken] == ["REQUEST_CHANGES", "APPROVE"]
    assert taken[1]["decided_at"] < taken[0]["decided_at"]
