"""Orders: whole units, thresholds, tax lots, turnover, FX and who waits for whom."""

from __future__ import annotations

from typing import Any

from tests.unit.domain.rebalance.bodies import D, body, cash_of, fx_of, run, run_of, tags_of, trades_of
from tests.unit.domain.rebalance.scenarios import lot


def test_quantities_are_whole_units_rounded_down_for_buys_and_sells() -> None:
    result = run_of(cash={"SGD": 55}, held={"A": "10.5"}, prices={"A": 10, "B": 7}, model={"B": ".5"})
    assert trades_of(result) == [("SELL", "A", D(10)), ("BUY", "B", D(11))]
    assert result.after_simulated.positions[0].quantity == D("0.5")


def test_an_instrument_on_target_is_suppressed_with_nothing_when_there_is_a_threshold() -> None:
    result = run_of(
        held={"A": 10}, prices={"A": 10}, model={"A": 1}, min_trade_notional={"amount": 1, "currency": "SGD"}
    )
    (row,) = result.diagnostics.suppressed_intents
    assert row.intended_notional.amount == 0
    assert result.rule_results[3].reason_code == "INTENTS_SUPPRESSED"
    assert result.rule_results[3].status == "PASS"


def test_an_order_equal_to_the_threshold_goes_out() -> None:
    result = run_of(
        cash={"SGD": 100}, prices={"A": 10}, model={"A": 1}, min_trade_notional={"amount": 100, "currency": "SGD"}
    )
    assert trades_of(result) == [("BUY", "A", D(10))]


def test_dust_goes_out_when_it_is_not_suppressed() -> None:
    result = run_of(
        cash={"SGD": 100},
        prices={"A": 10},
        model={"A": ".1"},
        min_trade_notional={"amount": 1000, "currency": "SGD"},
        suppress_dust_trades=False,
    )
    assert trades_of(result) == [("BUY", "A", D(1))]


def test_the_requests_threshold_wins_over_the_shelfs() -> None:
    result = run_of(
        cash={"SGD": 100},
        prices={"A": 10},
        model={"A": 1},
        shelf={"A": {"min_notional": {"amount": 5000, "currency": "SGD"}}},
        min_trade_notional={"amount": 1, "currency": "SGD"},
    )
    assert trades_of(result) == [("BUY", "A", D(10))]


TAXED: dict[str, Any] = {"base": "USD", "prices": {"A": 10}, "enable_tax_awareness": True}


def test_a_loss_is_booked_as_a_positive_number_and_frees_no_budget() -> None:
    lots = [lot("L1", 10, 20, "2024-01-01"), lot("L2", 10, 5, "2024-01-02")]
    result = run_of(**TAXED, held={"A": {"quantity": 20, "lots": lots}}, max_realized_capital_gains=25)
    assert trades_of(result) == [("SELL", "A", D(15))]
    impact = result.tax_impact
    assert impact is not None
    assert (impact.total_realized_loss.amount, impact.total_realized_gain.amount) == (100, 25)
    assert result.intents[0].constraints_applied == ("TAX_BUDGET",)


def test_of_two_lots_of_one_cost_the_later_one_is_sold_first() -> None:
    lots = [lot("OLD", 10, 5, "2024-01-01"), lot("NEW", 10, 5, "2024-06-01"), lot("DEAR", 10, 9, "2020-01-01")]
    result = run_of(**TAXED, held={"A": {"quantity": 30, "lots": lots}}, model={"A": ".5"})
    impact = result.tax_impact
    assert impact is not None
    assert impact.total_realized_gain.amount == 10 + 25
    assert (impact.budget_limit, impact.budget_used) == (None, None)


def test_the_gains_budget_is_shared_by_all_sells_in_order() -> None:
    holding = {"quantity": 10, "lots": [lot("L", 10, 5, "2024-01-01")]}
    result = run_of(
        base="USD",
        held={"A": holding, "B": holding},
        prices={"A": 10, "B": 10},
        enable_tax_awareness=True,
        max_realized_capital_gains=60,
    )
    assert trades_of(result) == [("SELL", "A", D(10)), ("SELL", "B", D(2))]
    assert result.diagnostics.warnings == ("TAX_BUDGET_LIMIT_REACHED",)


def test_a_spent_budget_sells_nothing_more() -> None:
    holding = {"quantity": 10, "lots": [lot("L", 10, 5, "2024-01-01")]}
    result = run_of(**TAXED, held={"A": holding}, max_realized_capital_gains=0)
    assert result.intents == ()
    assert result.diagnostics.tax_budget_constraint_events[0].allowed_quantity == 0


