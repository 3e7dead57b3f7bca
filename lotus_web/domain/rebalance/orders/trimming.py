"""Buys cut to what the base currency can fund with its FX buffer (delta 26)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal

from lotus_web.domain.rebalance.arithmetic import ONE, ZERO, total
from lotus_web.domain.rebalance.context import RunContext
from lotus_web.domain.rebalance.orders.funding import projected_cash
from lotus_web.domain.rebalance.orders.plan import smallest_notional, suppressed
from lotus_web.domain.rebalance.values.codes import Side
from lotus_web.domain.rebalance.values.intent import SecurityTrade
from lotus_web.domain.rebalance.values.money import Money

FX_BUFFER = "FX_BUFFER"
TRIMMED = "QUANTITY_TRIMMED_FX_BUFFER"


def trim_to_buffer(ctx: RunContext, trades: list[SecurityTrade]) -> list[SecurityTrade]:
    """Take whole units off funded foreign buys where only the FX buffer would overdraw the base currency.

    A base currency that could not pay the bare needs is left as it is: the run is then blocked by its rules. Each buy
    gives in proportion to its size, largest first, so the order of the request does not matter.
    """
    buffer = ctx.options.fx_buffer_pct
    if ctx.options.strict_reference or buffer <= ZERO:
        return trades
    bare, short = _base_cash(ctx, trades, ZERO), _base_cash(ctx, trades, buffer)
    if bare < ZERO or short >= ZERO:
        return trades
    cuts = _cuts(ctx, trades, buffer)
    if not cuts:
        return trades
    ctx.journal.warn(TRIMMED)
    return [kept for trade in trades if (kept := _cut(ctx, trade, cuts)) is not None]


def _base_cash(ctx: RunContext, trades: Sequence[SecurityTrade], buffer: Decimal) -> Decimal:
    """Return the base cash left after every sweep and every funding with this buffer."""
    return total(
        balance * rate * (ONE + buffer if currency != ctx.base and balance < ZERO else ONE)
        for currency, balance in projected_cash(ctx, trades).items()
        if (rate := ctx.fx.rate(currency, ctx.base)) is not None
    )


def _cuts(ctx: RunContext, trades: Sequence[SecurityTrade], buffer: Decimal) -> dict[str, Decimal]:
    """Return whole units to take off, by intent id."""
    cash = projected_cash(ctx, trades)
    funded = [
        trade
        for trade in trades
        if trade.side is Side.BUY and trade.notional.currency != ctx.base and cash[trade.notional.currency] < ZERO
    ]
    funded.sort(key=lambda trade: (-trade.notional_base.amount, trade.instrument_id))
    shortfall = -_base_cash(ctx, trades, buffer) / (ONE + buffer)
    rest = total(trade.notional_base.amount for trade in funded)
    cuts: dict[str, Decimal] = {}
    for trade in funded:
        if shortfall <= ZERO:
            break
        unit = trade.notional_base.amount / trade.quantity
        share = shortfall * trade.notional_base.amount / max(rest, trade.notional_base.amount)
        units = min(trade.quantity, (share / unit).to_integral_value(rounding=ROUND_CEILING))
        rest -= trade.notional_base.amount
        shortfall -= units * unit
        cuts[trade.intent_id] = units
    return cuts


def _cut(ctx: RunContext, trade: SecurityTrade, cuts: dict[str, Decimal]) -> SecurityTrade | None:
    units = cuts.get(trade.intent_id)
    if units is None:
        return trade
    quantity = trade.quantity - units
    price = ctx.prices[trade.instrument_id]
    notional = Money(quantity * price.amount, price.currency)
    if suppressed(ctx, trade.instrument_id, notional, smallest_notional(ctx, trade.instrument_id)) or quantity <= ZERO:
        return None
    return replace(
        trade,
        quantity=quantity,
        notional=notional,
        notional_base=ctx.base_money(notional.amount * (ctx.rate_to_base(price.currency) or ZERO)),
        constraints_applied=(*trade.constraints_applied, FX_BUFFER),
    )
