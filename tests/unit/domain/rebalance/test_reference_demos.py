"""The published demo requests give their published results."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from lotus_web.domain.rebalance.comparison import comparison_metrics
from lotus_web.domain.rebalance.engine import rebalance
from lotus_web.domain.rebalance.values.result import RebalanceResult
from lotus_web.services.runs.solver import solve
from lotus_web.wire.rebalance.request import BatchRequestBody, first_message
from tests.unit.domain.rebalance.bodies import run, trades_of

DEMOS = Path(__file__).parents[3] / "data" / "reference-demos"
SINGLE: dict[str, tuple[str, list[tuple[str, str, int]]]] = {
    "01": ("READY", [("SELL", "UOB_EQ", 100), ("BUY", "DBS_EQ", 100)]),
    "02": ("READY", [("SELL", "OLD_ASSET", 100), ("BUY", "NEW_ASSET", 200)]),
    "03": ("READY", [("BUY", "US_TECH_ETF", 37)]),
    "04": ("PENDING_REVIEW", [("BUY", "SAFE_ASSET", 80)]),
    "05": ("BLOCKED", []),
    "06": ("READY", [("SELL", "ABC", 50)]),
    "07": ("BLOCKED", [("SELL", "SLOW_FUND", 10), ("BUY", "FAST_STOCK", 10)]),
    "08": ("READY", [("BUY", "EQ_A", 60), ("BUY", "EQ_B", 80)]),
    "27": ("READY", [("SELL", "EQ_1", 25), ("BUY", "EQ_2", 90)]),
    "29": ("PENDING_REVIEW", [("BUY", "EQ_1", 50)]),
    "30": ("READY", [("SELL", "EQ_1", 25), ("BUY", "EQ_2", 90)]),
    "31": ("READY", [("SELL", "EQ_1", 45)]),
    "32": ("READY", [("SELL", "EQ_1", 8), ("SELL", "EQ_2", 8)]),
}


def demo(number: str) -> dict[str, Any]:
    (path,) = DEMOS.glob(f"{number}_*.json")
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def analyse(number: str) -> tuple[dict[str, RebalanceResult], dict[str, str]]:
    batch = BatchRequestBody.model_validate(demo(number))
    results: dict[str, RebalanceResult] = {}
    failed: dict[str, str] = {}
    for name in batch.scenario_names():
        try:
            request = batch.with_options(batch.scenario_options(name))
        except ValidationError as error:
            failed[name] = first_message(error)
        else:
            results[name] = rebalance(request, run_id="rr_0000abcd", request_hash=f"batch_0:{name}", solve=solve)
    return results, failed


@pytest.mark.parametrize("number", SINGLE)
def test_a_demo_run_gives_its_published_orders(number: str) -> None:
    status, trades = SINGLE[number]
    result = run(demo(number))
    assert result.status == status
    assert trades_of(result) == trades


def test_the_what_if_demo_compares_three_scenarios() -> None:
    results, failed = analyse("09")
    assert failed == {}
    assert {name: result.status for name, result in results.items()} == {
        "baseline": "READY",
        "settlement_guard": "BLOCKED",
        "tax_budget": "READY",
    }
    for metric in comparison_metrics(results).values():
        assert metric.security_intent_count == 3
        assert metric.gross_turnover_notional_base.amount == 11000
    orders = [("SELL", "ABC", 45), ("SELL", "SLOW_FUND", 10), ("BUY", "FAST_STOCK", 55)]
    assert [trades_of(result) for result in results.values()] == [orders] * 3
    guard = results["settlement_guard"]
    assert guard.diagnostics.warnings == ("OVERDRAFT_ON_T_PLUS_1",)
    assert guard.rule_results[0].measured == Decimal(5500)
    assert [intent.dependencies for intent in guard.intents] == [(), (), ("oi_2",)]


def test_a_demo_scenario_with_a_malformed_group_key_fails_alone() -> None:
    results, failed = analyse("26")
    assert trades_of(results["baseline"]) == [("SELL", "EQ_1", 45)]
    assert comparison_metrics(results)["baseline"].gross_turnover_notional_base.amount == 4500
    expected = "Value error, group_constraints keys must use format '<attribute_key>:<attribute_value>'"
    assert failed == {"invalid_options": expected}


def test_a_demo_batch_of_one_scenario_runs() -> None:
    results, failed = analyse("28")
    assert list(results) == ["baseline"]
    assert failed == {}


def test_a_threshold_leaves_its_mark_on_the_orders_it_let_through() -> None:
    assert [intent.constraints_applied for intent in run(demo("01")).intents] == [("MIN_NOTIONAL",)] * 2
