"""Drift from a reference model (proposals-api §5.6)."""

from __future__ import annotations

from typing import Any

from lotus_web.domain.advisory.result import DriftAnalysis
from tests.unit.domain.advisory.bodies import D, proposal, simulate

PRICES = {"A": ("1", "SGD"), "B": ("1", "SGD"), "C": ("1", "SGD")}


def model(**fields: Any) -> dict[str, Any]:
    return {
        "model_id": "m1",
        "as_of": "2026-01-31",
        "base_currency": "SGD",
        "asset_class_targets": [{"asset_class": "EQUITY", "weight": "0.6"}, {"asset_class": "BOND", "weight": "0.3"}],
        "instrument_targets": [{"instrument_id": "A", "weight": "0.5"}],
        **fields,
    }


def analysed(**options: Any) -> DriftAnalysis | None:
    reference = options.pop("model", model())
    document = proposal(
        held={"A": 40, "B": 10}, cash={"SGD": 50}, prices=PRICES, trades=[("BUY", "A", 10), ("BUY", "C", 20)],
        model=reference, **options,
    )  # fmt: skip
    return simulate(document).drift_analysis


def test_buckets_are_the_union_of_model_and_holdings_with_cash() -> None:
    drift = analysed()
    assert drift is not None
    assert [row.bucket for row in drift.asset_class.buckets] == ["BOND", "CASH", "EQUITY"]
    bond, cash, equity = drift.asset_class.buckets
    assert (bond.drift_before, bond.drift_after, bond.improvement) == (D("-0.3"), D("-0.3"), 0)
    assert (cash.drift_before, cash.drift_after, cash.improvement) == (D("0.5"), D("0.2"), D("0.3"))
    assert (equity.abs_drift_before, equity.abs_drift_after) == (D("0.1"), D("0.2"))
    assert (drift.asset_class.drift_total_before, drift.asset_class.drift_total_after) == (D("0.45"), D("0.35"))
    assert drift.asset_class.drift_total_delta == D("-0.10")


def test_instruments_include_what_is_traded() -> None:
    drift = analysed()
    assert drift is not None
    assert drift.instrument is not None
    assert [row.bucket for row in drift.instrument.buckets] == ["A", "B", "C"]
    assert [row.bucket for row in drift.highlights.largest_improvements] == ["A"]
    assert [(row.bucket, row.improvement) for row in drift.highlights.largest_deteriorations] == [("C", D("-0.2"))]
    exposures = [(row.bucket, row.max_portfolio_weight) for row in drift.highlights.unmodeled_exposures]
    assert exposures == [("C", D("0.2")), ("B", D("0.1"))]


def test_the_limit_and_the_threshold_cut_the_lists() -> None:
    drift = analysed(drift_top_contributors_limit=1, drift_unmodeled_exposure_threshold="0.15")
    assert drift is not None
    assert [row.bucket for row in drift.asset_class.top_contributors_before] == ["CASH"]
    assert [row.bucket for row in drift.highlights.unmodeled_exposures] == ["C"]


def test_drift_by_instrument_is_left_out_where_it_was_not_asked_for() -> None:
    for drift in (analysed(enable_instrument_drift=False), analysed(model=model(instrument_targets=[]))):
        assert drift is not None
        assert drift.instrument is None
        assert [row.bucket for row in drift.highlights.unmodeled_exposures] == ["CASH"]


def test_a_model_in_another_currency_is_not_compared() -> None:
    document = proposal(cash={"SGD": 1}, model=model(base_currency="USD"))
    result = simulate(document)
    assert result.drift_analysis is None
    assert result.diagnostics.warnings == ("REFERENCE_MODEL_BASE_CURRENCY_MISMATCH",)


def test_drift_can_be_switched_off() -> None:
    assert analysed(enable_drift_analytics=False) is None
    assert analysed(model=None) is None
