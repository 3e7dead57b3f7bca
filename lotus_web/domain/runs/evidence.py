"""What a decision rests on, read out of a run's result document: weights before and after, orders, cash, limits at work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lotus_web.domain.runs.exclusions import Exclusion, exclusions
from lotus_web.domain.runs.findings import Finding, findings
from lotus_web.domain.runs.notes import EngineNote, engine_notes

ZERO = Decimal(0)
CASH = "CASH"
# Rules that measure weights; the others measure money or counts.
WEIGHT_RULES = frozenset({"CASH_BAND", "SINGLE_POSITION_MAX", "TARGET"})
MOST_POSITIONS = 30
# The rule was not asked for; the bound that it then carries is no bound (engine §2).
NO_LIMIT_SET = "NO_LIMIT_SET"
# Every trade passed it, so it tells a reader nothing.
SIZE_CHECK = "MIN_NOTIONAL"

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


@dataclass(frozen=True, slots=True)
class LadderPoint:
    """Projected cash of a currency ``day`` days after the trade."""

    day: int
    currency: str
    balance: Decimal


@dataclass(frozen=True, slots=True)
class TaxFacts:
    """Realised gains and losses, both positive, in ``currency``; no budget, no figures for it."""

    currency: str
    gain: Decimal
    loss: Decimal
    budget: Decimal | None
    used: Decimal | None


@dataclass(frozen=True, slots=True)
class RunEvidence:
    """All of it; ``turnover`` is the traded share of the portfolio, counting each sale and purchase."""

    findings: tuple[RuleLine, ...]
    rules: tuple[RuleLine, ...]
    notes: tuple[EngineNote, ...]
    missing: tuple[tuple[str, tuple[str, ...]], ...]
    by_class: tuple[WeightShift, ...]
    by_position: tuple[WeightShift, ...]
    orders: tuple[Order, ...]
    cash: tuple[CashShift, ...]
    ladder: tuple[LadderPoint, ...]
    exclusions: tuple[Exclusion, ...]
    currency: str
    value_before: Decimal
    value_after: Decimal
    bought: Decimal
    sold: Decimal
    turnover: Decimal | None
    tax: TaxFacts | None


def run_evidence(result: Document) -> RunEvidence:
    """Read a result document (engine §2); weights are shares, money is in the base currency unless a row names another."""
    before, after = result["before"], result["after_simulated"]
    total = _amount(before["total_value"])
    bought, sold = _traded(result["intents"], "BUY"), _traded(result["intents"], "SELL")
    quality = result["diagnostics"]["data_quality"]
    found = findings(result)
    return RunEvidence(
        findings=tuple(_finding(one) for one in found),
        rules=tuple(_rule(rule) for rule in result["rule_results"]),
        notes=engine_notes(result, said=(one.reason_code for one in found)),
        missing=tuple((kind, tuple(names)) for kind, names in quality.items() if names),
        by_class=_shifts(before, after, "allocation_by_asset_class", {CASH: _band(result, "CASH_BAND")}),
        by_position=_by_position(result),
        orders=_orders(result["intents"], total),
        cash=tuple(_cash(before, after)),
        ladder=tuple(
            LadderPoint(point["date_offset"], point["currency"], Decimal(point["projected_balance"]))
            for point in result["diagnostics"]["cash_ladder"]
        ),
        exclusions=tuple(exclusions(result)),
        currency=before["total_value"]["currency"],
        value_before=total,
        value_after=_amount(after["total_value"]),
        bought=bought,
        sold=sold,
        turnover=(bought + sold) / total if total > 0 else None,
        tax=_tax(result["tax_impact"]) if result["tax_impact"] else None,
    )


def _amount(money: Document) -> Decimal:
    return Decimal(money["amount"])


def _bounds(threshold: Mapping[str, str] | None) -> tuple[tuple[str, Decimal], ...]:
    return tuple((word, Decimal(figure)) for word, figure in (threshold or {}).items())


def _finding(found: Finding) -> RuleLine:
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


def _rule(rule: Document) -> RuleLine:
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


def _tax(impact: Document) -> TaxFacts:
    limit, used = impact["budget_limit"], impact["budget_used"]
    return TaxFacts(
        currency=impact["total_realized_gain"]["currency"],
        gain=_amount(impact["total_realized_gain"]),
        loss=_amount(impact["total_realized_loss"]),
        budget=_amount(limit) if limit else None,
        used=_amount(used) if used else None,
    )


def _band(result: Document, rule_id: str) -> Band:
    rule = next((rule for rule in result["rule_results"] if rule["rule_id"] == rule_id), None)
    if rule is None or rule["reason_code"] == NO_LIMIT_SET:
        return UNBOUNDED
    bounds = dict(_bounds(rule["threshold"]))
    return bounds.get("min"), bounds.get("max")


def _weights(state: Document, part: str) -> dict[str, Decimal]:
    """Return weights in full precision where the total allows it; the document's own have four places."""
    total = _amount(state["total_value"])
    if total <= 0:
        return {row["key"]: Decimal(row["weight"]) for row in state[part]}
    return {row["key"]: _amount(row["value"]) / total for row in state[part]}


