"""Missing prices, rates and shelf entries block a run or are worked around, and are each named once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotus_web.domain.rebalance.values.result import Coverage
from tests.unit.domain.rebalance.bodies import failed_rules, run_of, trades_of

D = Decimal


@pytest.mark.parametrize("price", ["0", "-5"])
@pytest.mark.parametrize("strict", [True, False])
def test_a_price_that_is_not_positive_counts_as_missing(price: str, strict: bool) -> None:
    result = run_of(cash={"SGD": 1000}, prices={"EQ": price}, model={"EQ": 1}, strict_reference=strict)
    assert result.status == "BLOCKED"
    assert result.diagnostics.data_quality.price_missing == ("EQ",)
    assert failed_rules(result)["DATA_QUALITY"] == 1


@pytest.mark.parametrize("rate", ["0", "-1.35"])
def test_a_rate_that_is_not_positive_counts_as_missing(rate: str) -> None:
    result = run_of(cash={"USD": 1000}, fx={"USD/SGD": rate})
    assert result.status == "BLOCKED"
    assert result.diagnostics.data_quality.fx_missing == ("USD/SGD",)


def test_an_unusable_direct_rate_leaves_the_inverse_one() -> None:
    result = run_of(cash={"USD": 1000}, fx={"USD/SGD": 0, "SGD/USD": "0.8"})
    assert result.before.total_value.amount == D(1250)


def test_rates_are_not_chained_through_a_third_currency() -> None:
    result = run_of(cash={"EUR": 1000}, fx={"EUR/USD": "1.1", "USD/SGD": "1.35"})
    assert result.diagnostics.data_quality.fx_missing == ("EUR/SGD",)


def test_a_price_missing_at_every_stage_is_named_once() -> None:
    result = run_of(
        cash={"SGD": 1000},
        held={"OLD": 10},
        prices={"NEW": 100},
        model={"OLD": ".5", "NEW": ".5"},
        block_on_missing_prices=False,
    )
    assert result.diagnostics.data_quality.price_missing == ("OLD",)
    assert trades_of(result) == [("BUY", "NEW", D(5))]
    assert result.status == "READY"


def test_a_missing_price_that_does_not_block_still_shows_at_the_gate() -> None:
    result = run_of(cash={"SGD": 1000}, held={"OLD": 10}, block_on_missing_prices=False)
    assert result.gate_decision is not None
    (reason,) = result.gate_decision.reasons
    assert (reason.reason_code, reason.severity) == ("DATA_QUALITY_MISSING_PRICE", "HIGH")
    assert reason.details == {"count": "1"}
    assert result.gate_decision.gate == "EXECUTION_READY"


def test_a_rate_missing_for_two_positions_is_counted_once() -> None:
    result = run_of(held={"A": 1, "B": 1}, prices={"A": (10, "USD"), "B": (10, "USD")})
    assert failed_rules(result)["DATA_QUALITY"] == 1
    assert result.diagnostics.data_quality.fx_missing == ("USD/SGD",)


def test_a_missing_rate_that_does_not_block_counts_its_cash_as_nothing() -> None:
    result = run_of(cash={"SGD": 1000, "USD": 500}, block_on_missing_fx=False)
    assert result.status == "READY"
    assert result.before.total_value.amount == 1000
    assert result.intents == ()


def test_a_target_off_the_shelf_always_blocks() -> None:
    result = run_of(
        cash={"SGD": 1000},
        prices={"EQ": 10},
        model={"EQ": 1},
        shelf={"EQ": None},
        block_on_missing_prices=False,
        block_on_missing_fx=False,
    )
    assert result.status == "BLOCKED"
    assert result.diagnostics.data_quality.shelf_missing == ("EQ",)


@pytest.mark.parametrize(
    ("prices", "fx", "expected"),
    [
        ({"A": (1, "USD"), "B": 1}, {"USD/SGD": 1}, Coverage(D(1), D(1))),
        ({"A": (1, "USD")}, {"USD/SGD": 1}, Coverage(D("0.5"), D(1))),
        ({"A": (1, "USD"), "B": (1, "EUR")}, {"USD/SGD": 1}, Coverage(D(1), D("0.5"))),
        ({}, {}, Coverage(D(0), D(1))),
    ],
)
def test_coverage_is_the_share_of_what_the_run_needed(
    prices: dict[str, object], fx: dict[str, int], expected: Coverage
) -> None:
    result = run_of(cash={"SGD": 10}, prices=prices, fx=fx, model={"A": ".5", "B": ".5"})
    assert result.universe.coverage == expected
    assert str(result.universe.coverage.price_coverage_pct) == str(expected.price_coverage_pct)
