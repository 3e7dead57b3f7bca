"""Published figures of the reference scenarios that are not orders: ladder, tax, exclusions, attributes."""

from __future__ import annotations

from decimal import Decimal

from lotus_web.domain.rebalance.values.result import EarlyBlock
from tests.unit.domain.rebalance.bodies import run_of
from tests.unit.domain.rebalance.scenarios import SCENARIOS

D = Decimal
BY_NAME = {scenario.name: scenario.request for scenario in SCENARIOS}


def test_the_settlement_ladder_falls_below_zero_until_the_slow_fund_pays() -> None:
    result = run_of(**BY_NAME["11_settlement_fail"])
    assert [row.projected_balance for row in result.diagnostics.cash_ladder] == [0, -1000, -1000, 0]
    assert [row.date_offset for row in result.diagnostics.cash_ladder_breaches] == [1, 2]
    assert [rule.rule_id for rule in result.rule_results] == ["SETTLEMENT_CASH_LADDER"]
    assert result.rule_results[0].threshold == {"min": 0}
    assert result.after_simulated == result.before
    assert result.reconciliation is None


def test_the_ladder_with_fx_has_a_point_for_each_currency_and_day() -> None:
    result = run_of(**BY_NAME["11_settlement_fx_timing_ladder"])
    ladder = result.diagnostics.cash_ladder
    assert len(ladder) == 18
    assert [row.currency for row in ladder[::6]] == ["EUR", "SGD", "USD"]
    assert [row.projected_balance for row in ladder if row.currency == "SGD"] == [0, 0, 120, 120, 120, 120]
    assert result.diagnostics.cash_ladder_breaches == ()


def test_dearest_lots_are_sold_first_and_realise_nothing() -> None:
    impact = run_of(**BY_NAME["09_tax_hifo"]).tax_impact
    assert impact is not None
    assert impact.total_realized_gain.amount == 0
    assert impact.budget_used is not None
    assert impact.budget_used.amount == 0


def test_the_gains_budget_cuts_a_sell_to_a_fraction_of_a_unit() -> None:
    result = run_of(**BY_NAME["09_tax_budget_partial_sell"])
    impact = result.tax_impact
    assert impact is not None
    assert impact.total_realized_gain.amount.quantize(D("1e-15")) == 100
    assert impact.budget_used is not None
    assert impact.budget_used.amount == 100
    (event,) = result.diagnostics.tax_budget_constraint_events
    assert event.requested_quantity == 100
    assert event.allowed_quantity.quantize(D("1e-20")) == (D(460) / 9).quantize(D("1e-20"))


def test_without_tax_awareness_there_is_no_tax_impact() -> None:
    assert run_of(**BY_NAME["09_tax_awareness_off_legacy_sell"]).tax_impact is None


def test_a_sector_cap_shows_in_the_attribute_weights() -> None:
    rows = run_of(**BY_NAME["08_sector_cap"]).after_simulated.allocation_by_attribute["sector"]
    assert {row.key: row.weight for row in rows} == {"TECH": D(".2"), "BOND": D(".8")}


def test_a_restricted_target_is_excluded_by_its_shelf_status() -> None:
    excluded = run_of(**BY_NAME["306_restricted_blocked"]).universe.excluded
    assert [(row.instrument_id, row.reason_code) for row in excluded] == [("R", "SHELF_STATUS_RESTRICTED")]


def test_a_held_suspended_target_is_excluded_twice_and_locked() -> None:
    excluded = run_of(**BY_NAME["307_suspended_locked"]).universe.excluded
    assert [row.reason_code for row in excluded] == ["SHELF_STATUS_SUSPENDED", "LOCKED_DUE_TO_SUSPENDED"]


def test_the_infeasible_solver_warns_with_its_status_and_the_hint_and_nothing_else() -> None:
    warnings = run_of(**BY_NAME["12_solver_infeasible"]).diagnostics.warnings
    assert warnings == ("INFEASIBLE_INFEASIBLE", "INFEASIBILITY_HINT_SINGLE_POSITION_CAPACITY")


def test_an_early_block_says_so_and_leaves_the_portfolio_as_it_was() -> None:
    result = run_of(**BY_NAME["107_missing_price"])
    assert result.explanation == EarlyBlock("Blocked")
    assert result.after_simulated == result.before
    assert result.intents == ()
    assert len(result.rule_results) == 6
