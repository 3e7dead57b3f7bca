"""What a decision rests on, read out of a run's result document: weights before and after, orders, cash, limits at work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from lotus_web.domain.runs.exclusions import Exclusion, exclusions
from lotus_web.domain.runs.findings import findings
from lotus_web.domain.runs.notes import EngineNote, engine_notes
from lotus_web.domain.runs.shifts import (
    ZERO,
    CashShift,
    Document,
    Order,
    RuleLine,
    WeightShift,
    amount_of,
    cash_shifts,
    class_shifts,
    finding_line,
    position_shifts,
    rule_line,
)

# Every trade passed it, so it tells a reader nothing.
SIZE_CHECK = "MIN_NOTIONAL"


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
    total = amount_of(before["total_value"])
    bought, sold = _traded(result["intents"], "BUY"), _traded(result["intents"], "SELL")
    quality = result["diagnostics"]["data_quality"]
    found = findings(result)
    return RunEvidence(
        findings=tuple(finding_line(one) for one in found),
        rules=tuple(rule_line(rule) for rule in result["rule_results"]),
        notes=engine_notes(result, said=(one.reason_code for one in found)),
        missing=tuple((kind, tuple(names)) for kind, names in quality.items() if names),
        by_class=class_shifts(result),
        by_position=position_shifts(result),
        orders=_orders(result["intents"], total),
        cash=tuple(cash_shifts(before, after)),
        ladder=tuple(
            LadderPoint(point["date_offset"], point["currency"], Decimal(point["projected_balance"]))
            for point in result["diagnostics"]["cash_ladder"]
        ),
        exclusions=tuple(exclusions(result)),
        currency=before["total_value"]["currency"],
        value_before=total,
        value_after=amount_of(after["total_value"]),
        bought=bought,
        sold=sold,
        turnover=(bought + sold) / total if total > 0 else None,
        tax=_tax(result["tax_impact"]) if result["tax_impact"] else None,
    )


def _tax(impact: Document) -> TaxFacts:
    limit, used = impact["budget_limit"], impact["budget_used"]
    return TaxFacts(
        currency=impact["total_realized_gain"]["currency"],
        gain=amount_of(impact["total_realized_gain"]),
        loss=amount_of(impact["total_realized_loss"]),
        budget=amount_of(limit) if limit else None,
        used=amount_of(used) if used else None,
    )


def _traded(intents: Sequence[Document], side: str) -> Decimal:
    trades = (intent for intent in intents if intent["intent_type"] == "SECURITY_TRADE" and intent["side"] == side)
    return sum((amount_of(trade["notional_base"]) for trade in trades if trade["notional_base"]), ZERO)


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
        amount=amount_of(notional) if notional else ZERO,
        currency=notional["currency"] if notional else "",
        share=amount_of(base) / total if base and total > 0 else None,
        note=", ".join(code.replace("_", " ").lower() for code in intent["constraints_applied"] if code != SIZE_CHECK),
        waits_for=waits_for,
    )
