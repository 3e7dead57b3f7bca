"""What runs and proposals have in common as evidence: weights and cash before and after, and the verdicts of rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lotus_web.domain.runs.findings import Finding

ZERO = Decimal(0)
CASH = "CASH"
# Rules that measure weights; the others measure money or counts.
WEIGHT_RULES = frozenset({"CASH_BAND", "SINGLE_POSITION_MAX", "TARGET"})
MOST_POSITIONS = 30
# The rule was not asked for; the bound that it then carries is no bound (engine §2).
NO_LIMIT_SET = "NO_LIMIT_SET"

Document = Mapping[str, Any]
# The lowest and the highest that a rule allows.
Band = tuple[Decimal | None, Decimal | None]
UNBOUNDED: Band = (None, None)


@dataclass(frozen=True, slots=True)
class WeightShift:
    """A share of the portfolio (1 = all of it) before and after; a rule allows from ``lowest`` to ``highest``, None leaves it open."""

    label: str
    before_weight: Decimal
    after_weight: Decimal
    lowest: Decimal | None = None
    highest: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One intent in execution order; ``share`` is its size as a share of the portfolio before, None if not to be told."""

    intent_id: str
    side: str
    name: str
    quantity: Decimal | None
    amount: Decimal
    currency: str
    share: Decimal | None
    note: str
    waits_for: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CashShift:
    """A currency's balance before and after the orders."""

    currency: str
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule's verdict, or a finding in its terms; ``bounds`` pairs a word such as ``max`` with its figure.

    ``is_weight`` tells that figures are shares of the portfolio; the others are amounts or counts.
    """

    rule_id: str
    severity: str
    reason_code: str
    passed: bool
    sentence: str
    measured: Decimal | None
    bounds: tuple[tuple[str, Decimal], ...]
    hint: str | None

    @property
    def is_weight(self) -> bool:
        """Whether the figures are weights."""
        return self.rule_id in WEIGHT_RULES


def amount_of(money: Document) -> Decimal:
    """Return the amount of a money object."""
    return Decimal(money["amount"])


def _bounds(threshold: Mapping[str, str] | None) -> tuple[tuple[str, Decimal], ...]:
    return tuple((word, Decimal(figure)) for word, figure in (threshold or {}).items())


def finding_line(found: Finding) -> RuleLine:
    """Return a finding in the terms of a rule's verdict."""
    return RuleLine(
        rule_id=found.rule_id,
        severity=found.severity,
        reason_code=found.reason_code,
        passed=False,
        sentence=found.sentence,
        measured=None if found.measured is None else Decimal(found.measured),
        bounds=_bounds(found.threshold),
        hint=found.hint,
    )


def rule_line(rule: Document) -> RuleLine:
    """Return the verdict of a rule."""
    return RuleLine(
        rule_id=rule["rule_id"],
        severity=rule["severity"],
        reason_code=rule["reason_code"],
        passed=rule["status"] == "PASS",
        sentence="",
        measured=Decimal(rule["measured"]),
        bounds=() if rule["reason_code"] == NO_LIMIT_SET else _bounds(rule["threshold"]),
        hint=rule["remediation_hint"],
    )


def _band(result: Document, rule_id: str) -> Band:
    rule = next((rule for rule in result["rule_results"] if rule["rule_id"] == rule_id), None)
    if rule is None or rule["reason_code"] == NO_LIMIT_SET:
        return UNBOUNDED
    bounds = dict(_bounds(rule["threshold"]))
    return bounds.get("min"), bounds.get("max")


def _weights(state: Document, part: str) -> dict[str, Decimal]:
    """Return weights in full precision where the total allows it; the document's own have four places."""
    total = amount_of(state["total_value"])
    if total <= 0:
        return {row["key"]: Decimal(row["weight"]) for row in state[part]}
    return {row["key"]: amount_of(row["value"]) / total for row in state[part]}


def _shifts(before: Document, after: Document, part: str, bands: Mapping[str, Band]) -> tuple[WeightShift, ...]:
    was, will = _weights(before, part), _weights(after, part)
    rows = [
        WeightShift(key, was.get(key, ZERO), will.get(key, ZERO), *bands.get(key, UNBOUNDED))
        for key in dict.fromkeys([*was, *will])
    ]
    return tuple(sorted(rows, key=lambda row: (-max(row.before_weight, row.after_weight), row.label)))


def class_shifts(result: Document) -> tuple[WeightShift, ...]:
    """Return the weights of asset classes, the heaviest first; cash with its band."""
    bands = {CASH: _band(result, "CASH_BAND")}
    return _shifts(result["before"], result["after_simulated"], "allocation_by_asset_class", bands)


def position_shifts(result: Document) -> tuple[WeightShift, ...]:
    """Return the weights of positions, the heaviest first; of many, the smallest are one row."""
    before, after = result["before"], result["after_simulated"]
    band = _band(result, "SINGLE_POSITION_MAX")
    keys = {row["key"]: band for state in (before, after) for row in state["allocation_by_instrument"]}
    rows = _shifts(before, after, "allocation_by_instrument", keys)
    shown = tuple(row for row in rows if row.before_weight or row.after_weight)
    rest = shown[MOST_POSITIONS:]
    if not rest:
        return shown
    others = WeightShift(
        f"{len(rest)} smaller positions",
        sum((row.before_weight for row in rest), ZERO),
        sum((row.after_weight for row in rest), ZERO),
    )
    return (*shown[:MOST_POSITIONS], others)


def cash_shifts(before: Document, after: Document) -> Iterator[CashShift]:
    """Yield the balance of each currency that is held before or after."""
    was = {row["currency"]: Decimal(row["amount"]) for row in before["cash_balances"]}
    will = {row["currency"]: Decimal(row["amount"]) for row in after["cash_balances"]}
    for currency in dict.fromkeys([*was, *will]):
        yield CashShift(currency, was.get(currency, ZERO), will.get(currency, ZERO))
