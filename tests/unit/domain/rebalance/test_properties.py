"""What holds for every portfolio, not only the published ones."""

from __future__ import annotations

import random
from decimal import Decimal, localcontext
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lotus_web.domain.rebalance.values.result import RebalanceResult
from tests.unit.domain.rebalance.bodies import D, body, cash_of, failed_rules, fx_of, run, trades_of, weights_of

NAMES = ["A", "B", "C", "D", "E"]
CURRENCIES = ["SGD", "USD", "EUR"]
SMALL = settings(max_examples=150)

cents = st.decimals("0.01", "500", places=2)
amounts = st.decimals("0", "100000", places=2)
weights = st.decimals("0", "0.7", places=2)
rates = st.decimals("0.01", "3", places=2)
statuses = st.sampled_from(["APPROVED"] * 4 + ["SELL_ONLY", "SUSPENDED", "BANNED", "RESTRICTED"])
sectors = st.sampled_from(["TECH", "BANK"])


@st.composite
def requests(draw: st.DrawFn, *, currencies: list[str] = CURRENCIES, **fixed: Any) -> dict[str, Any]:
    """Draw a priced, convertible portfolio of up to five instruments, and options that do not depend on row order."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    options: dict[str, Any] = {}
    if draw(st.booleans()):
        options["max_turnover_pct"] = draw(st.decimals("0", "1", places=2))
    if draw(st.booleans()):
        options["min_trade_notional"] = {"amount": draw(cents), "currency": "SGD"}
    if draw(st.booleans()):
        options["min_cash_buffer_pct"] = draw(st.decimals("0", "0.2", places=2))
    if draw(st.booleans()):
        options["group_constraints"] = {"sector:TECH": {"max_weight": draw(weights)}}
    return body(
        cash={name: draw(amounts) for name in currencies},
        held={name: draw(st.integers(0, 500)) for name in names if draw(st.booleans())},
        prices={name: (draw(cents), draw(st.sampled_from(currencies))) for name in names},
        fx={f"{name}/SGD": draw(rates) for name in currencies if name != "SGD"},
        model={name: draw(weights) for name in names if draw(st.booleans())},
        shelf={name: {"status": draw(statuses), "attributes": {"sector": draw(sectors)}} for name in names},
        **{**options, **fixed},
    )


def frozen(document: dict[str, Any]) -> set[str]:
    held = {row["instrument_id"] for row in document["portfolio_snapshot"]["positions"] if row["quantity"]}
    return {
        row["instrument_id"]
        for row in document["shelf_entries"]
        if row["status"] in {"SUSPENDED", "BANNED", "RESTRICTED"} and row["instrument_id"] in held
    }


@SMALL
@given(requests(currencies=["SGD"]))
def test_trading_in_one_currency_neither_makes_nor_loses_money(document: dict[str, Any]) -> None:
    result = run(document)
    assert result.after_simulated.total_value == result.before.total_value


@SMALL
@given(requests())
def test_value_is_kept_within_tolerance_across_currencies(document: dict[str, Any]) -> None:
    result = run(document)
    delta = result.after_simulated.total_value.amount - result.before.total_value.amount
    assert abs(delta) < Decimal("0.000001")
    assert "RECONCILIATION" not in failed_rules(result)


@SMALL
@given(requests())
def test_a_run_that_is_not_blocked_is_never_short_and_never_overdrawn(document: dict[str, Any]) -> None:
    result = run(document)
    assert "NO_SHORTING" not in failed_rules(result)
    if result.status != "BLOCKED":
        assert min(cash_of(result).values()) >= 0
        assert min((row.quantity for row in result.after_simulated.positions), default=D(0)) >= 0


@SMALL
@given(requests(), st.decimals("0.05", "0.6", places=2))
def test_no_weight_that_can_move_ends_above_its_cap(document: dict[str, Any], cap: Decimal) -> None:
    document["options"]["single_position_max_weight"] = cap
    result = run(document)
    locked = frozen(document)
    assert all(weight <= cap for name, weight in weights_of(result).items() if name not in locked)
    if result.status != "BLOCKED":
        assert all(row.weight <= cap + D("0.001") for row in result.after_simulated.positions)


@SMALL
@given(requests())
def test_a_frozen_position_is_never_traded(document: dict[str, Any]) -> None:
    assert {name for _, name, _ in trades_of(run(document))}.isdisjoint(frozen(document))


@SMALL
@given(requests(enable_settlement_awareness=True, compare_target_methods=False))
def test_the_same_request_gives_the_same_result(document: dict[str, Any]) -> None:
    assert run(document) == run(document)


def essence(result: RebalanceResult) -> dict[str, Any]:
    return {
        "status": result.status,
        "trades": sorted(trades_of(result)),
        "fx": sorted(row[1:] for row in fx_of(result)),
        "weights": weights_of(result),
        "cash": cash_of(result),
        "positions": {row.instrument_id: row.quantity for row in result.after_simulated.positions},
        "dropped": {row.instrument_id for row in result.diagnostics.dropped_intents},
        "suppressed": {row.instrument_id for row in result.diagnostics.suppressed_intents},
        "failed": failed_rules(result),
    }


@SMALL
@given(requests(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing_but_the_order(document: dict[str, Any], chance: random.Random) -> None:
    expected = essence(run(document))
    for rows in (
        document["portfolio_snapshot"]["positions"],
        document["portfolio_snapshot"]["cash_balances"],
        document["market_data_snapshot"]["prices"],
        document["market_data_snapshot"]["fx_rates"],
        document["model_portfolio"]["targets"],
        document["shelf_entries"],
    ):
        chance.shuffle(rows)
    assert essence(run(document)) == expected


@SMALL
@given(
    st.dictionaries(st.sampled_from(NAMES), cents, min_size=1),
    st.dictionaries(st.sampled_from(NAMES), st.integers(0, 20), min_size=1),
    rates,
    st.decimals("0", "0.2", places=3),
)
def test_cash_that_pays_a_foreign_model_is_never_overdrawn_by_its_buffer(
    prices: dict[str, Decimal], shares: dict[str, int], rate: Decimal, buffer: Decimal
) -> None:
    whole = sum(shares.values()) or 1
    quotes = {name: (prices.get(name, D(7)), "USD" if index % 2 else "EUR") for index, name in enumerate(shares)}
    with localcontext() as context:
        context.prec = 6
        model = {name: D(share) / whole * D("0.99999") for name, share in shares.items()}
    result = run(
        body(
            cash={"SGD": 100000},
            prices=quotes,
            fx={"USD/SGD": rate, "EUR/SGD": rate},
            model=model,
            fx_buffer_pct=buffer,
        )
    )
    assert "INSUFFICIENT_CASH" not in failed_rules(result)
    assert min(cash_of(result).values()) >= 0


@SMALL
@given(requests(enable_tax_awareness=True, strict_reference=True, valuation_mode="TRUST_SNAPSHOT"), st.integers(0, 10))
def test_the_arithmetic_of_the_thread_is_neither_used_nor_changed(document: dict[str, Any], precision: int) -> None:
    expected = run(document)
    with localcontext() as context:
        context.prec = 3 + precision
        assert run(document) == expected
        assert context.prec == 3 + precision
