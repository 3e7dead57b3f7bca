"""Orders are sized from one source of value, the same before and after (delta 25)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.domain.rebalance.bodies import D, cash_of, run_of, trades_of


def stale(amount: str, currency: str = "SGD", quantity: int = 100) -> dict[str, Any]:
    return {"quantity": quantity, "market_value": {"amount": amount, "currency": currency}}


HALF: dict[str, Any] = {"cash": {"SGD": 0}, "prices": {"EQ": 100}, "model": {"EQ": ".5"}}


def test_a_calculated_run_ignores_a_stale_market_value() -> None:
    assert trades_of(run_of(**HALF, held={"EQ": stale("16000")})) == [("SELL", "EQ", D(50))]


def test_the_reference_sizes_from_a_stale_market_value() -> None:
    result = run_of(**HALF, held={"EQ": stale("16000")}, strict_reference=True)
    assert trades_of(result) == [("SELL", "EQ", D(110))]
    assert result.status == "BLOCKED"


def test_a_trusted_value_prices_the_position_before_and_after() -> None:
    result = run_of(**HALF, held={"EQ": stale("16000")}, valuation_mode="TRUST_SNAPSHOT")
    assert result.before.total_value.amount == 16000
    assert trades_of(result) == [("SELL", "EQ", D(50))]
    assert cash_of(result) == {"SGD": 8000}
    assert result.status == "READY"
    assert result.reconciliation is not None
    assert result.reconciliation.delta.amount == 0


def test_the_reference_blocks_a_trusted_value_that_disagrees_with_the_price() -> None:
    result = run_of(
        cash={"SGD": 0},
        prices={"EQ": 100},
        model={"EQ": 1},
        held={"EQ": stale("16000")},
        valuation_mode="TRUST_SNAPSHOT",
        strict_reference=True,
    )
    assert result.status == "BLOCKED"
    assert result.rule_results[-1].rule_id == "RECONCILIATION"
    assert result.rule_results[-1].reason_code == "VALUE_MISMATCH"
    assert result.reconciliation is not None
    assert result.reconciliation.status == "MISMATCH"


def test_a_trusted_value_in_another_currency_is_converted() -> None:
    result = run_of(
        cash={"SGD": 0},
        fx={"USD/SGD": "1.25"},
        prices={"EQ": (100, "USD")},
        model={"EQ": ".5"},
        held={"EQ": stale("20000", "SGD")},
        valuation_mode="TRUST_SNAPSHOT",
    )
    assert result.before.total_value.amount == 20000
    assert trades_of(result) == [("SELL", "EQ", D(50))]
    assert result.status == "READY"


@pytest.mark.parametrize("amount", ["0", "-100"])
def test_a_trusted_value_that_gives_no_positive_price_counts_as_missing(amount: str) -> None:
    result = run_of(**HALF, held={"EQ": stale(amount)}, valuation_mode="TRUST_SNAPSHOT")
    assert result.status == "BLOCKED"
    assert result.diagnostics.data_quality.price_missing == ("EQ",)


def test_a_trusted_value_without_a_rate_names_the_pair() -> None:
    result = run_of(**HALF, held={"EQ": stale("16000", "USD")}, valuation_mode="TRUST_SNAPSHOT")
    assert result.status == "BLOCKED"
    assert result.diagnostics.data_quality.fx_missing == ("USD/SGD",)


def test_a_trusted_position_sold_out_leaves_no_value_behind() -> None:
    result = run_of(
        cash={"SGD": 0},
        prices={"EQ": 100, "NEW": 1},
        model={"NEW": 1},
        held={"EQ": stale("9999", quantity=7)},
        valuation_mode="TRUST_SNAPSHOT",
    )
    sold = result.after_simulated.positions[0]
    assert (sold.quantity, sold.value_in_base_ccy.amount) == (0, 0)
    assert result.status == "READY"
    assert result.reconciliation is not None
    assert abs(result.reconciliation.delta.amount) < Decimal("1e-20")


def test_a_position_without_a_snapshot_value_is_calculated_even_when_snapshots_are_trusted() -> None:
    result = run_of(**HALF, held={"EQ": 100}, valuation_mode="TRUST_SNAPSHOT")
    assert trades_of(result) == [("SELL", "EQ", D(50))]
