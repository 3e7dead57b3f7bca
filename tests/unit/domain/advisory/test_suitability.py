"""The suitability scan: each finding at its threshold, and whether it is new, persistent or resolved (proposals-api §5.4)."""

from __future__ import annotations

from typing import Any

import pytest

from lotus_web.domain.advisory.result import ProposalResult, SuitabilityIssue
from tests.unit.domain.advisory.bodies import RELAXED, D, proposal, simulate

AB = {"A": ("1", "SGD"), "B": ("1", "SGD")}


def issues(result: ProposalResult) -> list[SuitabilityIssue]:
    assert result.suitability is not None
    return list(result.suitability.issues)


def found(result: ProposalResult) -> list[tuple[str, str, str]]:
    return [(row.issue_key, row.status_change.value, row.severity.value) for row in issues(result)]


def holding(weight: int, **fields: Any) -> dict[str, Any]:
    """A of this many percent, the rest in cash, and nothing proposed."""
    thresholds = {**RELAXED, **fields.pop("limits", {})}
    held, cash = {"A": weight}, {"SGD": 100 - weight}
    return proposal(held=held, cash=cash, prices=AB, suitability_thresholds=thresholds, **fields)


@pytest.mark.parametrize(
    ("weight", "severity"), [(10, None), (11, "MEDIUM"), (12, "MEDIUM"), (13, "HIGH")], ids=["at", "over", "1.2", "1.3"]
)
@pytest.mark.parametrize(
    ("limits", "key"),
    [
        ({"single_position_max_weight": "0.10"}, "SINGLE_POSITION_MAX|A"),
        ({"issuer_max_weight": "0.10"}, "ISSUER_MAX|ISSUER_A"),
        ({"max_weight_by_liquidity_tier": {"L1": "0.10"}}, "LIQUIDITY_MAX|L1"),
    ],
)
def test_a_limit_is_exceeded_above_it_and_severely_above_a_quarter_more(
    weight: int, severity: str | None, limits: dict[str, Any], key: str
) -> None:
    expected = [] if severity is None else [(key, "PERSISTENT", severity)]
    assert found(simulate(holding(weight, limits=limits))) == expected


def test_a_limit_finding_carries_the_unrounded_measure() -> None:
    document = proposal(held={"A": 1}, cash={"SGD": 2}, prices=AB, suitability_thresholds={})
    (row,) = [row for row in issues(simulate(document)) if row.issue_id == "SUIT_SINGLE_POSITION_MAX"]
    assert row.details == {"instrument_id": "A", "threshold": "0.10", "measured": str(D(1) / D(3))}


@pytest.mark.parametrize(("cash", "hit"), [(0, True), (1, False), (5, False), (6, True)])
def test_cash_has_a_band(cash: int, hit: bool) -> None:
    limits = {"cash_band_min_weight": "0.01", "cash_band_max_weight": "0.05"}
    assert bool(found(simulate(holding(100 - cash, limits=limits)))) is hit


def test_missing_enrichment_is_found_and_a_missing_entry_says_all() -> None:
    document = holding(50, limits={"data_quality_issue_severity": "LOW"}, shelf={"A": {"liquidity_tier": None}})
    assert found(simulate(document)) == [("DQ|MISSING_LIQUIDITY_TIER|A", "PERSISTENT", "LOW")]
    document["shelf_entries"][0]["issuer_id"] = None
    assert [key for key, _, _ in found(simulate(document))] == ["DQ|MISSING_ISSUER|A", "DQ|MISSING_LIQUIDITY_TIER|A"]
    document["shelf_entries"] = []
    assert [key for key, _, _ in found(simulate(document))] == ["DQ|MISSING_SHELF|A"]


@pytest.mark.parametrize("status", ["BANNED", "SUSPENDED"])
def test_what_may_not_be_held_is_found_until_it_is_sold(status: str) -> None:
    document = holding(50, shelf={"A": {"status": status}})
    assert found(simulate(document)) == [(f"GOVERNANCE|A|{status}", "PERSISTENT", "HIGH")]
    document["proposed_trades"] = [{"side": "SELL", "instrument_id": "A", "quantity": 50}]
    assert found(simulate(document)) == [(f"GOVERNANCE|A|{status}", "RESOLVED", "HIGH")]


@pytest.mark.parametrize(
    ("status", "allow", "severity"),
    [("SELL_ONLY", False, "HIGH"), ("RESTRICTED", False, "HIGH"), ("RESTRICTED", True, "MEDIUM")],
)
def test_what_may_only_shrink_must_not_grow(status: str, allow: bool, severity: str) -> None:
    document = holding(50, shelf={"A": {"status": status}}, allow_restricted=allow)
    assert found(simulate(document)) == []
    bought = {**document, "proposed_trades": [{"side": "BUY", "instrument_id": "A", "quantity": 1}]}
    assert found(simulate(bought)) == [(f"GOVERNANCE|A|{status}", "NEW", severity)]
    grown = {**document, "proposed_cash_flows": [{"currency": "SGD", "amount": -10}]}
    assert found(simulate(grown)) == [(f"GOVERNANCE|A|{status}", "NEW", severity)]


def test_the_gate_follows_the_worst_new_finding() -> None:
    document = holding(5, limits={"single_position_max_weight": "0.10"})
    for bought, gate, code in [
        (4, "CLIENT_CONSENT_REQUIRED", None),
        (6, "RISK_REVIEW_REQUIRED", "NEW_MEDIUM_SUITABILITY_ISSUE"),
        (20, "COMPLIANCE_REVIEW_REQUIRED", "NEW_HIGH_SUITABILITY_ISSUE"),
    ]:
        result = simulate({**document, "proposed_trades": [{"side": "BUY", "instrument_id": "A", "quantity": bought}]})
        assert result.gate_decision is not None
        assert result.gate_decision.gate == gate
        assert [row.reason_code for row in result.gate_decision.reasons] == ([code] if code else [])


def test_consent_that_is_there_lets_a_clean_proposal_go() -> None:
    result = simulate(holding(5, client_consent_already_obtained=True))
    assert result.gate_decision is not None
    assert (result.gate_decision.gate, result.gate_decision.recommended_next_step) == ("EXECUTION_READY", "EXECUTE")


def test_switched_off_parts_are_absent() -> None:
    result = simulate(holding(90, enable_suitability_scanner=False, enable_workflow_gates=False))
    assert (result.suitability, result.gate_decision, result.drift_analysis) == (None, None, None)


def test_the_summary_counts_each_change() -> None:
    limits = {"single_position_max_weight": "0.30"}
    document = proposal(
        held={"A": 40, "B": 20}, cash={"SGD": 40}, prices=AB, suitability_thresholds={**RELAXED, **limits},
        trades=[("SELL", "A", 20), ("BUY", "B", 15)],
    )  # fmt: skip
    result = simulate(document)
    assert found(result) == [
        ("SINGLE_POSITION_MAX|B", "NEW", "MEDIUM"),
        ("SINGLE_POSITION_MAX|A", "RESOLVED", "HIGH"),
    ]
    assert result.suitability is not None
    summary = result.suitability.summary
    assert (summary.new_count, summary.persistent_count, summary.resolved_count) == (1, 0, 1)
    assert (summary.highest_severity_new, result.suitability.recommended_gate) == ("MEDIUM", "RISK_REVIEW")
