"""What the engine makes of the demo: the mix of statuses, and a real reason behind each."""

from __future__ import annotations

from collections import Counter

import pytest

from lotus_web.demo.schedule import CIRCUMSTANCES
from lotus_web.domain.rebalance.values.codes import RuleStatus
from tests.unit.demo.conftest import Computed


def _failing(computed: Computed, circumstance: str) -> list[set[str]]:
    return [
        {rule.rule_id for rule in result.rule_results if rule.status is RuleStatus.FAIL}
        for run, result in computed
        if run.circumstance == circumstance
    ]


def test_the_latest_sixty_are_27_ready_27_to_review_and_6_blocked(latest: Computed) -> None:
    mix = Counter(str(result.status) for _, result in latest)
    assert mix == {"READY": 27, "PENDING_REVIEW": 27, "BLOCKED": 6}


def test_every_circumstance_happens_at_the_latest_month_end(latest: Computed) -> None:
    assert {run.circumstance for run, _ in latest} == CIRCUMSTANCES.keys()


def test_the_engine_agrees_with_what_each_circumstance_expects(history: Computed) -> None:
    surprises = [
        (run.correlation_id, run.circumstance, str(result.status))
        for run, result in history
        if result.status != run.expected_status
    ]
    assert surprises == []


@pytest.mark.parametrize("circumstance", ["restricted_target", "turnover_capped", "legacy_off_shelf", "legacy_banned"])
def test_cash_leaves_its_band(history: Computed, circumstance: str) -> None:
    found = _failing(history, circumstance)
    assert found
    assert all(failing == {"CASH_BAND"} for failing in found)


def test_a_halt_mostly_squeezes_cash_out_of_its_band(history: Computed) -> None:
    failing = _failing(history, "suspended")
    assert failing
    assert sum("CASH_BAND" in rules for rules in failing) > len(failing) / 2


@pytest.mark.parametrize(
    ("circumstance", "rule_id"),
    [
        ("price_missing", "DATA_QUALITY"),
        ("rate_missing", "DATA_QUALITY"),
        ("target_off_shelf", "DATA_QUALITY"),
        ("locked_over_cap", "SINGLE_POSITION_MAX"),
    ],
)
def test_a_blocked_run_is_blocked_by_the_rule_that_its_circumstance_breaks(
    history: Computed, circumstance: str, rule_id: str
) -> None:
    found = _failing(history, circumstance)
    assert found
    assert all(rule_id in failing for failing in found)


def test_late_settlement_overdraws_the_ladder(latest: Computed) -> None:
    assert _failing(latest, "late_settlement") == [{"SETTLEMENT_CASH_LADDER"}]


def test_ready_runs_have_orders_to_execute(latest: Computed) -> None:
    ready = [result for _, result in latest if result.status == "READY"]
    assert ready
    assert all(result.intents for result in ready)


def test_the_special_sections_of_a_result_are_filled_somewhere(latest: Computed) -> None:
    results = {run.circumstance: result for run, result in latest}
    assert results["tax_lots"].tax_impact is not None
    assert results["turnover_capped"].diagnostics.dropped_intents
    assert results["group_limit"].diagnostics.group_constraint_events
    assert results["foreign_cash"].intents
    assert results["client_consent"].gate_decision is not None
    assert results["client_consent"].gate_decision.gate == "CLIENT_CONSENT_REQUIRED"
