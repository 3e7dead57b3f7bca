"""Paying for purchases in foreign currencies: one exchange per currency, from one balance (proposals-api §5.2, steps 5 to 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal

from lotus_web.domain.advisory.book import Book
from lotus_web.domain.advisory.result import FUNDING, FundingPlanRow, InsufficientCash, ManualTrade
from lotus_web.domain.advisory.values import FundingSource
from lotus_web.domain.rebalance.arithmetic import ZERO, to_places, total
from lotus_web.domain.rebalance.values.codes import Side
from lotus_web.domain.rebalance.values.intent import FxSpot

MISSING_FX = "PROPOSAL_MISSING_FX_FOR_FUNDING"
MISSING_FX_PENDING = "PROPOSAL_MISSING_FX_NON_BLOCKING"
INSUFFICIENT_CASH = "PROPOSAL_INSUFFICIENT_FUNDING_CASH"
SKIPPED = "PROPOSAL_BUY_SKIPPED_UNFUNDED"
MINOR_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "BHD": 3, "KWD": 3, "OMR": 3}


def to_minor_unit(amount: Decimal, currency: str, rounding: str = ROUND_HALF_EVEN) -> Decimal:
    """Return an amount rounded to the smallest unit of its currency: two decimals unless the currency has others."""
    return to_places(amount, MINOR_DIGITS.get(currency, 2), rounding)


def fund(book: Book, buys: Sequence[ManualTrade]) -> set[str]:
    """Plan and apply the exchanges that ``buys`` need; return the currencies that could not be paid for."""
    required: dict[str, list[Decimal]] = {}
    for trade in buys:
        required.setdefault(trade.notional.currency, []).append(trade.notional.amount)
    return {currency for currency in sorted(required) if not _fund_currency(book, currency, total(required[currency]))}


def _fund_currency(book: Book, target: str, required: Decimal) -> bool:
    available = book.balance(target)
    need = max(ZERO, required - available)
    order = _exchange(book, target, need) if need > ZERO else None
    book.plan.append(
        FundingPlanRow(
            target_currency=target,
            required=to_minor_unit(required, target),
            available_before_fx=to_minor_unit(available, target),
            fx_needed=to_minor_unit(need, target),
            fx_pair=order.pair if order else None,
            funding_currency=order.sell_currency if order else None,
        )
    )
    if order is not None:
        book.fx.append(order)
        book.move_cash(target, order.buy_amount)
        book.move_cash(order.sell_currency, -order.sell_amount_estimated)
    return need == ZERO or order is not None


def _exchange(book: Book, target: str, need: Decimal) -> FxSpot | None:
    """Return the exchange that covers ``need``, or None after noting why there is none.

    The bought amount is rounded up to the minor unit, so that it never leaves an overdraft (delta 35).
    """
    strict = book.ctx.options.strict_reference
    bought = to_minor_unit(need, target, ROUND_HALF_EVEN if strict else ROUND_CEILING)
    book.touch(target)
    shortfalls: list[InsufficientCash] = []
    missing = False
    for source in _sources(book, target):
        book.touch(source)
        rate = book.ctx.fx.rate(target, source)
        if rate is None:
            missing = True
            book.missing_pairs[f"{target}/{source}"] = None
            book.ctx.journal.miss_fx(target, source)
            continue
        sold = to_minor_unit((need if strict else bought) * rate, source)
        if book.balance(source) >= sold:
            number = len(book.fx) + 1
            return FxSpot(f"oi_fx_{number}", f"{target}/{source}", target, bought, source, sold, FUNDING)
        shortfalls.append(InsufficientCash(source, sold - book.balance(source)))
    _note_unfunded(book, shortfalls, missing=bool(book.missing_pairs) if strict else missing and not shortfalls)
    return None


def _sources(book: Book, target: str) -> list[str]:
    """Return the currencies that may pay, the base currency first."""
    base = book.ctx.base
    sources = [base] if base != target else []
    if book.ctx.options.fx_funding_source_currency is FundingSource.ANY_CASH:
        sources += sorted(book.currencies() - {base, target})
    return sources


def _note_unfunded(book: Book, shortfalls: list[InsufficientCash], *, missing: bool) -> None:
    if missing and not book.ctx.options.block_on_missing_fx:
        book.pending = True
        book.ctx.journal.warn_once(MISSING_FX_PENDING)
    elif missing:
        book.fail(MISSING_FX)
    else:
        if shortfalls:
            book.shortfalls.append(min(shortfalls, key=lambda row: row.deficit))
        book.fail(INSUFFICIENT_CASH)


def linked(book: Book, buys: Sequence[ManualTrade], unfunded: set[str]) -> list[ManualTrade]:
    """Return the buys that are paid for, each with the intents it waits for."""
    exchanges = {order.buy_currency: order.intent_id for order in book.fx}
    sells: dict[str, str] = {}
    if book.ctx.options.link_buy_to_same_currency_sell_dependency:
        sells = {row.notional.currency: row.intent_id for row in book.trades if row.side is Side.SELL}
    if any(trade.notional.currency in unfunded for trade in buys):
        book.ctx.journal.warn_once(SKIPPED)
    return [
        replace(trade, dependencies=_dependencies(trade.notional.currency, exchanges, sells))
        for trade in buys
        if trade.notional.currency not in unfunded
    ]


def _dependencies(currency: str, *sources: dict[str, str]) -> tuple[str, ...]:
    return tuple(source[currency] for source in sources if currency in source)
