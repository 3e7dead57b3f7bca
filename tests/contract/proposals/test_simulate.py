"""POST /rebalance/proposals/simulate and …/artifact: one answer for each key, and nothing for what is refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from flask import Flask

from lotus_web.domain.access import Permission
from lotus_web.domain.proposals.refusals import RESULT_TOO_LARGE
from lotus_web.wire.proposals import artifact
from lotus_web.wire.proposals.artifact_model import ProposalArtifact
from lotus_web.wire.proposals.result import ProposalResult
from tests.contract.callers import Caller
from tests.contract.conftest import ONE_LINE, Count, MakeCaller, written

DEMO = Path(__file__).parents[2] / "data" / "advisory-demos" / "11_advisory_auto_funding_single_ccy.json"
SIMULATE, ARTIFACT = "/rebalance/proposals/simulate", "/rebalance/proposals/artifact"
DISABLED = "PROPOSAL_SIMULATION_DISABLED: set options.enable_proposal_simulation=true"
CONFLICT = "IDEMPOTENCY_KEY_CONFLICT: request hash mismatch"


def request(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DEMO.read_text(encoding="utf-8"))
    return found | changes


def post(caller: Caller, path: str, body: Any, *, key: str | None = "key-1", correlation: str | None = None) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    if correlation is not None:
        headers["X-Correlation-Id"] = correlation
    return caller.send("POST", path, json=body, headers=headers)


def test_a_simulation_is_answered_and_stored(engine: Caller, count_rows: Callable[[], Count]) -> None:
    before = count_rows()
    answer = post(engine, SIMULATE, request(), correlation="first")
    assert (answer.status_code, answer.json["status"]) == (200, "READY")
    ProposalResult.model_validate_json(answer.data)
    lineage = answer.json["lineage"]
    assert lineage["idempotency_key"] == "key-1"
    assert answer.json["proposal_run_id"] == "pr_" + lineage["request_hash"].removeprefix("sha256:")[:8]
    assert answer.headers["X-Correlation-Id"] == answer.json["correlation_id"] == "first"
    assert written(before, count_rows()) == {"proposal_simulations": 1}


def test_a_repetition_is_the_stored_answer_byte_for_byte(engine: Caller, count_rows: Callable[[], Count]) -> None:
    first = {path: post(engine, path, request(), correlation="first") for path in (SIMULATE, ARTIFACT)}
    before = count_rows()
    for path, answer in first.items():
        again = post(engine, path, request(), correlation="second")
        assert (again.status_code, again.data) == (200, answer.data)
        assert again.headers["X-Correlation-Id"] == "first"
    assert written(before, count_rows()) == {}


def test_a_repetition_reads_the_stored_answer_once(
    engine: Caller, statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    post(engine, SIMULATE, request())
    with statements() as sent:
        assert post(engine, SIMULATE, request()).status_code == 200
    assert sum("proposal_simulations" in statement for statement in sent) == 1, sent


def test_the_artifact_holds_the_result_that_simulate_answers_with(engine: Caller) -> None:
    found = post(engine, ARTIFACT, request()).json
    result = post(engine, SIMULATE, request()).json
    assert found["evidence_bundle"]["engine_outputs"]["proposal_result"] == result
    assert ProposalArtifact.model_validate(found).artifact_hash == found["artifact_hash"]


def test_the_hash_of_an_artifact_is_the_same_under_another_key(engine: Caller) -> None:
    one, two = (post(engine, ARTIFACT, request(), key=key).json for key in ("key-1", "key-2"))
    assert one["artifact_hash"] == two["artifact_hash"]
    assert one["correlation_id"] != two["correlation_id"]


def test_equal_requests_have_equal_hashes_however_written(engine: Caller) -> None:
    written_otherwise = copy.deepcopy(request())
    written_otherwise["proposed_trades"][0]["quantity"] = "5.0E+1"
    written_otherwise["options"] |= {"allow_restricted": False, "unknown": 1}
    assert post(engine, SIMULATE, request()).data == post(engine, SIMULATE, written_otherwise).data


@pytest.mark.parametrize("path", [SIMULATE, ARTIFACT])
def test_a_key_belongs_to_one_request_on_both_routes(
    engine: Caller, path: str, count_rows: Callable[[], Count]
) -> None:
    post(engine, SIMULATE, request())
    before = count_rows()
    answer = post(engine, path, request(proposed_trades=[]))
    assert (answer.status_code, answer.json) == (409, {"detail": CONFLICT})
    assert written(before, count_rows()) == ONE_LINE


def test_a_key_of_a_run_is_free_for_a_proposal(engine: Caller) -> None:
    assert engine.simulate(key="key-1").status_code == 200
    assert post(engine, SIMULATE, request()).status_code == 200


@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize("path", [SIMULATE, ARTIFACT])
def test_a_request_that_does_not_ask_for_a_simulation_is_refused_before_its_key(
    engine: Caller, path: str, used: bool, count_rows: Callable[[], Count]
) -> None:
    if used:
        post(engine, SIMULATE, request())
    before = count_rows()
    answer = post(engine, path, request(options={}))
    assert (answer.status_code, answer.json) == (422, {"detail": DISABLED})
    assert written(before, count_rows()) == ONE_LINE


def changed(place: str, value: Any) -> dict[str, Any]:
    body = copy.deepcopy(request())
    holder: Any = body
    *steps, last = place.split(".")
    for step in steps:
        holder = holder[int(step)] if step.isdigit() else holder[step]
    holder[int(last) if last.isdigit() else last] = value
    return body


BAD = {
    "both sizes": ("proposed_trades.0.notional", {"amount": "1", "currency": "USD"}, "PROPOSAL_INVALID_TRADE_INPUT"),
    "no size": ("proposed_trades.0", {"side": "BUY", "instrument_id": "A"}, "PROPOSAL_INVALID_TRADE_INPUT"),
    "nothing to trade": ("proposed_trades.0.quantity", "0", "PROPOSAL_INVALID_TRADE_INPUT"),
    "less than nothing": ("proposed_trades.0.quantity", "-1", "PROPOSAL_INVALID_TRADE_INPUT"),
    "a float": ("proposed_trades.0.quantity", 1.5, "float"),
    "not a number": ("proposed_trades.0.quantity", "NaN", "finite"),
    "endless": ("proposed_trades.0.quantity", "1e999", "magnitude"),
    "a boolean": ("proposed_trades.0.quantity", True, "Decimal"),
    "another side": ("proposed_trades.0.side", "HOLD", "BUY"),
    "null trades": ("proposed_trades", None, "list"),
    "another kind of intent": ("proposed_trades.0.intent_type", "CASH_FLOW", "SECURITY_TRADE"),
    "a float flow": ("proposed_cash_flows", [{"currency": "SGD", "amount": 0.1}], "float"),
    "a band upside down": (
        "options.suitability_thresholds",
        {"cash_band_min_weight": "0.5", "cash_band_max_weight": "0.1"},
        "cash_band_min_weight",
    ),
    "a threshold over one": ("options.suitability_thresholds", {"issuer_max_weight": "1.1"}, "less than or equal"),
    "no contributor": ("options.drift_top_contributors_limit", 0, "greater than or equal"),
    "a price twice": (
        "market_data_snapshot.prices",
        [{"instrument_id": "A", "price": "1", "currency": "SGD"}] * 2,
        "more than once",
    ),
    "a target twice": (
        "reference_model",
        {
            "model_id": "m",
            "as_of": "d",
            "base_currency": "SGD",
            "asset_class_targets": [{"asset_class": "X", "weight": "1"}] * 2,
        },
        "more than once",
    ),
    "a portfolio without a name": ("portfolio_snapshot.portfolio_id", "", "portfolio_id"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named_and_leaves_nothing(engine: Caller, name: str, count_rows: Callable[[], Count]) -> None:
    place, value, said = BAD[name]
    before = count_rows()
    answer = post(engine, SIMULATE, changed(place, value))
    assert answer.status_code == 422
    assert said in json.dumps(answer.json["detail"])
    assert written(before, count_rows()) == ONE_LINE


@pytest.mark.parametrize("path", [SIMULATE, ARTIFACT])
def test_what_would_be_answered_with_far_more_than_was_sent_is_refused(
    engine: Caller, path: str, count_rows: Callable[[], Count], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifact, "LARGEST_RESULT", 1_000)
    before = count_rows()
    answer = post(engine, path, request())
    assert (answer.status_code, answer.json) == (422, {"detail": RESULT_TOO_LARGE})
    assert written(before, count_rows()) == ONE_LINE


@pytest.mark.parametrize("key", [None, "", " x"])
def test_a_key_is_visible_characters(engine: Caller, key: str | None) -> None:
    answer = post(engine, SIMULATE, request(), key=key)
    assert answer.status_code == 422
    assert answer.json["detail"][0]["loc"] == ["header", "Idempotency-Key"]


def test_tenants_do_not_share_keys(engine: Caller, make_caller: MakeCaller) -> None:
    other = make_caller(account="other-feed", tenant="acme")
    post(engine, SIMULATE, request())
    assert post(other, SIMULATE, request(proposed_trades=[])).status_code == 200


def test_it_takes_the_permission_to_write_proposals(make_caller: MakeCaller) -> None:
    caller = make_caller(permissions=set(Permission) - {Permission.PROPOSALS_WRITE})
    answer = post(caller, SIMULATE, request())
    assert (answer.status_code, answer.json["permission"]) == (403, "proposals_write")


def test_of_many_posts_at_once_one_is_stored_and_all_answer_with_it(
    app: Flask, engine: Caller, count_rows: Callable[[], Count]
) -> None:
    before, start = count_rows(), Barrier(8)

    def send(number: int) -> bytes:
        caller = Caller(app.test_client(), engine.account, engine.bearer)
        start.wait()
        answer = post(caller, SIMULATE, request(), correlation=f"corr-{number}")
        assert answer.status_code == 200, answer.text
        found: bytes = answer.data
        return found

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(send, range(8)))) == 1
    assert written(before, count_rows()) == {"proposal_simulations": 1}


def test_what_is_blocked_is_an_answer(engine: Caller) -> None:
    body = changed("market_data_snapshot.fx_rates", [])
    answer = post(engine, SIMULATE, body)
    assert (answer.status_code, answer.json["status"], answer.json["gate_decision"]["gate"]) == (
        200,
        "BLOCKED",
        "BLOCKED",
    )
