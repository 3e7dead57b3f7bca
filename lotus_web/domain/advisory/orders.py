"""Cash flows and proposed trades: checked, sized and applied (proposals-api §5.2, steps 2 to 4)."""

from __future__ import annotations

from lotus_web.domain.advisory.book import AdvisoryContext, Book
from lotus_web.domain.advisory.result import CashFlow, ManualTrade
from lotus_web.domain.advisory.values import ProposedTrade
from lotus_web.domain.rebalance.arithmetic import ZERO
from lotus_web.domain.rebalance.values.codes import ShelfStatus, Side
from lotus_web.domain.rebalance.values.money import Money

NEGATIVE_CASH = "PROPOSAL_WITHDRAWAL_NEGATIVE_CASH"
NOT_ON_SHELF = "PROPOSAL_TRADE_NOT_SUPPORTED_BY_SHELF"
INVALID_TRADE = "PROPOSAL_INVALID_TRADE_INPUT"
NEVER_BOUGHT = frozenset({ShelfStatus.SELL_ONLY, ShelfStatus.BANNED, ShelfStatus.SUSPENDED})


def apply_cash_flows(book: Book) -> None:
    """Apply the cash flows in their order; a balance below zero blocks, even if a later flow repairs it."""
    for number, flow in enumerate(book.ctx.request.cash_flows, start=1):
        book.move_cash(flow.currency, flow.amount)
        book.flows.append(CashFlow(f"oi_cf_{number}", flow.currency, flow.amount, flow.description))
        if book.ctx.options.proposal_block_negative_cash and book.balance(flow.currency) < ZERO:
            book.fail(NEGATIVE_CASH)


def sized_trades(book: Book) -> list[ManualTrade]:
    """Return the trades that can be carried out, sells before buys, each by instrument.

    An intent keeps the number of its trade in the request. What the shelf forbids and what is sized in a wrong currency
    blocks; what has no shelf entry or no price is noted.
    """
    trades = [
        trade
        for number, proposed in enumerate(book.ctx.request.trades, start=1)
        if (trade := _sized(book, proposed, f"oi_{number}")) is not None
    ]
    return sorted(trades, key=lambda trade: (trade.side is Side.BUY, trade.instrument_id))


def _sized(book: Book, proposed: ProposedTrade, intent_id: str) -> ManualTrade | None:
    ctx, key = book.ctx, proposed.instrument_id
    if key not in ctx.shelf:
        ctx.journal.miss_shelf(key)
        return None
    if proposed.side is Side.BUY and not _may_be_bought(ctx, key):
        book.fail(NOT_ON_SHELF)
        return None
    price = ctx.prices.get(key)
    if price is None:
        ctx.journal.miss_price(key)
        return None
    if proposed.notional is None:
        quantity = proposed.quantity or ZERO
        notional = Money(quantity * price.amount, price.currency)
    elif proposed.notional.currency != price.currency:
        book.fail(INVALID_TRADE)
        return None
    else:
        notional = proposed.notional
        quantity = notional.amount / price.amount
    rate = ctx.rate_to_base(price.currency)
    in_base = None if rate is None else ctx.base_money(notional.amount * rate)
    return ManualTrade(intent_id, key, proposed.side, quantity, notional, in_base)


def _may_be_bought(ctx: AdvisoryContext, instrument_id: str) -> bool:
    status = ctx.shelf[instrument_id].status
    restricted = status is ShelfStatus.RESTRICTED and not ctx.options.allow_restricted
    return status not in NEVER_BOUGHT and not restricted
