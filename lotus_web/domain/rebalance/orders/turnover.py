"""The turnover budget: the largest orders that fit go first, the rest is dropped (engine §3.8)."""

from __future__ import annotations

from decimal import Decimal

from lotus_web.domain.rebalance.arithmetic import ZERO, total
from lotus_web.domain.rebalance.context import RunContext
from lotus_web.domain.rebalance.values.diagnostics import DroppedIntent
from lotus_web.domain.rebalance.values.intent import SecurityTrade

PARTIAL = "PARTIAL_REBALANCE_TURNOVER_LIMIT"


def limit_turnover(ctx: RunContext, trades: list[SecurityTrade], portfolio: Decimal) -> list[SecurityTrade]:
    """Return the orders that fit ``max_turnover_pct`` of the portfolio's value, ranked by size; smaller ones may follow a drop."""
    limit = ctx.options.max_turnover_pct
    if limit is None:
        return trades
    budget = portfolio * limit
    if total(abs(trade.notional_base.amount) for trade in trades) <= budget:
        return trades
    kept: list[SecurityTrade] = []
    used = ZERO
    for trade in sorted(trades, key=lambda row: _rank(row, portfolio)):
        notional = abs(trade.notional_base.amount)
        if used + notional <= budget:
            kept.append(trade)
            used += notional
        else:
            ctx.journal.dropped.append(
                DroppedIntent(trade.instrument_id, ctx.base_money(notional), _score(trade, portfolio))
            )
    if len(kept) < len(trades):
        ctx.journal.warn(PARTIAL)
    return kept


def _score(trade: SecurityTrade, portfolio: Decimal) -> Decimal:
    return abs(trade.notional_base.amount) / portfolio if portfolio != ZERO else ZERO


def _rank(trade: SecurityTrade, portfolio: Decimal) -> tuple[Decimal, Decimal, str, str]:
    return -_score(trade, portfolio), abs(trade.notional_base.amount), trade.instrument_id, trade.intent_id
