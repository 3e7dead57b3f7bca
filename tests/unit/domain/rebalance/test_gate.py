"""Rules, status and the gate: what blocks, what asks for a review, what may go ahead."""

from __future__ import annotations

from typing import Any

import pytest

from lotus_web.domain.rebalance.engine import ENGINE_VERSION, rebalance
from lotus_web.domain.rebalance.values.result import GateDecision
from lotus_web.services.runs.solver import solve
from lotus_web.wire.rebalance.request import RebalanceRequestBody
from tests.unit.domain.rebalance.bodies import D, body, run_of

READY: dict[str, Any] = {"cash": {"SGD": 1000}, "prices": {"A": 10}, "model": {"A": ".5"}}
SIX = ["CASH_BAND", "SINGLE_POSITION_MAX", "DATA_QUALITY", "MIN_TRADE_SIZE", "NO_SHORTING", "INSUFFICIENT_CASH"]


def gate_of(**fields: Any) -> GateDecision:
    decision = run_of(**fields).gate_decision
    assert decision is not None
    return decision


def test_the_six_rules_come_in_their_order_and_pass() -> None:
    rules = run_of(**READY).rule_results
    assert [rule.rule_id for rule in rules] == SIX
    assert {rule.status for rule in rules} == {"PASS"}
    assert [rule.reason_code for rule in rules] == ["OK", "NO_LIMIT_SET", "OK", "OK", "OK", "OK"]
    assert rules[1].threshold == {"max": -1}
    assert all(rule.remediation_hint is None for rule in rules)


def test_cash_outside_its_band_asks_for_a_risk_review() -> None:
    result = run_of(**READY, cash_band_max_weight=".4")
    decision = result.gate_decision
    assert decision is not None
    assert result.status == "PENDING_REVIEW"
    assert (decision.gate, decision.recommended_next_step) == ("RISK_REVIEW_REQUIRED", "RISK_REVIEW")
    assert [reason.reason_code for reason in decision.reasons] == ["SOFT_RULE_FAIL:CASH_BAND"]
    assert decision.reasons[0].details == {"reason_code": "THRESHOLD_BREACH"}
    assert (decision.summary.hard_fail_count, decision.summary.soft_fail_count) == (0, 1)


def test_a_blocked_run_asks_to_fix_the_input_with_the_gravest_reason_first() -> None:
    decision = gate_of(cash={"SGD": 1000, "USD": 5}, held={"A": 1}, prices={"A": 0}, cash_band_max_weight=".4")
    assert (decision.gate, decision.recommended_next_step) == ("BLOCKED", "FIX_INPUT")
    assert [(reason.reason_code, reason.severity) for reason in decision.reasons] == [
        ("DATA_QUALITY_MISSING_FX", "HIGH"),
        ("DATA_QUALITY_MISSING_PRICE", "HIGH"),
        ("HARD_RULE_FAIL:DATA_QUALITY", "HIGH"),
        ("SOFT_RULE_FAIL:CASH_BAND", "MEDIUM"),
    ]


@pytest.mark.parametrize(
    ("options", "gate", "step"),
    [
        ({}, "EXECUTION_READY", "EXECUTE"),
        ({"workflow_requires_client_consent": True}, "CLIENT_CONSENT_REQUIRED", "REQUEST_CLIENT_CONSENT"),
        (
            {"workflow_requires_client_consent": True, "client_consent_already_obtained": True},
            "EXECUTION_READY",
            "EXECUTE",
        ),
        (
            {"workflow_requires_client_consent": True, "cash_band_max_weight": ".4"},
            "RISK_REVIEW_REQUIRED",
            "RISK_REVIEW",
        ),
    ],
)
def test_the_gate_is_the_first_that_applies(options: dict[str, Any], gate: str, step: str) -> None:
    decision = gate_of(**READY, **options)
    assert (decision.gate, decision.recommended_next_step) == (gate, step)


def test_there_is_no_gate_when_gates_are_off() -> None:
    assert run_of(**READY, enable_workflow_gates=False).gate_decision is None


def test_each_position_above_the_limit_has_its_own_row() -> None:
    result = run_of(
        cash={"SGD": 0},
        held={"X": 50, "Y": 50},
        prices={"X": 1, "Y": 1},
        shelf={"X": "BANNED", "Y": "BANNED"},
        single_position_max_weight=".4",
    )
    rows = [rule for rule in result.rule_results if rule.rule_id == "SINGLE_POSITION_MAX"]
    assert [(rule.measured, rule.reason_code) for rule in rows] == [(D(".5"), "LIMIT_BREACH")] * 2
    assert all(rule.remediation_hint for rule in rows)


def test_the_passing_limit_shows_the_largest_weight() -> None:
    rule = run_of(**READY, single_position_max_weight=".6").rule_results[1]
    assert (rule.measured, rule.threshold, rule.reason_code) == (D(".5"), {"max": D(".6")}, "OK")


def test_a_shelf_asset_class_called_cash_counts_as_cash() -> None:
    result = run_of(
        cash={"SGD": 10},
        held={"MMF": 10},
        prices={"MMF": 1},
        model={"MMF": ".5"},
        shelf={"MMF": {"asset_class": "CASH"}},
    )
    assert [(row.key, row.weight) for row in result.after_simulated.allocation_by_asset_class] == [("CASH", D(1))]
    assert result.rule_results[0].measured == 1


def test_the_result_names_where_it_comes_from() -> None:
    document = body(**READY)
    document["market_data_snapshot"]["snapshot_id"] = "md_2026_03_31"
    document["portfolio_snapshot"]["snapshot_id"] = "ps_1"
    request = RebalanceRequestBody.model_validate(document).to_domain()
    result = rebalance(
        request, run_id="rr_1", correlation_id="corr_1", request_hash="sha256:1", idempotency_key="march", solve=solve
    )
    lineage = result.lineage
    assert lineage.portfolio_snapshot_id == "pf_amara_tan"
    assert lineage.market_data_snapshot_id == "md_2026_03_31"
    assert lineage.idempotency_key == "march"
    assert lineage.engine_version == ENGINE_VERSION
    assert (result.universe.universe_id, result.target.target_id) == ("u_rr_1", "t_rr_1")


def test_unnamed_market_data_and_callers_have_their_defaults() -> None:
    result = run_of(**READY)
    assert result.lineage.market_data_snapshot_id == "md"
    assert result.lineage.idempotency_key is None
    assert result.correlation_id == "c_none"
