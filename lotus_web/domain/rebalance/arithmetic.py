"""The engine's own decimal arithmetic, apart from whatever the thread is set to (engine §6)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow

ENGINE_CONTEXT = Context(prec=28, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow])

ZERO = Decimal(0)
ONE = Decimal(1)


def total(values: Iterable[Decimal]) -> Decimal:
    """Return a sum that does not depend on the order of its parts, down to the last digit."""
    return sum(sorted(values), ZERO)


def whole_units(quantity: Decimal) -> Decimal:
    """Return the whole units in a quantity, rounded down."""
    return quantity.to_integral_value(rounding=ROUND_FLOOR)