def test_a_lot_cost_in_another_currency_is_converted_or_named_as_missing() -> None:
    holding = {"quantity": 10, "lots": [lot("L", 10, 5, "2024-01-01")]}
    known = run_of(held={"A": holding}, prices={"A": 10}, fx={"USD/SGD": "1.5"}, enable_tax_awareness=True)
    assert known.tax_impact is not None
    assert known.tax_impact.total_realized_gain.amount == 25
    unknown = run_of(held={"A": holding}, prices={"A": 10}, enable_tax_awareness=True)
    assert unknown.status == "BLOCKED"
    assert unknown.diagnostics.data_quality.fx_missing == ("USD/SGD",)
    assert unknown.tax_impact is None


def test_units_beyond_the_lots_are_not_sold_and_an_empty_lot_is_passed_over() -> None:
    lots = [lot("EMPTY", 0, 99, "2024-01-01"), lot("L1", 10, 5, "2024-01-02"), lot("L2", 10, 4, "2024-01-02")]
    result = run_of(**TAXED, held={"A": {"quantity": "20.00005", "lots": lots}}, model={"A": ".5"})
    assert trades_of(result) == [("SELL", "A", D(10))]
    assert result.diagnostics.tax_budget_constraint_events == ()


def test_a_stale_value_never_sells_more_than_the_lots_of_a_strict_reader() -> None:
    holding = {
        "quantity": 10,
        "market_value": {"amount": 300, "currency": "USD"},
        "lots": [lot("L", 10, 5, "2024-01-01")],
    }
    result = run_of(**TAXED, held={"A": holding}, strict_reference=True)
    assert trades_of(result) == [("SELL", "A", D(10))]
    assert result.diagnostics.tax_budget_constraint_events[0].requested_quantity == 30


def test_turnover_keeps_the_ids_of_what_it_keeps() -> None:
    result = run_of(cash={"SGD": 1000}, prices={"A": 1, "B": 1}, model={"A": ".1", "B": ".5"}, max_turnover_pct=".5")
    assert [intent.intent_id for intent in result.intents] == ["oi_2"]


def test_of_two_orders_of_one_size_the_first_by_name_is_kept() -> None:
    result = run_of(cash={"SGD": 1000}, prices={"Z": 1, "A": 1}, model={"Z": ".3", "A": ".3"}, max_turnover_pct=".3")
    assert trades_of(result) == [("BUY", "A", D(300))]


def test_idle_foreign_cash_is_swept_home_even_without_trades() -> None:
    result = run_of(cash={"SGD": 0, "USD": 100}, fx={"USD/SGD": "1.35"})
    assert fx_of(result) == [("oi_fx_1", "SGD", D(135), "USD", D(100))]
    assert cash_of(result) == {"SGD": D(135), "USD": D(0)}
    assert result.status == "READY"


TWO_SELLS: dict[str, Any] = {
    "held": {"A": 10, "B": 10},
    "prices": {"A": (10, "USD"), "B": (10, "USD"), "C": (10, "USD")},
    "fx": {"USD/SGD": "1.5"},
    "model": {"C": ".5"},
}


def test_a_buy_waits_for_the_last_sell_of_its_currency() -> None:
    result = run_of(**TWO_SELLS)
    assert [(row.intent_id, row.dependencies) for row in result.intents] == [
        ("oi_2", ()),
        ("oi_3", ()),
        ("oi_fx_4", ()),
        ("oi_1", ("oi_3",)),
    ]


def test_a_buy_waits_for_no_sell_when_linking_is_off() -> None:
    result = run_of(**TWO_SELLS, link_buy_to_same_currency_sell_dependency=False)
    assert result.intents[-1].dependencies == ()


def test_a_buy_waits_for_its_funding_before_its_sell() -> None:
    result = run_of(
        cash={"SGD": 10000},
        held={"A": 10},
        prices={"A": (10, "USD"), "B": (10, "USD")},
        fx={"USD/SGD": 1},
        model={"B": ".5"},
    )
    assert [row.intent_id for row in result.intents] == ["oi_2", "oi_fx_3", "oi_1"]
    assert result.intents[-1].dependencies == ("oi_fx_3", "oi_2")


def test_settled_cash_seeds_the_ladder_and_pending_cash_does_not() -> None:
    document = body(prices={"A": 1}, model={"A": 1}, enable_settlement_awareness=True)
    document["portfolio_snapshot"]["cash_balances"] = [{"currency": "SGD", "amount": 100, "settled": 40, "pending": 60}]
    result = run(document)
    assert result.diagnostics.cash_ladder[0].projected_balance == 40
    assert result.diagnostics.warnings == ("OVERDRAFT_ON_T_PLUS_2",)
    assert result.rule_results[0].measured == 60
    assert tags_of(result) == {"A": set()}
