"""Numbers and money as JSON texts."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal

from lotus_web.domain.rebalance.values.money import Money

PLACES = Decimal("0.0001")
# Wide enough that four places fit whatever the weight: a total near zero makes weights without bound.
ROUNDING = Context(prec=MAX_PREC, Emin=MIN_EMIN, Emax=MAX_EMAX, rounding=ROUND_HALF_EVEN, traps=[])


def number(value: Decimal) -> str:
    """Return plain decimal text, trailing zeros kept, never an exponent."""
    return format(value, "f")


def numbers(values: Mapping[str, Decimal]) -> dict[str, str]:
    """Return a map of plain decimal texts."""
    return {key: number(value) for key, value in values.items()}


def weight(value: Decimal) -> str:
    """Return a weight with four places, half to even."""
    return format(value.quantize(PLACES, context=ROUNDING), "f")


def money(value: Money) -> dict[str, str]:
    """Return an amount and its currency."""
    return {"amount": format(value.amount, "f"), "currency": value.currency}


def money_or_null(value: Money | None) -> dict[str, str] | None:
    """Return optional money."""
    return None if value is None else money(value)
