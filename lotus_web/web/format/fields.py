"""Values of JSON documents as text, formatted by the name of their field."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from lotus_web.web.format.filters import NOTHING, money, percent, quantity, words

# Fields with these endings hold a fraction of 1.
SHARES = ("weight", "_pct")


def shown(name: str, row: Mapping[str, Any]) -> str:
    """Return a field's value as text: fractions in percent, money with its currency, a dash for an empty value."""
    value = row.get(name)
    if value is None or value == [] or value == {}:
        return NOTHING
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    number = _number(value)
    if number is None or isinstance(value, bool):
        return str(value)
    return percent(number) if name.endswith(SHARES) else quantity(number)


def _mapping(value: Mapping[str, Any]) -> str:
    amount = _number(value.get("amount"))
    if amount is not None and "currency" in value:
        return money(amount, str(value["currency"]))
    return ", ".join(f"{words(str(key))} {shown(str(key), value)}" for key in value)


def _number(value: Any) -> Decimal | None:
    if not isinstance(value, (str, int, Decimal)):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
