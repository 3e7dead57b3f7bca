"""Orders from weights: whole units towards each target (engine §3.6, deltas 24-25)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from lotus_web.domain.rebalance.arithmetic import ZERO, whole_units
from lotus_web.domain.rebalance.context import RunContext
from lotus_web.domain.rebalance.orders.tax import TaxLedger
from lotus_web.domain.rebalance.universe import Universe
from lotus_web.domain.rebalance.values.codes import Side
from lotus_web.domain.rebalance.values.diagnostics import SuppressedIntent
from lotus_web.domain.rebalance.values.intent import SecurityTrade
from lotus_web.domain.rebalance.values.money import Money
from lotus_web.domain.rebalance.values.result import TargetInstrument

MIN_NOTIONAL = "MIN_NOTIONAL"
TAX_BUDGET = "TAX_BUDGET"


def plan_trades(
    ctx: RunContext,
    universe: Universe,
    targets: Sequence[TargetInstrument],
    total: Decimal,
    tax: TaxLedger | None,
) -> list[SecurityTrade]:
    """Return the orders in target order; a target without price or rate is noted and left out."""
    trades: list[SecurityTrade] = []
    for key, weight in {row.instrument_id: row.final_weight for row in targets}.items():
        if key in universe.locked and not ctx.options.strict_reference:
            continue
        trade = _plan(ctx, key, total * weight, tax, f"oi_{len(trades) + 1}")
        if trade is not None:
            trades.append(trade)
    return trades


def _plan(
    ctx: RunContext, key: str, target_base: Decimal, tax: TaxLedger | None, intent_id: str
) -> SecurityTrade | None:
    price = ctx.prices.get(key)
    if price is None:
        ctx.journal.miss_price(key)
        return None
    rate = ctx.rate_to_base(price.currency)
    if rate is None:
        return None
    delta = target_base / rate - _current_value(ctx, key, price.amount)
    side = Side.BUY if delta > ZERO else Side.SELL
    requested = whole_units(abs(delta) / price.amount)
    quantity = requested
    if tax is not None and side is Side.SELL and requested > ZERO and key in ctx.held:
        quantity = tax.sell(ctx.held[key], requested, price, rate)
    notional = Money(quantity * price.amount, price.currency)
    threshold = smallest_notional(ctx, key)
    if suppressed(ctx, key, notional, threshold) or quantity <= ZERO:
        return None
    constraints = ((MIN_NOTIONAL,) if threshold else ()) + ((TAX_BUDGET,) if quantity < requested else ())
    return SecurityTrade(
        intent_id=intent_id,
        instrument_id=key,
        side=side,
        quantity=quantity,
        notional=notional,
        notional_base=ctx.base_money(notional.amount * rate),
        constraints_applied=constraints,
    )


def _current_value(ctx: RunContext, key: str, price: Decimal) -> Decimal:
    """Return the held value in the price currency; the reference takes ``market_value`` whenever there is one."""
    position = ctx.held.get(key)
    if position is None:
        return ZERO
    if ctx.options.strict_reference and position.market_value is not None:
        return position.market_value.amount
    return position.quantity * price


def smallest_notional(ctx: RunContext, key: str) -> Money | None:
    """Return the smallest order worth sending: the request's figure, else the shelf's."""
    if ctx.options.min_trade_notional is not None:
        return ctx.options.min_trade_notional
    entry = ctx.shelf.get(key)
    return entry.min_notional if entry else None


def suppressed(ctx: RunContext, key: str, notional: Money, threshold: Money | None) -> bool:
    """Return whether an order is too small, and note it; amounts are compared as they are, whatever the currency."""
    if not ctx.options.suppress_dust_trades or threshold is None or notional.amount >= threshold.amount:
        return False
    ctx.journal.suppressed.append(SuppressedIntent(key, notional, threshold))
    return True
