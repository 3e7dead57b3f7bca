"""What every answer has in common: ids, error bodies, unknown paths, faults of ours and of the store (dpm-api §1)."""

from __future__ import annotations

import re

import pytest
from sqlalchemy.exc import OperationalError

from lotus_web.api.rebalance import runs
from tests.contract.callers import Caller, ready_request

SHAPES = {
    "X-Correlation-Id": r"corr_[0-9a-f]{12}",
    "X-Request-Id": r"req_[0-9a-f]{12}",
    "X-Trace-Id": r"[0-9a-f]{32}",
    "traceparent": r"00-[0-9a-f]{32}-0000000000000001-01",
    "X-Enterprise-Policy-Version": r"1\.0\.0",
}
ANSWERS = {
    200: ("GET", "/rebalance/runs", {}),
    307: ("GET", "/rebalance/runs/", {}),
    401: ("GET", "/rebalance/runs", {"headers": {"Authorization": ""}}),
    404: ("GET", "/rebalance/nothing", {}),
    405: ("PUT", "/rebalance/runs", {}),
    409: (
        "POST",
        "/rebalance/simulate",
        {"json": ready_request() | {"options": {}}, "headers": {"Idempotency-Key": "k"}},
    ),
    413: ("POST", "/rebalance/simulate", {"data": b" " * (1024 * 1024 + 1)}),
    422: ("GET", "/rebalance/runs?limit=0", {}),
}


@pytest.mark.parametrize("status", ANSWERS)
def test_every_answer_carries_its_ids(engine: Caller, status: int) -> None:
    engine.simulate(key="k")
    method, path, options = ANSWERS[status]
    answer = engine.send(method, path, **options)
    assert answer.status_code == status
    for header, shape in SHAPES.items():
        assert re.fullmatch(shape, answer.headers[header]), header
    assert answer.headers["traceparent"].split("-")[1] == answer.headers["X-Trace-Id"]


@pytest.mark.parametrize("status", ANSWERS)
def test_every_answer_gives_the_callers_ids_back(engine: Caller, status: int) -> None:
    engine.simulate(key="k")
    method, path, options = ANSWERS[status]
    trace = "0af7651916cd43dd8448eb211c80319c"
    sent = {"X-Correlation-Id": "desk 7/ü", "X-Request-Id": "r-1", "traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    answer = engine.send(method, path, **options | {"headers": sent | options.get("headers", {})})
    assert answer.status_code == status
    # A header is bytes on the wire; the client shows UTF-8 as Latin-1.
    assert answer.headers["X-Correlation-Id"].encode("latin-1").decode() == "desk 7/ü"
    assert (answer.headers["X-Request-Id"], answer.headers["X-Trace-Id"]) == ("r-1", trace)


@pytest.mark.parametrize(("sent", "fine"), [("", True), ("x" * 200, True), ("x" * 201, False), ("a\x7fb", False)])
def test_a_correlation_id_is_up_to_200_visible_characters(engine: Caller, sent: str, fine: bool) -> None:
    answer = engine.get("/rebalance/runs", headers={"X-Correlation-Id": sent})
    assert answer.status_code == (200 if fine else 422)
    if not fine:
        assert [problem["loc"] for problem in answer.json["detail"]] == [["header", "X-Correlation-Id"]]
    assert re.fullmatch(r"corr_[0-9a-f]{12}" if sent != "x" * 200 else "x{200}", answer.headers["X-Correlation-Id"])


@pytest.mark.parametrize("traceparent", ["", "x", "00-short-b7ad6b7169203331-01", "00-" + "0" * 32 + "-b7-01"])
def test_a_trace_that_is_none_is_replaced(engine: Caller, traceparent: str) -> None:
    answer = engine.get("/rebalance/runs", headers={"traceparent": traceparent})
    assert re.fullmatch("(?!0{32})[0-9a-f]{32}", answer.headers["X-Trace-Id"])


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
@pytest.mark.parametrize(
    "path",
    [
        "/rebalance",
        "/rebalance/",
        "/rebalance/nothing",
        "/rebalance//runs",
        "/rebalance/runs//workflow",
        "/rebalance/runs/a/b",
    ],
)
def test_an_unknown_path(engine: Caller, prefix: str, path: str) -> None:
    engine.prefix = prefix
    answer = engine.get(path)
    assert (answer.status_code, answer.json, answer.mimetype) == (404, {"detail": "Not Found"}, "application/json")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/rebalance/runs", "GET, HEAD"),
        ("OPTIONS", "/rebalance/runs/rr_1", "GET, HEAD"),
        ("GET", "/rebalance/simulate", "POST"),
        ("PUT", "/rebalance/runs/rr_1/workflow/actions", "POST"),
    ],
)
def test_an_unknown_method(engine: Caller, method: str, path: str, allow: str) -> None:
    answer = engine.send(method, path)
    assert (answer.status_code, answer.json) == (405, {"detail": "Method Not Allowed"})
    assert answer.headers["Allow"] == allow


@pytest.mark.parametrize(
    ("method", "path", "location"),
    [
        (
            "GET",
            "/rebalance/runs/?limit=2&from=2026-01-01T00:00:00%2B00:00",
            "/rebalance/runs?limit=2&from=2026-01-01T00:00:00%2B00:00",
        ),
        ("GET", "/rebalance/runs/a%2Fb/", "/rebalance/runs/a%2Fb"),
        ("POST", "/rebalance/simulate/", "/rebalance/simulate"),
    ],
)
def test_a_trailing_slash_leads_to_the_path_without(engine: Caller, method: str, path: str, location: str) -> None:
    for engine.prefix in ("", "/api/v1"):
        answer = engine.send(method, path)
        assert (answer.status_code, answer.headers["Location"]) == (307, engine.prefix + location)


def test_a_trailing_slash_never_leads_to_another_host(engine: Caller) -> None:
    engine.prefix = ""
    path = "//rebalance/runs/"
    answer = engine.send("GET", "/", environ_overrides={"PATH_INFO": path, "RAW_URI": path, "REQUEST_URI": path})
    assert (answer.status_code, answer.headers["Location"]) == (307, "/rebalance/runs")


def test_an_unexpected_fault_says_nothing_of_its_cause(
    engine: Caller, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("portfolio pf-secret")

    monkeypatch.setattr(runs, "stored_run", fail)
    answer = engine.get("/rebalance/runs/a%2Fb", headers={"X-Correlation-Id": "desk-7"})
    assert (answer.status_code, answer.mimetype) == (500, "application/problem+json")
    assert answer.json == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "An unexpected error occurred.",
        "instance": "/api/v1/rebalance/runs/a%2Fb",
        "correlation_id": "desk-7",
    }
    assert answer.headers["X-Correlation-Id"] == "desk-7"
    logged = capsys.readouterr().err
    assert "builtins.RuntimeError" in logged
    assert "pf-secret" not in logged


def test_a_store_that_goes_away_in_the_middle_is_a_503_and_no_run(
    engine: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise OperationalError("INSERT", {}, Exception("server closed the connection"))

    with monkeypatch.context() as patched:
        patched.setattr("lotus_web.services.runs.simulate.record_run", gone)
        answer = engine.simulate(key="friday")
    assert (answer.status_code, answer.json) == (503, {"detail": "DPM_STORE_UNAVAILABLE"})
    assert engine.get("/rebalance/runs").json["items"] == []
    assert engine.simulate(key="friday").status_code == 200