def _shifts(before: Document, after: Document, part: str, bands: Mapping[str, Band]) -> tuple[WeightShift, ...]:
    was, will = _weights(before, part), _weights(after, part)
    rows = [
        WeightShift(key, was.get(key, ZERO), will.get(key, ZERO), *bands.get(key, UNBOUNDED))
        for key in dict.fromkeys([*was, *will])
    ]
    return tuple(sorted(rows, key=lambda row: (-max(row.before_weight, row.after_weight), row.label)))


def _by_position(result: Document) -> tuple[WeightShift, ...]:
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


def _traded(intents: Sequence[Document], side: str) -> Decimal:
    trades = (intent for intent in intents if intent["intent_type"] == "SECURITY_TRADE" and intent["side"] == side)
    return sum((_amount(trade["notional_base"]) for trade in trades if trade["notional_base"]), ZERO)


def _orders(intents: Sequence[Document], total: Decimal) -> tuple[Order, ...]:
    names = {intent["intent_id"]: _name(intent) for intent in intents}
    return tuple(_order(intent, names, total) for intent in intents)


def _name(intent: Document) -> str:
    if intent["intent_type"] == "FX_SPOT":
        return f"{intent['sell_currency']} → {intent['buy_currency']}"
    name: str = intent["instrument_id"]
    return name


def _order(intent: Document, names: Mapping[str, str], total: Decimal) -> Order:
    waits_for = tuple(names.get(other, other) for other in intent["dependencies"])
    if intent["intent_type"] == "FX_SPOT":
        return Order(
            intent_id=intent["intent_id"],
            side="FX",
            name=_name(intent),
            quantity=None,
            amount=Decimal(intent["buy_amount"]),
            currency=intent["buy_currency"],
            share=None,
            note=f"Sells about {Decimal(intent['sell_amount_estimated']):,.2f} {intent['sell_currency']}",
            waits_for=waits_for,
        )
    notional = intent["notional"] or intent["notional_base"]
    base = intent["notional_base"]
    return Order(
        intent_id=intent["intent_id"],
        side=intent["side"],
        name=intent["instrument_id"],
        quantity=None if intent["quantity"] is None else Decimal(intent["quantity"]),
        amount=_amount(notional) if notional else ZERO,
        currency=notional["currency"] if notional else "",
        share=_amount(base) / total if base and total > 0 else None,
        note=", ".join(code.replace("_", " ").lower() for code in intent["constraints_applied"] if code != SIZE_CHECK),
        waits_for=waits_for,
    )


def _cash(before: Document, after: Document) -> Iterator[CashShift]:
    was = {row["currency"]: Decimal(row["amount"]) for row in before["cash_balances"]}
    will = {row["currency"]: Decimal(row["amount"]) for row in after["cash_balances"]}
    for currency in dict.fromkeys([*was, *will]):
        yield CashShift(currency, was.get(currency, ZERO), will.get(currency, ZERO))
