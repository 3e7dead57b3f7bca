"""A simulated proposal has exactly the published shape (proposals-api §5.7)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings

from lotus_web.wire.proposals.result import RESULT, ProposalResult
from tests.unit.domain.advisory.bodies import proposal, simulate
from tests.unit.domain.advisory.test_properties import proposals

TOP = [
    "proposal_run_id", "correlation_id", "status", "before", "intents", "after_simulated", "reconciliation",
    "rule_results", "explanation", "diagnostics", "drift_analysis", "suitability", "gate_decision", "lineage",
]  # fmt: skip
MODEL = {
    "model_id": "m", "as_of": "2026-01-31", "base_currency": "SGD",
    "asset_class_targets": [{"asset_class": "EQUITY", "weight": "0.5"}],
    "instrument_targets": [{"instrument_id": "US", "weight": "0.5"}],
}  # fmt: skip
FULL = proposal(
    cash={"SGD": "1000"},
    prices={"US": ("33.333", "USD")},
    fx={"USD/SGD": "1.35"},
    flows=[("SGD", "1E+2")],
    trades=[("BUY", "US", "3")],
    model=MODEL,
    suitability_thresholds={},
)


def document(**changes: Any) -> dict[str, Any]:
    return RESULT.document(simulate({**FULL, **changes}))


def test_members_come_in_the_published_order() -> None:
    found = document()
    assert list(found) == TOP
    assert [list(row) for row in found["intents"]] == [
        ["intent_type", "intent_id", "currency", "amount", "description"],
        ["intent_type", "intent_id", "pair", "buy_currency", "buy_amount", "sell_currency", "sell_amount_estimated",
         "dependencies", "rationale"],
        ["intent_type", "intent_id", "instrument_id", "side", "quantity", "notional", "notional_base", "dependencies",
         "rationale", "constraints_applied"],
    ]  # fmt: skip
    assert found["explanation"] == {"summary": "READY"}
    assert list(found["drift_analysis"]) == ["reference_model", "asset_class", "instrument", "highlights"]
    assert set(found["drift_analysis"]["highlights"]["largest_improvements"][0]) == {"bucket", "improvement"}
    assert found["suitability"]["issues"][0]["evidence"] == {
        "as_of": "md",
        "snapshot_ids": {"portfolio_snapshot_id": "pf_1", "market_data_snapshot_id": "md"},
    }


def test_what_is_absent_is_null_and_lists_of_a_run_are_empty() -> None:
    options = {**FULL["options"], "enable_suitability_scanner": False, "enable_workflow_gates": False}
    found = document(options=options, reference_model=None)
    assert (found["drift_analysis"], found["suitability"], found["gate_decision"]) == (None, None, None)
    noted = found["diagnostics"]
    assert [name for name, value in noted.items() if value == [] and name != "warnings"] == [
        "suppressed_intents", "dropped_intents", "group_constraint_events", "tax_budget_constraint_events",
        "cash_ladder", "cash_ladder_breaches", "missing_fx_pairs", "insufficient_cash",
    ]  # fmt: skip
    assert found["intents"][0]["description"] is None


def numbers(value: Any, name: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [pair for key, item in value.items() for pair in numbers(item, key)]
    if isinstance(value, list):
        return [pair for item in value for pair in numbers(item, name)]
    return [(name, value)] if isinstance(value, float) else []


def test_decimals_are_texts_without_exponents_and_weights_have_four_places() -> None:
    found = document()
    assert numbers(found) == []
    assert found["intents"][0]["amount"] == "100"
    weights = [row["weight"] for state in ("before", "after_simulated") for row in found[state]["allocation"]]
    assert weights
    assert all(re.fullmatch(r"-?\d+\.\d{4}", weight) for weight in weights)


@settings(max_examples=60)
@given(proposals())
def test_what_is_written_parses_and_is_written_alike(request_document: dict[str, Any]) -> None:
    written = RESULT.json(simulate(request_document))
    again = ProposalResult.model_validate_json(written)
    assert json.loads(again.model_dump_json()) == json.loads(written)


@pytest.mark.parametrize("name", TOP)
def test_a_result_without_one_of_its_members_is_no_result(name: str) -> None:
    incomplete = {key: value for key, value in document().items() if key != name}
    with pytest.raises(ValueError, match=name):
        ProposalResult.model_validate(incomplete)
