"""A fully invested foreign model is trimmed to what the base currency can fund with its buffer (delta 26)."""

from __future__ import annotations

from typing import Any

from tests.unit.domain.rebalance.bodies import D, cash_of, fx_of, run_of, trades_of
from tests.unit.domain.rebalance.scenarios import SCENARIOS

BY_NAME = {scenario.name: scenario.request for scenario in SCENARIOS}
TRIMMED = "QUANTITY_TRIMMED_FX_BUFFER"


def test_a_foreign_model_that_only_the_buffer_would_overdraw_is_trimmed() -> None:
    result = run_of(**BY_NAME["104_multicurrency_fx"])
    assert result.status == "READY"
    assert trades_of(result) == [("BUY", "US", D(146))]
    assert fx_of(result) == [("oi_fx_2", "USD", D(14746), "SGD", D("19907.10"))]
    assert cash_of(result) == {"SGD": D("92.90"), "USD": D(146)}
    assert result.intents[-1].constraints_applied == ("FX_BUFFER",)
    assert result.diagnostics.warnings == (TRIMMED,)


def test_a_switch_between_foreign_currencies_is_trimmed() -> None:
    result = run_of(**BY_NAME["112_cross_currency_switch"])
    assert result.status == "READY"
    assert trades_of(result) == [("SELL", "US_TECH", D(100)), ("BUY", "EU_BOND", D(92))]
    assert min(cash_of(result).values()) >= 0
    assert result.intents[-1].dependencies == ("oi_fx_4",)


TWO: dict[str, Any] = {
    "prices": {"US": (100, "USD"), "EU": (100, "EUR")},
    "fx": {"USD/SGD": 1, "EUR/SGD": 1},
    "model": {"US": ".6", "EU": ".4"},
}


def test_each_foreign_buy_gives_in_proportion_to_its_size() -> None:
    result = run_of(**TWO, cash={"SGD": 100000})
    assert trades_of(result) == [("BUY", "US", D(594)), ("BUY", "EU", D(396))]
    assert cash_of(result)["SGD"] == D(10)


def test_what_is_not_fully_invested_keeps_its_quantities_and_its_buffer() -> None:
    result = run_of(**BY_NAME["03_fx_funding"])
    assert result.diagnostics.warnings == ()
    assert fx_of(result)[0][2] == D(3737)


def test_a_base_currency_that_cannot_pay_the_bare_need_stays_blocked() -> None:
    result = run_of(
        held={"US": 3},
        prices={"US": (1000, "USD"), "EU": (100, "EUR")},
        fx={"USD/SGD": 1, "EUR/SGD": 1},
        model={"US": ".1", "EU": ".9"},
    )
    assert result.status == "BLOCKED"
    assert trades_of(result) == [("SELL", "US", D(2)), ("BUY", "EU", D(27))]
    assert "FX_BUFFER" not in {tag for row in result.intents for tag in getattr(row, "constraints_applied", ())}


def test_a_buy_trimmed_below_its_smallest_notional_is_suppressed() -> None:
    result = run_of(
        cash={"SGD": 1000},
        prices={"US": (100, "USD")},
        fx={"USD/SGD": 1},
        model={"US": 1},
        min_trade_notional={"amount": 950, "currency": "USD"},
    )
    assert result.intents == ()
    assert [row.intended_notional.amount for row in result.diagnostics.suppressed_intents] == [D(900)]


def test_without_a_buy_to_trim_the_buffer_itself_is_cut() -> None:
    result = run_of(cash={"SGD": 1005, "EUR": -1000}, fx={"EUR/SGD": 1})
    assert result.status == "READY"
    assert fx_of(result) == [("oi_fx_1", "EUR", D(1005), "SGD", D(1005))]
    assert cash_of(result) == {"SGD": 0, "EUR": 5}


def test_the_bare_need_is_met_from_several_currencies_at_once() -> None:
    result = run_of(**TWO, cash={"SGD": 40000, "USD": 60500})
    assert result.status == "READY"
    assert min(cash_of(result).values()) >= 0
