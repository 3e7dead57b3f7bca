"""Analyses and operations over HTTP, exactly on the wire (dpm-api §4, §5)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from lotus_web.api.rebalance.schemas.operations import BatchBody
from lotus_web.domain.access import Permission
from lotus_web.services.analyses import scenarios as batch_service
from tests.contract.callers import Caller, segment
from tests.servers.patience import PATIENCE
from tests.support.analyses import SCENARIOS, WRONG_OPTIONS, batch_json, simulate_json

MakeCaller = Callable[..., Caller]
ACCEPT_ONLY = pytest.mark.environ(DPM_ASYNC_EXECUTION_MODE="accept_only")
STATUS_FIELDS = [
    "operation_id",
    "operation_type",
    "status",
    "is_executable",
    "correlation_id",
    "created_at",
    "started_at",
    "finished_at",
    "progress",
    "error",
    "result",
]


def submit(chief: Caller, scenarios: dict[str, Any] | None = None, correlation: str | None = "corr-desk") -> Any:
    headers = {"X-Correlation-Id": correlation} if correlation else {}
    answer = chief.send("POST", "/rebalance/analyze/async", json=batch_json(scenarios), headers=headers)
    assert answer.status_code == 202, answer.text
    return answer


def execute(chief: Caller, operation_id: str) -> Any:
    return chief.send("POST", f"/rebalance/operations/{segment(operation_id)}/execute")


def test_an_analysis_answers_with_every_scenario(chief: Caller) -> None:
    answer = chief.send(
        "POST",
        "/rebalance/analyze",
        json=batch_json({**SCENARIOS, "wrong": WRONG_OPTIONS}),
        headers={"X-Correlation-Id": "corr-desk"},
    )
    assert answer.status_code == 200
    body = answer.json
    BatchBody.model_validate(body, extra="forbid")
    assert list(body) == [
        "batch_run_id",
        "run_at_utc",
        "base_snapshot_ids",
        "results",
        "comparison_metrics",
        "failed_scenarios",
        "warnings",
    ]
    assert set(body["results"]) == set(body["comparison_metrics"]) == set(SCENARIOS)
    assert body["warnings"] == ["PARTIAL_BATCH_FAILURE"]
    for name, result in body["results"].items():
        run = chief.get(f"/rebalance/runs/by-correlation/{segment('corr-desk:' + name)}").json
        assert run["result"] == result


@pytest.mark.environ(DPM_LINEAGE_APIS_ENABLED="true")
@pytest.mark.parametrize("sent", [{"X-Correlation-Id": "corr-desk"}, {}])
def test_the_correlation_id_of_the_answer_leads_to_the_runs_of_the_analysis(
    chief: Caller, sent: dict[str, str]
) -> None:
    answer = chief.send("POST", "/rebalance/analyze", json=batch_json(), headers=sent)
    made = {result["rebalance_run_id"] for result in answer.json["results"].values()}
    edges = chief.get(f"/rebalance/lineage/{segment(answer.headers['X-Correlation-Id'])}").json["edges"]
    assert {edge["target_entity_id"] for edge in edges if edge["edge_type"] == "CORRELATION_TO_RUN"} == made


@pytest.mark.parametrize(
    ("scenarios", "message"),
    [
        ({}, "Value error, at least one scenario is required"),
        ({f"s{n}": {} for n in range(21)}, "Value error, scenario count exceeds maximum of 20"),
        ({"Upper": {}}, r"Value error, scenario names must match regex [a-z0-9_\-]{1,64}"),
        ({"x" * 65: {}}, r"Value error, scenario names must match regex [a-z0-9_\-]{1,64}"),
    ],
)
def test_impossible_scenarios_are_refused_before_anything_runs(
    chief: Caller, scenarios: dict[str, Any], message: str
) -> None:
    for path in ("/rebalance/analyze", "/rebalance/analyze/async"):
        answer = chief.send("POST", path, json=batch_json(scenarios))
        assert answer.status_code == 422
        assert [(problem["loc"], problem["msg"]) for problem in answer.json["detail"]] == [
            (["body", "scenarios"], message)
        ]
    assert chief.get("/rebalance/supportability/summary").json["run_count"] == 0


@pytest.mark.parametrize("path", ["simulate", "analyze", "analyze/async"])
@pytest.mark.parametrize(
    ("portfolio_id", "sentence"),
    [
        ("", "portfolio_id is required"),
        (" pf", "portfolio_id must be 1 to 255 visible characters"),
        ("p\u200bf", "portfolio_id must be 1 to 255 visible characters"),
        ("x" * 256, "portfolio_id must be 1 to 255 visible characters"),
    ],
)
def test_a_portfolio_that_could_not_be_shown_is_refused_with_one_sentence_everywhere(
    chief: Caller, path: str, portfolio_id: str, sentence: str
) -> None:
    body = simulate_json() if path == "simulate" else batch_json()
    body["portfolio_snapshot"] = body["portfolio_snapshot"] | {"portfolio_id": portfolio_id}
    answer = chief.send("POST", f"/rebalance/{path}", json=body, headers={"Idempotency-Key": "key-1"})
    assert answer.status_code == 422
    (problem,) = answer.json["detail"]
    assert (problem["loc"], problem["msg"]) == (["body", "portfolio_snapshot", "portfolio_id"], sentence)
    summary = chief.get("/rebalance/supportability/summary").json
    assert (summary["run_count"], summary["operation_count"]) == (0, 0)


def test_the_same_correlation_id_may_come_again_on_every_route(chief: Caller) -> None:
    headers = {"X-Correlation-Id": "corr-again"}
    for _ in range(5):
        assert chief.send("POST", "/rebalance/analyze", json=batch_json(), headers=headers).status_code == 200
        accepted = submit(chief, correlation="corr-again")
        assert accepted.headers["X-Correlation-Id"] == accepted.json["correlation_id"] == "corr-again"
    latest = chief.get("/rebalance/operations/by-correlation/corr-again").json
    assert latest["operation_id"] == accepted.json["operation_id"]
    assert latest["status"] == "SUCCEEDED"


def test_an_inline_operation_answers_pending_and_is_done(chief: Caller) -> None:
    accepted = submit(chief, correlation=None)
    body = accepted.json
    assert list(body) == [
        "operation_id",
        "operation_type",
        "status",
        "correlation_id",
        "created_at",
        "status_url",
        "execute_url",
    ]
    assert (body["operation_type"], body["status"]) == ("ANALYZE_SCENARIOS", "PENDING")
    assert accepted.headers["X-Correlation-Id"] == body["correlation_id"]
    assert body["status_url"] == f"/api/v1/rebalance/operations/{body['operation_id']}"
    assert body["execute_url"] == body["status_url"] + "/execute"
    told = chief.client.get(body["status_url"], headers={"Authorization": f"Bearer {chief.bearer}"}).json
    assert list(told) == STATUS_FIELDS
    assert (told["status"], told["is_executable"], told["error"]) == ("SUCCEEDED", False, None)
    assert set(told["result"]["results"]) == set(SCENARIOS)
    assert told["progress"] == {"scenarios_done": 3, "scenarios_total": 3}


@ACCEPT_ONLY
def test_an_accepted_operation_waits_until_it_is_executed(chief: Caller) -> None:
    operation_id = submit(chief).json["operation_id"]
    waiting = chief.get(f"/rebalance/operations/{operation_id}").json
    assert (waiting["status"], waiting["is_executable"], waiting["started_at"], waiting["result"]) == (
        "PENDING",
        True,
        None,
        None,
    )
    done = execute(chief, operation_id)
    assert (done.status_code, done.json["status"]) == (200, "SUCCEEDED")
    again = execute(chief, operation_id)
    assert (again.status_code, again.json) == (409, {"detail": "DPM_ASYNC_OPERATION_NOT_EXECUTABLE"})


@ACCEPT_ONLY
def test_of_eight_executes_at_once_one_is_answered_and_seven_conflict(chief: Caller) -> None:
    operation_id = submit(chief).json["operation_id"]
    started, answers = threading.Barrier(8, timeout=PATIENCE), []

    def ask() -> None:
        caller = Caller(chief.client.application.test_client(), chief.account, chief.bearer)  # type: ignore[attr-defined]
        started.wait()
        answers.append(execute(caller, operation_id))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done, *refused = sorted(answers, key=lambda answer: answer.status_code)
    assert (done.status_code, done.json["status"], set(done.json["result"]["results"])) == (
        200,
        "SUCCEEDED",
        set(SCENARIOS),
    )
    assert [answer.status_code for answer in refused] == [409] * 7
    assert {answer.json["detail"] for answer in refused} == {"DPM_ASYNC_OPERATION_NOT_EXECUTABLE"}
    told = chief.get("/rebalance/supportability/summary").json
    # One batch: each run has an edge from its correlation id, to its batch and to its operation.
    assert (told["run_count"], told["lineage_edge_count"]) == (3, 1 + 3 * 3)


def test_a_failure_inside_an_inline_operation_is_told_by_the_operation(
    chief: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> Any:
        raise RuntimeError("boom")

    monkeypatch.setattr(batch_service, "run_scenarios", broken)
    monkeypatch.setattr("lotus_web.services.analyses.operation.run_scenarios", broken)
    told = chief.get(f"/rebalance/operations/{submit(chief).json['operation_id']}").json
    assert (told["status"], told["result"], told["error"]["code"]) == ("FAILED", None, "OPERATION_FAILED")


def test_the_list_filters_and_pages_without_loss_while_operations_are_added(chief: Caller) -> None:
    ids = [submit(chief, {"one": {}}, f"corr-{number}").json["operation_id"] for number in range(5)]
    walked, cursor = [], None
    while True:
        page = chief.get("/rebalance/operations", limit="2", **({"cursor": cursor} if cursor else {})).json
        walked += [item["operation_id"] for item in page["items"]]
        submit(chief, {"one": {}}, "corr-late")
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert walked == list(reversed(ids))
    assert list(page["items"][0]) == STATUS_FIELDS[:-2]
    found = chief.get("/rebalance/operations", correlation_id="corr-3").json["items"]
    assert [item["operation_id"] for item in found] == [ids[3]]
    for nothing in ({"status": "PENDING"}, {"status": ""}, {"operation_type": "NONE"}, {"correlation_id": "x"}):
        assert chief.get("/rebalance/operations", **nothing).json == {"items": [], "next_cursor": None}
    assert len(chief.get("/rebalance/operations", status="SUCCEEDED", limit="200").json["items"]) == 8


@pytest.mark.parametrize(
    "asked", [{"limit": "0"}, {"limit": "201"}, {"cursor": "nonsense"}, {"from_": "yesterday"}, {"cursor": ""}]
)
def test_impossible_filters_are_refused(chief: Caller, asked: dict[str, str]) -> None:
    assert chief.get("/rebalance/operations", **asked).status_code == 422


def test_bounds_with_offsets_compare_as_instants(chief: Caller) -> None:
    created_at = submit(chief, {"one": {}}).json["created_at"]
    for spelling in (created_at, created_at.replace("+00:00", ""), created_at.replace("+00:00", "Z")):
        page = chief.get("/rebalance/operations", from_=spelling, to=spelling).json
        assert len(page["items"]) == 1, spelling


def test_unknown_operations_are_not_found(chief: Caller) -> None:
    missing = {"detail": "DPM_ASYNC_OPERATION_NOT_FOUND"}
    for path in ("dop_none", "by-correlation/nobody", segment("a/b:c d 🐘")):
        answer = chief.get(f"/rebalance/operations/{path}")
        assert (answer.status_code, answer.json) == (404, missing)
    answer = execute(chief, "dop_none")
    assert (answer.status_code, answer.json) == (404, missing)


def test_another_tenants_operation_is_not_found(chief: Caller, make_caller: MakeCaller) -> None:
    operation_id = submit(chief).json["operation_id"]
    stranger = make_caller("stranger", tenant="another")
    assert stranger.get(f"/rebalance/operations/{operation_id}").status_code == 404
    assert execute(stranger, operation_id).status_code == 404


@pytest.mark.environ(DPM_ASYNC_OPERATIONS_ENABLED="false")
def test_operations_can_be_switched_off_and_nothing_is_validated_then(chief: Caller) -> None:
    off = {"detail": "DPM_ASYNC_OPERATIONS_DISABLED"}
    for method, path in (
        ("POST", "/rebalance/analyze/async"),
        ("GET", "/rebalance/operations?limit=0"),
        ("GET", "/rebalance/operations/x"),
        ("GET", "/rebalance/operations/by-correlation/x"),
        ("POST", "/rebalance/operations/x/execute"),
    ):
        answer = chief.send(method, path)
        assert (answer.status_code, answer.json) == (404, off)
    assert chief.send("POST", "/rebalance/analyze", json=batch_json()).status_code == 200


@pytest.mark.environ(DPM_ASYNC_MANUAL_EXECUTION_ENABLED="no", DPM_SUPPORT_APIS_ENABLED="no")
def test_executing_by_hand_can_be_switched_off_and_accepting_needs_no_support_routes(chief: Caller) -> None:
    operation_id = submit(chief).json["operation_id"]
    assert execute(chief, operation_id).json == {"detail": "DPM_ASYNC_MANUAL_EXECUTION_DISABLED"}
    assert chief.get(f"/rebalance/operations/{operation_id}").json == {"detail": "DPM_SUPPORT_APIS_DISABLED"}


def test_each_route_needs_its_permission(make_caller: MakeCaller) -> None:
    reader = make_caller("reader", (Permission.RUNS_READ,))
    writer = make_caller("writer", (Permission.RUNS_WRITE,))
    assert reader.send("POST", "/rebalance/analyze", json=batch_json()).status_code == 403
    assert reader.send("POST", "/rebalance/analyze/async", json=batch_json()).status_code == 403
    assert writer.get("/rebalance/operations").status_code == 403
    assert execute(reader, "x").status_code == execute(writer, "x").status_code == 403
