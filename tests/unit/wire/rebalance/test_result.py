"""Results have exactly the published shape: texts for numbers, nulls for what is optional, empty collections present."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from lotus_web.domain.rebalance.comparison import comparison_metrics
from lotus_web.wire.rebalance.result import metrics_document, result_document
from tests.unit.domain.rebalance.bodies import run_of
from tests.unit.domain.rebalance.scenarios import SCENARIOS

REQUESTS = {scenario.name: scenario.request for scenario in SCENARIOS}
PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")
TOP = [
    "rebalance_run_id",
    "correlation_id",
    "status",
    "before",
    "universe",
    "target",
    "intents",
    "after_simulated",
    "reconciliation",
    "tax_impact",
    "rule_results",
    "explanation",
    "diagnostics",
    "gate_decision",
    "lineage",
]


def document_of(name: str) -> dict[str, Any]:
    return result_document(run_of(**REQUESTS[name]))


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def amounts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if set(value) == {"amount", "currency"}:
            yield value["amount"]
        for item in value.values():
            yield from amounts(item)
    elif isinstance(value, list):
        for item in value:
            yield from amounts(item)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_result_is_plain_json_with_every_field_present(name: str) -> None:
    document = document_of(name)
    assert list(document) == TOP
    assert json.loads(json.dumps(document)) == document
    assert {type(leaf) for leaf in leaves(document)} <= {str, int, type(None)}
    assert all(PLAIN.fullmatch(amount) for amount in amounts(document))


def test_a_run_has_the_published_text_forms() -> None:
    document = document_of("03_fx_funding")
    fx, buy = document["intents"]
    assert fx == {
        "intent_type": "FX_SPOT",
        "intent_id": "oi_fx_2",
        "pair": "USD/SGD",
        "buy_currency": "USD",
        "buy_amount": "3737.00",
        "sell_currency": "SGD",
        "sell_amount_estimated": "5044.9500",
        "dependencies": [],
        "rationale": {"code": "FUNDING", "message": "Fund"},
    }
    assert buy == {
        "intent_type": "SECURITY_TRADE",
        "intent_id": "oi_1",
        "instrument_id": "US",
        "side": "BUY",
        "quantity": "37",
        "notional": {"amount": "3700", "currency": "USD"},
        "notional_base": {"amount": "4995.00", "currency": "SGD"},
        "dependencies": ["oi_fx_2"],
        "rationale": {"code": "DRIFT_REBALANCE", "message": "Align"},
        "constraints_applied": [],
    }


def test_weights_of_states_have_four_places_and_target_weights_are_whole() -> None:
    document = result_document(run_of(cash={"SGD": 200}, held={"A": 100}, prices={"A": 1}, model={"A": "0.33333333"}))
    before = document["before"]
    assert before["positions"][0]["weight"] == "0.3333"
    assert [row["weight"] for row in before["allocation_by_asset_class"]] == ["0.3333", "0.6667"]
    assert before["allocation"] == before["allocation_by_instrument"]
    assert document["target"]["targets"][0]["final_weight"] == "0.33333333"


def test_a_position_without_price_has_a_null_price_and_no_value() -> None:
    (row,) = document_of("107_missing_price")["before"]["positions"]
    assert row["price"] is None
    assert row["value_in_instrument_ccy"] == {"amount": "0", "currency": "SGD"}
    assert row["asset_class"] == "UNKNOWN"


def test_an_early_block_carries_only_its_summary() -> None:
    document = document_of("04_dq_failure")
    assert document["explanation"] == {"summary": "Blocked"}
    assert document["reconciliation"] is None
    assert document["tax_impact"] is None
    assert document["universe"]["coverage"] == {"price_coverage_pct": "0", "fx_coverage_pct": "1"}
    assert document["diagnostics"]["data_quality"] == {
        "price_missing": ["EQ_1"],
        "fx_missing": [],
        "shelf_missing": [],
    }


def test_a_run_that_went_through_explains_itself() -> None:
    document = document_of("01_cash_inflow")
    assert document["explanation"] == {"summary": "READY", "target_method_comparison": None}
    assert document["target"]["strategy"] == {}
    assert document["reconciliation"]["status"] == "OK"
    assert document["universe"]["coverage"] == {"price_coverage_pct": "1", "fx_coverage_pct": "1"}
    assert document["diagnostics"]["funding_plan"] == []
    assert document["gate_decision"]["reasons"] == []


def test_a_comparison_is_written_out() -> None:
    result = run_of(**REQUESTS["12_solver_ready_feasible"], compare_target_methods=True)
    assert result_document(result)["explanation"]["target_method_comparison"] == {
        "primary_method": "SOLVER",
        "primary_status": "READY",
        "alternate_method": "HEURISTIC",
        "alternate_status": "READY",
        "tolerance": "0.0001",
        "differing_instruments": [],
        "alternate_warnings": [],
    }


def test_exclusions_carry_null_details() -> None:
    assert document_of("306_restricted_blocked")["universe"]["excluded"] == [
        {"instrument_id": "R", "reason_code": "SHELF_STATUS_RESTRICTED", "details": None}
    ]


def test_a_dropped_order_a_tax_cut_and_a_breach_are_written_out() -> None:
    dropped = document_of("10_turnover_cap")["diagnostics"]["dropped_intents"]
    assert dropped[0]["reason"] == "TURNOVER_LIMIT"
    assert dropped[0]["potential_notional"]["currency"] == "USD"
    cut = document_of("09_tax_budget_partial_sell")
    assert cut["diagnostics"]["tax_budget_constraint_events"][0]["reason_code"] == "TAX_BUDGET_LIMIT_REACHED"
    assert cut["tax_impact"]["budget_limit"] == {"amount": "100", "currency": "USD"}
    breach = document_of("11_settlement_fail")["diagnostics"]["cash_ladder_breaches"][0]
    assert (breach["date_offset"], breach["reason_code"]) == (1, "OVERDRAFT_ON_T_PLUS_1")
    event = document_of("08_sector_cap")["diagnostics"]["group_constraint_events"][0]
    assert (event["status"], list(event["recipients"])) == ("CAPPED", ["Bond_B"])


def test_no_gate_is_null() -> None:
    assert result_document(run_of(enable_workflow_gates=False))["gate_decision"] is None


def test_the_metrics_of_a_batch_count_trades_without_fx() -> None:
    results = {"switch": run_of(**REQUESTS["112_cross_currency_switch"], strict_reference=True), "idle": run_of()}
    assert metrics_document(comparison_metrics(results)) == {
        "switch": {
            "status": "BLOCKED",
            "security_intent_count": 2,
            "gross_turnover_notional_base": {"amount": "29880.0", "currency": "SGD"},
        },
        "idle": {
            "status": "READY",
            "security_intent_count": 0,
            "gross_turnover_notional_base": {"amount": "0", "currency": "SGD"},
        },
    }
