"""The portfolio after every intent is filled as estimated (engine §3.11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from lotus_web.domain.rebalance.arithmetic import ZERO, without_noise
from lotus_web.domain.rebalance.context import ValuationContext
from lotus_web.domain.rebalance.valuation import value_state
from lotus_web.domain.rebalance.values.codes import Side
from lotus_web.domain.rebalance.values.intent import FxSpot, Intent
from lotus_web.domain.rebalance.values.request import Position
from lotus_web.domain.rebalance.values.state import CashBalance, SimulatedState


def simulate(ctx: ValuationContext, intents: Sequence[Intent]) -> SimulatedState:
    """Apply the intents in order and value the result; new rows are appended."""
    return value_after(ctx, *_moves(intents))


def value_after(ctx: ValuationContext, units: Mapping[str, Decimal], cash: Mapping[str, Decimal]) -> SimulatedState:
    """Value the portfolio after these changes in units by instrument and in cash by currency; new rows come last."""
    portfolio = ctx.request.portfolio_snapshot
    balances = _balances(portfolio.cash_balances, cash)
    if cash and not ctx.options.strict_reference:
        balances = [replace(row, amount=without_noise(row.amount)) for row in balances]
    return value_state(ctx, _positions(portfolio.positions, units), balances)


def value_untraded(ctx: ValuationContext) -> SimulatedState:
    """Value the portfolio as if nothing were traded."""
    return simulate(ctx, ())


def _moves(intents: Sequence[Intent]) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """Return the change in units by instrument and in cash by currency."""
    units: dict[str, Decimal] = {}
    cash: dict[str, Decimal] = {}
    for intent in intents:
        if isinstance(intent, FxSpot):
            cash[intent.buy_currency] = cash.get(intent.buy_currency, ZERO) + intent.buy_amount
            cash[intent.sell_currency] = cash.get(intent.sell_currency, ZERO) - intent.sell_amount_estimated
            continue
        sign = 1 if intent.side is Side.BUY else -1
        key, currency = intent.instrument_id, intent.notional.currency
        units[key] = units.get(key, ZERO) + sign * intent.quantity
        cash[currency] = cash.get(currency, ZERO) - sign * intent.notional.amount
    return units, cash


def _positions(held: Sequence[Position], units: Mapping[str, Decimal]) -> list[Position]:
    rest = dict(units)
    rows = [
        replace(row, quantity=row.quantity + rest.pop(row.instrument_id)) if row.instrument_id in rest else row
        for row in held
    ]
    rows.extend(Position(key, change) for key, change in rest.items())
    return rows


def _balances(held: Sequence[CashBalance], cash: Mapping[str, Decimal]) -> list[CashBalance]:
    rest = dict(cash)
    rows = [replace(row, amount=row.amount + rest.pop(row.currency)) if row.currency in rest else row for row in held]
    rows.extend(CashBalance(currency, change) for currency, change in rest.items())
    return rows
