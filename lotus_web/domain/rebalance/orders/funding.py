"""Foreign currency: purchases that fund orders, sweeps into the base currency, and dependencies (engine §3.9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from lotus_web.domain.rebalance.arithmetic import ONE, ROUNDING_DOWN, ZERO, total, without_noise
from lotus_web.domain.rebalance.context import RunContext
from lotus_web.domain.rebalance.values.codes import Side
from lotus_web.domain.rebalance.values.intent import FUND, SWEEP, FxSpot, Intent, SecurityTrade


def projected_cash(ctx: RunContext, trades: Sequence[SecurityTrade]) -> dict[str, Decimal]:
    """Return cash per currency after the security orders, before any FX; snapshot rows first, in their order."""
    cash = {row.currency: row.amount for row in ctx.request.portfolio_snapshot.cash_balances}
    for trade in trades:
        currency, amount = trade.notional.currency, trade.notional.amount
        signed = amount if trade.side is Side.SELL else -amount
        cash[currency] = cash.get(currency, ZERO) + signed
    if ctx.options.strict_reference:
        return cash
    return {currency: without_noise(amount) for currency, amount in cash.items()}


def plan_fx(ctx: RunContext, trades: Sequence[SecurityTrade]) -> list[FxSpot]:
    """Return one FX order for each foreign currency that ends below or above zero; none where no rate is known.

    The buffer on top of a need is cut, in proportion, where the base currency could pay the needs but not the buffers
    (delta 26).
    """
    foreign = [
        (currency, balance, rate)
        for currency, balance in projected_cash(ctx, trades).items()
        if currency != ctx.base and balance != ZERO and (rate := ctx.rate_to_base(currency)) is not None
    ]
    buffer = ONE + _affordable_buffer(ctx, trades, foreign)
    orders: list[FxSpot] = []
    for currency, balance, rate in foreign:
        intent_id = f"oi_fx_{len(trades) + len(orders) + 1}"
        pair = f"{currency}/{ctx.base}"
        if balance < ZERO:
            amount = -balance * buffer
            orders.append(FxSpot(intent_id, pair, currency, amount, ctx.base, amount * rate, FUND))
        else:
            orders.append(FxSpot(intent_id, pair, ctx.base, balance * rate, currency, balance, SWEEP))
    return orders


def _affordable_buffer(
    ctx: RunContext, trades: Sequence[SecurityTrade], foreign: list[tuple[str, Decimal, Decimal]]
) -> Decimal:
    buffer = ctx.options.fx_buffer_pct
    if ctx.options.strict_reference or buffer <= ZERO:
        return buffer
    need = total(-balance * rate for _, balance, rate in foreign if balance < ZERO)
    spare = projected_cash(ctx, trades).get(ctx.base, ZERO)
    spare += total(balance * rate for _, balance, rate in foreign)
    if need <= ZERO or spare < ZERO or spare >= need * buffer:
        return buffer
    return ROUNDING_DOWN.divide(spare, need)


def link(ctx: RunContext, trades: Sequence[SecurityTrade], orders: Sequence[FxSpot]) -> list[Intent]:
    """Return every intent in execution order (sells, FX, buys); a buy waits for its funding and its last sell."""
    funding = {order.buy_currency: order.intent_id for order in orders if order.rationale is FUND}
    sells: dict[str, str] = {}
    if ctx.options.link_buy_to_same_currency_sell_dependency is not False:
        sells = {row.notional.currency: row.intent_id for row in trades if row.side is Side.SELL}
    selling: list[Intent] = [trade for trade in trades if trade.side is Side.SELL]
    buying = [
        replace(trade, dependencies=_waits_for(trade.notional.currency, funding, sells))
        for trade in trades
        if trade.side is Side.BUY
    ]
    return [*selling, *orders, *buying]


def _waits_for(currency: str, *sources: dict[str, str]) -> tuple[str, ...]:
    return tuple(source[currency] for source in sources if currency in source)
