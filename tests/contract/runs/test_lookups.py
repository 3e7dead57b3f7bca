"""Look-ups of one run (RFC-0017, dpm-api §6): by id, correlation id, request hash and key."""

from __future__ import annotations

import re

import pytest

from lotus_web.api.rebalance.schemas.idempotency import KeyMappingBody
from lotus_web.api.rebalance.schemas.runs import RunBody
from lotus_web.wire.rebalance.result import RebalanceResult
from tests.contract.callers import Caller, blocked_request, ready_request, review_request, segment
from tests.contract.conftest import MakeCaller

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")
ROUTES = {
    "/rebalance/runs/rr_00000000": "DPM_RUN_NOT_FOUND",
    "/rebalance/runs/by-correlation/nobody": "DPM_RUN_NOT_FOUND",
    "/rebalance/runs/by-request-hash/sha256:00": "DPM_RUN_NOT_FOUND",
    "/rebalance/runs/idempotency/nobody": "DPM_IDEMPOTENCY_KEY_NOT_FOUND",
}


@pytest.mark.parametrize("request_of", [ready_request, review_request, blocked_request])
def test_a_run_is_found_again_with_the_result_that_was_answered(engine: Caller, request_of: object) -> None:
    result = engine.run(request_of(), key="friday", correlation="corr-1")  # type: ignore[operator]
    found = engine.get(f"/rebalance/runs/{result['rebalance_run_id']}")
    assert found.status_code == 200
    assert found.json["result"] == result
    assert found.json | {"created_at": None, "result": None} == {
        "rebalance_run_id": result["rebalance_run_id"],
        "correlation_id": "corr-1",
        "request_hash": result["lineage"]["request_hash"],
        "idempotency_key": "friday",
        "portfolio_id": request_of()["portfolio_snapshot"]["portfolio_id"],  # type: ignore[operator]
        "created_at": None,
        "result": None,
    }
    assert INSTANT.fullmatch(found.json["created_at"])


@pytest.mark.parametrize("request_of", [ready_request, review_request, blocked_request])
def test_answers_have_exactly_the_documented_fields(engine: Caller, request_of: object) -> None:
    result = engine.run(request_of(), key="k")  # type: ignore[operator]
    RebalanceResult.model_validate(result, extra="forbid")
    RunBody.model_validate(engine.get(f"/rebalance/runs/{result['rebalance_run_id']}").json, extra="forbid")
    KeyMappingBody.model_validate(engine.get("/rebalance/runs/idempotency/k").json, extra="forbid")


def test_the_reference_demos_have_the_outcomes_their_names_promise(engine: Caller) -> None:
    assert engine.run()["status"] == "READY"
    assert engine.run(review_request())["status"] == "PENDING_REVIEW"
    assert engine.run(blocked_request())["status"] == "BLOCKED"


def test_a_correlation_id_used_five_times_finds_the_newest_run(engine: Caller) -> None:
    runs = [engine.run(key=f"key-{number}", correlation="morning") for number in range(5)]
    found = engine.get("/rebalance/runs/by-correlation/morning")
    assert found.json["rebalance_run_id"] == runs[-1]["rebalance_run_id"]
    assert len({run["rebalance_run_id"] for run in runs}) == 5


def test_a_request_hash_finds_the_newest_run_of_that_request(engine: Caller) -> None:
    first, second = engine.run(), engine.run()
    digest = first["lineage"]["request_hash"]
    assert second["lineage"]["request_hash"] == digest
    found = engine.get(f"/rebalance/runs/by-request-hash/{segment(digest)}")
    assert found.json["rebalance_run_id"] == second["rebalance_run_id"]
    assert engine.get(f"/rebalance/runs/by-request-hash/{digest}").json == found.json


def test_a_key_leads_to_its_run(engine: Caller) -> None:
    run = engine.run(key="friday")
    found = engine.get("/rebalance/runs/idempotency/friday").json
    assert found["rebalance_run_id"] == run["rebalance_run_id"]
    assert (found["idempotency_key"], found["request_hash"]) == ("friday", run["lineage"]["request_hash"])
    assert INSTANT.fullmatch(found["created_at"])


@pytest.mark.parametrize(("path", "code"), ROUTES.items())
def test_what_is_not_there_answers_with_its_code(engine: Caller, path: str, code: str) -> None:
    answer = engine.get(path)
    assert (answer.status_code, answer.json) == (404, {"detail": code})


def test_another_tenants_runs_are_not_there(engine: Caller, make_caller: MakeCaller) -> None:
    run = engine.run(key="ours", correlation="ours")
    other = make_caller("other-feed", tenant="alpine")
    for path in (
        f"/rebalance/runs/{run['rebalance_run_id']}",
        f"/rebalance/runs/{run['rebalance_run_id']}/artifact",
        "/rebalance/runs/by-correlation/ours",
        f"/rebalance/runs/by-request-hash/{run['lineage']['request_hash']}",
        "/rebalance/runs/idempotency/ours",
    ):
        assert other.get(path).status_code == 404
    assert other.get("/rebalance/runs").json == {"items": [], "next_cursor": None}
    assert other.run(key="ours")["rebalance_run_id"] != run["rebalance_run_id"]


@pytest.mark.environ(DPM_SUPPORT_APIS_ENABLED="false")
@pytest.mark.parametrize(
    "path", [*ROUTES, "/rebalance/runs", "/rebalance/runs?limit=nine", "/rebalance/runs/x/artifact"]
)
def test_look_ups_that_are_switched_off_are_not_there(engine: Caller, path: str) -> None:
    answer = engine.get(path)
    assert (answer.status_code, answer.json) == (404, {"detail": "DPM_SUPPORT_APIS_DISABLED"})


@pytest.mark.environ(DPM_SUPPORT_APIS_ENABLED="false")
def test_simulate_works_while_look_ups_are_switched_off(engine: Caller) -> None:
    assert engine.simulate().status_code == 200


def test_both_mounts_answer_alike(engine: Caller) -> None:
    run = engine.run()
    versioned = engine.get(f"/rebalance/runs/{run['rebalance_run_id']}")
    engine.prefix = ""
    assert engine.get(f"/rebalance/runs/{run['rebalance_run_id']}").data == versioned.data
