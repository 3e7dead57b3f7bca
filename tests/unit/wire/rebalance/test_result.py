"""Results have exactly the published shape: texts for numbers, nulls for what is optional, empty collections present.

``tests/data/result-digests.json`` holds the digest of each case's JSON bytes, and of its artifact: what is stored and hashed
must not change by a byte unless the engine's own version does.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given, settings
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from lotus_web.domain.rebalance.comparison import ComparisonMetric, comparison_metrics
from lotus_web.domain.rebalance.engine import rebalance
from lotus_web.domain.rebalance.values.codes import RunStatus
from lotus_web.domain.rebalance.values.money import Money
from lotus_web.domain.rebalance.values.request import RebalanceRequest
from lotus_web.domain.runs.artifact import artifact_document
from lotus_web.services.runs.solver import solve
from lotus_web.wire.rebalance.model import ResultModel
from lotus_web.wire.rebalance.request import BatchRequestBody, RebalanceRequestBody
from lotus_web.wire.rebalance.result import METRIC, RESULT, Metric, RebalanceResult
from tests.benchmarks.engine import large_request
from tests.unit.domain.rebalance.bodies import RUN_ID, body, run, run_of
from tests.unit.domain.rebalance.scenarios import SCENARIOS
from tests.unit.domain.rebalance.test_extremes import extremes

DATA = Path(__file__).parents[3] / "data"
DIGESTS = json.loads((DATA / "result-digests.json").read_text(encoding="utf-8"))
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
    return RESULT.document(run_of(**REQUESTS[name]))


def every_request() -> Iterator[tuple[str, RebalanceRequest]]:
    """Yield every scenario, every published demo and a large portfolio, by the names that the digests have."""
    for name, request in REQUESTS.items():
        yield name, RebalanceRequestBody.model_validate(body(**request)).to_domain()
    for path in sorted((DATA / "reference-demos").glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        if "scenarios" not in document:
            yield path.stem, RebalanceRequestBody.model_validate(document).to_domain()
            continue
        batch = BatchRequestBody.model_validate(document)
        for name in batch.scenario_names():
            if name != "invalid_options":
                yield f"{path.stem} {name}", batch.with_options(batch.scenario_options(name))
    yield "large", large_request().to_domain()


CASES = dict(every_request())


def json_of(name: str) -> bytes:
    """Return the bytes of a case's result, under the names that the digests were taken with."""
    names = {"run_id": RUN_ID, "correlation_id": "c_1", "request_hash": "sha256:0", "idempotency_key": "k_1"}
    return RESULT.json(rebalance(CASES[name], **names, solve=solve))


def parts_of(model: type[ResultModel]) -> Iterator[type[ResultModel]]:
    """Yield a model and every model that it is made of."""
    yield model
    for hint in get_type_hints(model).values():
        inner = [hint]
        while inner:
            kind = inner.pop()
            inner += get_args(kind)
            if isinstance(kind, type) and issubclass(kind, ResultModel):
                yield from parts_of(kind)


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
    document = RESULT.document(run_of(cash={"SGD": 200}, held={"A": 100}, prices={"A": 1}, model={"A": "0.33333333"}))
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
    assert RESULT.document(result)["explanation"]["target_method_comparison"] == {
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
    assert RESULT.document(run_of(enable_workflow_gates=False))["gate_decision"] is None


def test_the_metrics_of_a_batch_count_trades_without_fx() -> None:
    results = {"switch": run_of(**REQUESTS["112_cross_currency_switch"], strict_reference=True), "idle": run_of()}
    assert {name: METRIC.document(metric) for name, metric in comparison_metrics(results).items()} == {
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


def test_every_case_has_a_digest() -> None:
    assert set(CASES) == set(DIGESTS)


@pytest.mark.parametrize("name", CASES)
def test_no_byte_of_a_stored_result_or_of_an_artifact_has_changed(name: str) -> None:
    written = json_of(name)
    artifact = artifact_document(
        json.loads(written),
        request_hash="sha256:0",
        idempotency_key="k_1",
        portfolio_id="pf",
        created_at=datetime(2026, 3, 2, tzinfo=UTC),
    )
    assert hashlib.sha256(written).hexdigest() == DIGESTS[name]["result"]
    assert artifact["evidence"]["hashes"]["artifact_hash"] == f"sha256:{DIGESTS[name]['artifact']}"


@pytest.mark.parametrize("name", CASES)
def test_a_stored_result_is_parsed_and_written_again_byte_by_byte(name: str) -> None:
    stored = json_of(name)
    assert RebalanceResult.parse(stored).model_dump_json().encode() == stored


@settings(max_examples=100)
@given(extremes())
def test_the_writer_and_the_model_write_the_same_whatever_the_numbers(document: dict[str, Any]) -> None:
    result = run(document)
    written = RESULT.json(result)
    assert RebalanceResult.model_validate(result).model_dump_json().encode() == written
    assert RebalanceResult.parse(written).model_dump_json().encode() == written
    assert json.dumps(RESULT.document(result), separators=(",", ":"), ensure_ascii=False).encode() == written


@pytest.mark.parametrize("change", [{"status": "DONE"}, {"before": None}, {"intents": [{"intent_type": "SWAP"}]}])
def test_what_is_no_result_is_not_parsed(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RebalanceResult.parse(json.dumps(document_of("01_cash_inflow") | change).encode())


def test_a_value_of_another_kind_is_not_written() -> None:
    broken = ComparisonMetric(RunStatus.READY, "two", Money(1, "SGD"))  # type: ignore[arg-type]
    with pytest.raises(PydanticSerializationError):
        METRIC.json(broken)


@pytest.mark.parametrize("model", sorted({*parts_of(RebalanceResult), Metric}, key=lambda model: model.__name__))
def test_nothing_of_the_engine_s_values_is_left_out(model: type[ResultModel]) -> None:
    assert is_dataclass(model.domain)
    assert {field.name for field in fields(model.domain)} <= set(model.model_fields)
