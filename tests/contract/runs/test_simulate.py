"""POST /rebalance/simulate: one run for each key, and nothing but that for what is refused (dpm-api §3, deltas 1–5, 21)."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, update

from lotus_web.models import IdempotencyKey, RunPayload
from lotus_web.store.session import transaction
from tests.contract.callers import Caller, ready_request, review_request
from tests.contract.conftest import ONE_LINE, Count, written

SIMULATE = "/rebalance/simulate"
MIB = 1024 * 1024


def test_a_replay_is_the_stored_answer_byte_for_byte(engine: Caller) -> None:
    first = engine.simulate(key="friday", correlation="first")
    again = engine.simulate(key="friday", correlation="second")
    assert (again.status_code, again.data) == (200, first.data)
    assert engine.get("/rebalance/runs").json["items"][1:] == []


def test_header_body_and_stored_value_are_one_correlation_id(engine: Caller) -> None:
    generated = engine.simulate(key="a")
    assert generated.headers["X-Correlation-Id"].startswith("corr_")
    given = engine.simulate(key="b", correlation="given")
    replayed = engine.simulate(key="b", correlation="another")
    for answer, expected in ((generated, None), (given, "given"), (replayed, "given")):
        sent = answer.headers["X-Correlation-Id"]
        stored = engine.get(f"/rebalance/runs/{answer.json['rebalance_run_id']}").json
        assert sent == answer.json["correlation_id"] == stored["correlation_id"]
        assert expected in (None, sent)


def test_a_replay_leaves_its_trace_and_no_run(engine: Caller, count_rows: Callable[[], Count]) -> None:
    engine.simulate(key="friday", correlation="first")
    before = count_rows()
    engine.simulate(key="friday", correlation="second")
    after = count_rows()
    changed = {table: after[table] - before[table] for table in after if after[table] != before[table]}
    grown = {table: rows for table, rows in changed.items() if table != "dpm_counters"}
    assert grown == {"dpm_lineage_edges": 1, "dpm_idempotency_history": 1}


def test_a_key_whose_run_is_gone_is_a_documented_503_and_no_second_run(engine: Caller, app: Flask) -> None:
    engine.simulate(key="friday")
    with app.app_context(), transaction() as session:
        session.execute(delete(RunPayload))
    answer = engine.simulate(key="friday")
    assert (answer.status_code, answer.json) == (503, {"detail": "DPM_IDEMPOTENCY_STORE_INCONSISTENT"})
    assert len(engine.get("/rebalance/runs").json["items"]) == 1
    documented = app.test_client().get("/openapi.json").json["paths"]["/rebalance/simulate"]["post"]["responses"]["503"]
    assert set(documented["content"]["application/json"]["examples"]) == {
        "DPM_IDEMPOTENCY_STORE_INCONSISTENT",
        "DPM_STORE_UNAVAILABLE",
    }


def test_equal_requests_written_differently_replay(engine: Caller) -> None:
    first = engine.simulate(key="friday")
    respelt = ready_request()
    respelt["options"] = {
        "cash_band_min_weight": 0,
        "cash_band_max_weight": "1",
        "min_trade_notional": {"amount": "1E3", "currency": "SGD"},
        "allow_restricted": False,
        "unknown": "ignored",
    }
    assert engine.simulate(respelt, key="friday").data == first.data


def test_a_key_used_with_another_request_conflicts_and_only_that_is_written(
    engine: Caller, count_rows: Callable[[], Count]
) -> None:
    engine.simulate(key="friday")
    before = count_rows()
    answer = engine.simulate(review_request(), key="friday")
    assert (answer.status_code, answer.json) == (409, {"detail": "IDEMPOTENCY_KEY_CONFLICT: request hash mismatch"})
    assert written(before, count_rows()) == ONE_LINE


def test_a_key_that_is_being_computed_says_when_to_come_back(
    engine: Caller, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.simulate(key="friday")
    with app.app_context(), transaction() as session:
        session.execute(update(IdempotencyKey).values(rebalance_run_id=None, reserved_by="another worker"))
    monkeypatch.setattr("lotus_web.services.runs.simulate.WAIT_SECONDS", 0)
    answer = engine.simulate(key="friday")
    assert (answer.status_code, answer.json) == (409, {"detail": "IDEMPOTENCY_KEY_IN_PROGRESS"})
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.environ(DPM_IDEMPOTENCY_REPLAY_ENABLED="false")
def test_without_replay_each_post_is_a_run_and_the_key_follows_the_newest(engine: Caller) -> None:
    first, second = engine.run(key="friday"), engine.run(review_request(), key="friday")
    assert first["rebalance_run_id"] != second["rebalance_run_id"]
    mapping = engine.get("/rebalance/runs/idempotency/friday").json
    assert mapping["rebalance_run_id"] == second["rebalance_run_id"]


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "tab\tinside", "del\x7f"])
def test_a_key_is_visible_characters(engine: Caller, key: str) -> None:
    answer = engine.send("POST", SIMULATE, json=ready_request(), headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert [problem["loc"] for problem in answer.json["detail"]] == [["header", "Idempotency-Key"]]


def test_a_missing_key_is_missing_as_the_validator_says_it(engine: Caller) -> None:
    answer = engine.send("POST", SIMULATE, json=ready_request())
    (problem,) = answer.json["detail"]
    assert (answer.status_code, problem["type"], problem["loc"]) == (422, "missing", ["header", "Idempotency-Key"])


def test_headers_and_body_are_told_together(engine: Caller) -> None:
    request = ready_request()
    del request["options"], request["shelf_entries"]
    answer = engine.send("POST", SIMULATE, json=request, headers={"X-Correlation-Id": "x" * 201})
    assert [problem["loc"] for problem in answer.json["detail"]] == [
        ["header", "X-Correlation-Id"],
        ["header", "Idempotency-Key"],
        ["body", "shelf_entries"],
        ["body", "options"],
    ]


def twice(request: dict[str, Any]) -> None:
    request["shelf_entries"] *= 2


def unprintable_portfolio(request: dict[str, Any]) -> None:
    request["portfolio_snapshot"]["portfolio_id"] = "pf\x00"


def lone_surrogate(request: dict[str, Any]) -> None:
    request["portfolio_snapshot"]["portfolio_id"] = "pf\ud800"


def no_number(request: dict[str, Any]) -> None:
    request["market_data_snapshot"]["prices"][0]["price"] = "NaN"


def too_many_rows(request: dict[str, Any]) -> None:
    request["ignored"] = [0] * 10_001


def too_deep(request: dict[str, Any]) -> None:
    nested: Any = 0
    for _ in range(40):
        nested = [nested]
    request["ignored"] = nested


@pytest.mark.parametrize("spoil", [twice, unprintable_portfolio, lone_surrogate, no_number, too_many_rows, too_deep])
def test_a_body_that_cannot_be_is_refused_and_only_that_is_written(
    engine: Caller, count_rows: Callable[[], Count], spoil: Callable[[dict[str, Any]], None]
) -> None:
    request = copy.deepcopy(ready_request())
    spoil(request)
    before = count_rows()
    answer = engine.simulate(request)
    assert answer.status_code == 422
    assert answer.json["detail"][0]["loc"][0] == "body"
    assert written(before, count_rows()) == ONE_LINE


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"", "missing"),
        (b"{", "json_invalid"),
        (b"\xff", "json_invalid"),
        (b'{"a": NaN}', "json_invalid"),
        (b'{"a": ' + b"9" * 5000 + b"}", "json_invalid"),
        (b"[" * 200_000, "too_deep"),
        (b"[]", "model_type"),
        (b"null", "model_type"),
    ],
)
def test_what_is_no_json_object_is_a_422(engine: Caller, raw: bytes, kind: str) -> None:
    answer = engine.send("POST", SIMULATE, data=raw, headers={"Idempotency-Key": "k"})
    (problem,) = answer.json["detail"]
    assert (answer.status_code, problem["type"], problem["loc"][0]) == (422, kind, "body")


@pytest.mark.parametrize("sign", ["", "-"])
def test_an_integer_that_is_too_long_to_be_read_is_called_that_at_its_place(engine: Caller, sign: str) -> None:
    raw = f'{{"a": "99", "b": {sign}{"9" * 5000}}}'
    answer = engine.send("POST", SIMULATE, data=raw, headers={"Idempotency-Key": "k"})
    (problem,) = answer.json["detail"]
    assert (problem["type"], problem["loc"]) == ("json_invalid", ["body", raw.index("99", 10) - len(sign)])
    assert problem["ctx"] == {"error": "Expecting integers of at most 4000 digits"}


@pytest.mark.parametrize("number", ["1e401", "-1e401", "1E-401", "0e500000", "1e500000", "1e99999999999999999999"])
def test_a_short_number_that_is_a_very_long_one_is_refused_where_it_stands(engine: Caller, number: str) -> None:
    raw = f'{{"options": {{"settlement_horizon_days": {number}}}}}'
    answer = engine.send("POST", SIMULATE, data=raw, headers={"Idempotency-Key": "k"})
    (problem,) = answer.json["detail"]
    assert (answer.status_code, problem["type"], problem["loc"]) == (422, "json_invalid", ["body", raw.index(number)])
    assert problem["ctx"] == {"error": "Expecting numbers within 1E±400"}


def test_a_refusal_does_not_send_back_a_body_many_times(engine: Caller) -> None:
    request = {"portfolio_snapshot": {"positions": ["x" * 1000] * 500}}
    assert len(engine.simulate(request).data) < 600_000


@pytest.mark.parametrize("portfolio_id", ["", " ", "pf\x07", "pf\n", "pf\u200b", "x" * 256, "pf\x00"])
def test_a_portfolio_id_is_visible_characters(
    engine: Caller, count_rows: Callable[[], Count], portfolio_id: str
) -> None:
    request = copy.deepcopy(ready_request())
    request["portfolio_snapshot"]["portfolio_id"] = portfolio_id
    before = count_rows()
    answer = engine.simulate(request)
    assert answer.status_code == 422
    (problem,) = answer.json["detail"]
    assert problem["loc"] == ["body", "portfolio_snapshot", "portfolio_id"]
    assert problem["input"] == portfolio_id
    assert written(before, count_rows()) == ONE_LINE


def test_what_was_sent_is_told_back_as_it_was_sent(engine: Caller) -> None:
    request = copy.deepcopy(ready_request())
    request["portfolio_snapshot"]["portfolio_id"] = 1.5
    (problem,) = engine.simulate(request).json["detail"]
    assert (problem["type"], problem["input"]) == ("string_type", 1.5)


def padded(size: int) -> bytes:
    raw = json.dumps(ready_request()).encode()
    return raw + b" " * (size - len(raw))


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("size", "status"), [(MIB, 200), (MIB + 1, 413), (3 * MIB, 413)])
def test_a_body_is_at_most_one_mebibyte(engine: Caller, chunked: bool, size: int, status: int) -> None:
    raw = padded(size)
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    if chunked:
        environ = {"wsgi.input": io.BytesIO(raw), "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
        answer = engine.send("POST", SIMULATE, headers=headers, environ_overrides=environ)
    else:
        answer = engine.send("POST", SIMULATE, data=raw, headers=headers)
    assert answer.status_code == status
    if status == 413:
        assert answer.json == {"detail": "payload_too_large"}
        assert answer.headers["X-Correlation-Id"]


def test_too_large_comes_before_who_is_asking(engine: Caller) -> None:
    engine.bearer = "nobody"
    assert engine.send("POST", SIMULATE, data=padded(MIB + 1)).status_code == 413
    assert engine.send("POST", SIMULATE, data=b"{").status_code == 401
