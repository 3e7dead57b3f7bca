"""What differs between two runs, as texts side by side: only the fields that are not the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lotus_web.queries.runs.diff import Change
from lotus_web.web.format.fields import shown
from lotus_web.web.format.filters import words

# The fields that say what a row is, shown where the whole row was added or removed.
TOLD = (
    "model_weight",
    "final_weight",
    "final_value",
    "weight",
    "quantity",
    "notional",
    "amount",
    "description",
    "buy_amount",
    "sell_amount_estimated",
    "status_change",
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
