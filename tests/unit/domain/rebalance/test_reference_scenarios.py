"""Every published scenario gives its published figures, and ours by default agree except where we differ on purpose."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotus_web.domain.rebalance.values.intent import SecurityTrade
from lotus_web.domain.rebalance.values.result import RebalanceResult
from tests.unit.domain.rebalance.bodies import cash_of, failed_rules, fx_of, run_of, tags_of, trades_of, weights_of
from tests.unit.domain.rebalance.scenarios import SCENARIOS, Scenario

D = Decimal
MODES = [
    pytest.param(scenario, strict, id=f"{scenario.name}-{'strict' if strict else 'default'}")
    for scenario in SCENARIOS
    for strict in ((True, False) if scenario.same_by_default else (True,))
]


def check_orders(scenario: Scenario, result: RebalanceResult) -> None:
    assert trades_of(result) == [(side, name, D(units)) for side, name, units in scenario.trades]
    assert fx_of(result) == [(key, bought, D(amount), sold, D(cost)) for key, bought, amount, sold, cost in scenario.fx]
    waits = {row.instrument_id: row.dependencies for row in result.intents if isinstance(row, SecurityTrade)}
    assert {name: waits[name] for name in scenario.dependencies} == scenario.dependencies


def check_diagnostics(scenario: Scenario, result: RebalanceResult) -> None:
    notes = result.diagnostics
    assert set(notes.warnings) == scenario.warnings
    assert notes.data_quality.price_missing == scenario.price_missing
    assert notes.data_quality.fx_missing == scenario.fx_missing
    assert [(row.intended_notional.amount, row.threshold.amount) for row in notes.suppressed_intents] == [
        (D(notional), D(threshold)) for notional, threshold in scenario.suppressed
    ]
    assert [(row.instrument_id, row.potential_notional.amount, row.score) for row in notes.dropped_intents] == [
        (name, D(notional), D(score)) for name, notional, score in scenario.dropped
    ]


@pytest.mark.parametrize(("scenario", "strict"), MODES)
def test_a_scenario_gives_its_published_figures(scenario: Scenario, strict: bool) -> None:
    result = run_of(**scenario.request, strict_reference=strict)
    assert result.status == scenario.status
    check_orders(scenario, result)
    check_diagnostics(scenario, result)
    cash, weights, tags = cash_of(result), weights_of(result), tags_of(result)
    assert {name: cash[name] for name in scenario.cash} == {name: D(value) for name, value in scenario.cash.items()}
    assert {name: weights[name] for name in scenario.weights} == {
        name: D(value) for name, value in scenario.weights.items()
    }
    assert {name: tags[name] for name in scenario.tags} == {name: {tag} for name, tag in scenario.tags.items()}
    measured = failed_rules(result)
    for name, value in scenario.failed.items():
        assert measured[name] == pytest.approx(D(value), abs=D("1e-20"))
    if scenario.gate:
        assert result.gate_decision is not None
        assert result.gate_decision.gate == scenario.gate
    if scenario.tolerance:
        assert result.reconciliation is not None
        assert result.reconciliation.tolerance.amount == D(scenario.tolerance)


def test_all_forty_five_scenarios_are_here() -> None:
    assert len({scenario.name for scenario in SCENARIOS}) == 45
