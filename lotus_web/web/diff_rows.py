"""What differs between two runs, as texts side by side: only the fields that are not the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from lotus_web.queries.run_diff import Change
from lotus_web.web.filters import NOTHING, money, percent, quantity, words

# The fields that say what a row is, told where the whole row came or went.
TOLD = (
    "model_weight",
    "final_weight",
    "final_value",
    "quantity",
    "notional",
    "buy_amount",
    "sell_amount_estimated",
    "severity",
    "status",
    "measured",
    "threshold",
    "reason_code",
)


@dataclass(frozen=True, slots=True)
class FieldPair:
    """One field before and after."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One target, order or rule that differs; ``came`` and ``went`` say that it was on one side only."""

    key: str
    came: bool
    went: bool
    fields: tuple[FieldPair, ...]


def diff_rows(changes: Iterable[Change]) -> list[DiffRow]:
    """Return the rows of a table of changes."""
    return [_row(change) for change in changes]


def _row(change: Change) -> DiffRow:
    before, after = change.before or {}, change.after or {}
    one_sided = change.before is None or change.after is None
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if one_sided:
        names = [name for name in names if name in TOLD]
    return DiffRow(
        key=change.key,
        came=change.before is None,
        went=change.after is None,
        fields=tuple(FieldPair(words(name), shown(name, before), shown(name, after)) for name in names),
    )


def shown(name: str, row: Mapping[str, Any]) -> str:
    """Return a field's value as a reader says it: weights in percent, money with its currency, a dash for nothing."""
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
    return percent(number) if name.endswith("weight") else quantity(number)


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
