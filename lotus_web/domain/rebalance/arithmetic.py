"""The engine's own decimal arithmetic, independent of the thread's decimal context (engine §6)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import (
    MAX_EMAX,
    MAX_PREC,
    MIN_EMIN,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)

ENGINE_CONTEXT = Context(prec=28, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow])
# For shares of what there is: rounding up would spend a last digit that is not there.
ROUNDING_DOWN = Context(prec=20, rounding=ROUND_DOWN, traps=[InvalidOperation, DivisionByZero, Overflow])

# For rounding to decimal places: however much stands before the point, it is kept.
UNBOUNDED = Context(prec=MAX_PREC, Emin=MIN_EMIN, Emax=MAX_EMAX, rounding=ROUND_HALF_EVEN, traps=[])

ZERO = Decimal(0)
ONE = Decimal(1)
# A billionth of a currency unit: far below any real amount, far above what 28 digits round away.
NOISE = Decimal("1e-9")


def total(values: Iterable[Decimal]) -> Decimal:
    """Return a sum that does not depend on the order of its parts, down to the last digit."""
    return sum(sorted(values), ZERO)


def sums(pairs: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """Return the total of each key, keys in the order in which they first come."""
    parts: dict[str, list[Decimal]] = {}
    for key, value in pairs:
        parts.setdefault(key, []).append(value)
    return {key: total(values) for key, values in parts.items()}


def to_places(number: Decimal, places: int, rounding: str = ROUND_HALF_EVEN) -> Decimal:
    """Return a number with this many decimal places, whatever its size."""
    return number.quantize(ONE.scaleb(-places), rounding=rounding, context=UNBOUNDED)


def without_noise(amount: Decimal) -> Decimal:
    """Return zero for an amount that only rounding can have left, else the amount."""
    return ZERO if abs(amount) < NOISE else amount


def whole_units(quantity: Decimal) -> Decimal:
    """Return the whole units in a quantity, rounded down."""
    return quantity.to_integral_value(rounding=ROUND_FLOOR)
