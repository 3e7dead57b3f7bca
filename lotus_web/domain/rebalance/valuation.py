"""The value of a portfolio in its base currency, before or after the simulated orders (engine §3.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from lotus_web.domain.rebalance.arithmetic import ONE, ZERO, sums, total
from lotus_web.domain.rebalance.context import ValuationContext
from lotus_web.domain.rebalance.values.codes import ValuationMode
from lotus_web.domain.rebalance.values.money import Money
from lotus_web.domain.rebalance.values.request import Position
from lotus_web.domain.rebalance.values.state import AllocationMetric, CashBalance, PositionSummary, SimulatedState

Valued = tuple[Position, Money, Decimal]

CASH = "CASH"


def value_before(ctx: ValuationContext) -> SimulatedState:
    """Value the snapshot as the valuation mode says."""
    portfolio = ctx.request.portfolio_snapshot
    trusting = ctx.options.strict_reference and ctx.options.valuation_mode is ValuationMode.TRUST_SNAPSHOT
    return value_state(ctx, portfolio.positions, portfolio.cash_balances, snapshot_values=trusting)


def value_state(
    ctx: ValuationContext, positions: Sequence[Position], cash: Sequence[CashBalance], *, snapshot_values: bool = False
) -> SimulatedState:
    """Value positions and cash; what has no price or no rate counts zero and is noted.

    ``snapshot_values`` takes each row's own ``market_value`` where there is one (the reference's TRUST_SNAPSHOT).
    """
    valued = [_valued(ctx, position, snapshot_values) for position in positions]
    cash_base = total(row.amount * (ctx.rate_to_base(row.currency) or ZERO) for row in cash)
    whole = total(base for _, _, base in valued) + cash_base
    divisor = whole if whole != ZERO else ONE
    rows = [_summary(ctx, position, local, base, divisor) for position, local, base in valued]
    return SimulatedState(
        total_value=ctx.base_money(whole),
        cash_balances=tuple(cash),
        positions=tuple(rows),
        allocation_by_asset_class=_by_asset_class(ctx, rows, cash_base, divisor),
        allocation_by_instrument=tuple(
            AllocationMetric(row.instrument_id, row.weight, row.value_in_base_ccy) for row in rows
        ),
        allocation_by_attribute=_by_attribute(ctx, rows, divisor),
    )


def _valued(ctx: ValuationContext, position: Position, snapshot_values: bool) -> Valued:
    local = _local_value(ctx, position, snapshot_values)
    return position, local, local.amount * (ctx.rate_to_base(local.currency) or ZERO)


def _local_value(ctx: ValuationContext, position: Position, snapshot_values: bool) -> Money:
    key = position.instrument_id
    price = ctx.prices.get(key)
    if price is None:
        ctx.journal.miss_price(key)
    if snapshot_values and position.market_value is not None:
        return position.market_value
    trusted = ctx.trusted.get(key)
    if trusted is not None and position.quantity == ctx.held[key].quantity:
        return trusted
    if price is None:
        return ctx.base_money(ZERO)
    return Money(position.quantity * price.amount, price.currency)


def _summary(
    ctx: ValuationContext, position: Position, local: Money, base: Decimal, divisor: Decimal
) -> PositionSummary:
    key = position.instrument_id
    return PositionSummary(
        instrument_id=key,
        quantity=position.quantity,
        instrument_currency=local.currency,
        asset_class=ctx.asset_class(key),
        price=ctx.quotes.get(key),
        value_in_instrument_ccy=local,
        value_in_base_ccy=ctx.base_money(base),
        weight=base / divisor,
    )


def _by_asset_class(
    ctx: ValuationContext, rows: Iterable[PositionSummary], cash_base: Decimal, divisor: Decimal
) -> tuple[AllocationMetric, ...]:
    values = [(row.asset_class, row.value_in_base_ccy.amount) for row in rows]
    return _metrics(ctx, sums([*values, (CASH, cash_base)]), divisor)


def _by_attribute(
    ctx: ValuationContext, rows: Iterable[PositionSummary], divisor: Decimal
) -> dict[str, tuple[AllocationMetric, ...]]:
    values: dict[str, list[tuple[str, Decimal]]] = {}
    for row in rows:
        entry = ctx.shelf.get(row.instrument_id)
        for attribute, value in entry.attributes.items() if entry else ():
            values.setdefault(attribute, []).append((value, row.value_in_base_ccy.amount))
    return {attribute: _metrics(ctx, sums(pairs), divisor) for attribute, pairs in values.items()}


def _metrics(ctx: ValuationContext, values: dict[str, Decimal], divisor: Decimal) -> tuple[AllocationMetric, ...]:
    return tuple(AllocationMetric(key, value / divisor, ctx.base_money(value)) for key, value in values.items())
