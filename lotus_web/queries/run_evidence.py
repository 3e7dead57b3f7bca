"""What a decision rests on, read out of a run's result document: weights before and after, orders, cash, limits at work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lotus_web.domain.explain import Finding, findings

ZERO = Decimal(0)
CASH = "CASH"
# Rules that measure weights; the others measure money or counts.
WEIGHT_RULES = frozenset({"CASH_BAND", "SINGLE_POSITION_MAX", "TARGET"})
MOST_POSITIONS = 30

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WeightShift:
    """A share of the portfolio (1 = all of it) before and after; ``limit`` is the highest that a rule allows."""

    label: str
    before_weight: Decimal
    after_weight: Decimal
    limit: Decimal | None = None


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
    depends_on: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CashShift:
    """A currency's balance before and after the orders."""

    currency: str
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Something that the engine would not or could not do, and why."""

    name: str
    reason_code: str
    detail: str
    amount: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class RunEvidence:
    """All of it; ``turnover`` is the traded share of the portfolio, counting each sale and purchase."""

    findings: tuple[Finding, ...]
    rules: tuple[Document, ...]
    warnings: tuple[str, ...]
    missing: tuple[tuple[str, tuple[str, ...]], ...]
    by_class: tuple[WeightShift, ...]
    by_position: tuple[WeightShift, ...]
    orders: tuple[Order, ...]
    cash: tuple[CashShift, ...]
    ladder: tuple[Document, ...]
    held_back: tuple[HeldBack, ...]
    currency: str
    value_before: Decimal
    value_after: Decimal
    bought: Decimal
    sold: Decimal
    turnover: Decimal | None
    tax: Document | None
    gate: Document | None


def run_evidence(result: Document) -> RunEvidence:
    """Read a result document (engine §2); weights are shares, money is in the base currency unless a row names another."""
    before, after = result["before"], result["after_simulated"]
    total = _amount(before["total_value"])
    bought, sold = _traded(result["intents"], "BUY"), _traded(result["intents"], "SELL")
    quality = result["diagnostics"]["data_quality"]
    return RunEvidence(
        findings=findings(result),
        rules=tuple(result["rule_results"]),
        warnings=tuple(dict.fromkeys(result["diagnostics"]["warnings"])),
        missing=tuple((kind, tuple(names)) for kind, names in quality.items() if names),
        by_class=_shifts(before, after, "allocation_by_asset_class", {CASH: _limit(result, "CASH_BAND")}),
        by_position=_by_position(result),
        orders=tuple(_order(intent, total) for intent in result["intents"]),
        cash=tuple(_cash(before, after)),
        ladder=tuple(result["diagnostics"]["cash_ladder"]),
        held_back=tuple(_held_back(result)),
        currency=before["total_value"]["currency"],
        value_before=total,
        value_after=_amount(after["total_value"]),
        bought=bought,
        sold=sold,
        turnover=(bought + sold) / total if total > 0 else None,
        tax=result["tax_impact"],
        gate=result["gate_decision"],
    )


def _amount(money: Document) -> Decimal:
    return Decimal(money["amount"])


def _limit(result: Document, rule_id: str) -> Decimal | None:
    rule = next((rule for rule in result["rule_results"] if rule["rule_id"] == rule_id), None)
    limit = rule["threshold"].get("max") if rule else None
    return None if limit is None else Decimal(limit)


def _weights(state: Document, part: str) -> dict[str, Decimal]:
    """Return weights in full precision where the total allows it; the document's own have four places."""
    total = _amount(state["total_value"])
    if total <= 0:
        return {row["key"]: Decimal(row["weight"]) for row in state[part]}
    return {row["key"]: _amount(row["value"]) / total for row in state[part]}


def _shifts(
    before: Document, after: Document, part: str, limits: Mapping[str, Decimal | None]
) -> tuple[WeightShift, ...]:
    was, will = _weights(before, part), _weights(after, part)
    rows = [
        WeightShift(key, was.get(key, ZERO), will.get(key, ZERO), limits.get(key))
        for key in dict.fromkeys([*was, *will])
    ]
    return tuple(sorted(rows, key=lambda row: (-max(row.before_weight, row.after_weight), row.label)))


def _by_position(result: Document) -> tuple[WeightShift, ...]:
    before, after = result["before"], result["after_simulated"]
    limit = _limit(result, "SINGLE_POSITION_MAX")
    keys = {row["key"]: limit for state in (before, after) for row in state["allocation_by_instrument"]}
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


def _order(intent: Document, total: Decimal) -> Order:
    if intent["intent_type"] == "FX_SPOT":
        return Order(
            intent_id=intent["intent_id"],
            side="FX",
            name=f"{intent['sell_currency']} → {intent['buy_currency']}",
            quantity=None,
            amount=Decimal(intent["buy_amount"]),
            currency=intent["buy_currency"],
            share=None,
            note=f"Sells about {Decimal(intent['sell_amount_estimated']):,.2f} {intent['sell_currency']}",
            depends_on=tuple(intent["dependencies"]),
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
        note=", ".join(code.replace("_", " ").lower() for code in intent["constraints_applied"]),
        depends_on=tuple(intent["dependencies"]),
    )


def _cash(before: Document, after: Document) -> Iterator[CashShift]:
    was = {row["currency"]: Decimal(row["amount"]) for row in before["cash_balances"]}
    will = {row["currency"]: Decimal(row["amount"]) for row in after["cash_balances"]}
    for currency in dict.fromkeys([*was, *will]):
        yield CashShift(currency, was.get(currency, ZERO), will.get(currency, ZERO))


def _held_back(result: Document) -> Iterator[HeldBack]:
    journal = result["diagnostics"]
    for row in result["universe"]["excluded"]:
        yield HeldBack(row["instrument_id"], row["reason_code"], "Kept out of what may be traded freely")
    for row in journal["dropped_intents"]:
        money = row["potential_notional"]
        yield HeldBack(
            row["instrument_id"],
            row["reason"],
            "Order dropped: it did not fit the turnover limit",
            _amount(money),
            money["currency"],
        )
    for row in journal["suppressed_intents"]:
        money = row["intended_notional"]
        yield HeldBack(
            row["instrument_id"],
            row["reason"],
            "Order left out: below the smallest size",
            _amount(money),
            money["currency"],
        )
    for row in journal["group_constraint_events"]:
        weight = f"{Decimal(row['group_weight_before']) * 100:.2f}% against a limit of {Decimal(row['max_weight']) * 100:.2f}%"
        yield HeldBack(row["constraint_key"], f"GROUP_{row['status']}", f"Group limit: the model has {weight}")
    for row in journal["tax_budget_constraint_events"]:
        asked, allowed = Decimal(row["requested_quantity"]), Decimal(row["allowed_quantity"])
        yield HeldBack(
            row["instrument_id"],
            row["reason_code"],
            f"Sale cut from {asked:,f} to {allowed:,f} units by the gains budget",
        )
