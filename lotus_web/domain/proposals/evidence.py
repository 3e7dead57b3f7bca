"""What a decision about a proposal rests on, read out of its result document (proposals-api §5.7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from lotus_web.domain.proposals.suitability import GateLine, SuitabilityLines, gate_line, suitability_lines
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

TRADE, FLOW, EXCHANGE = "SECURITY_TRADE", "CASH_FLOW", "FX_SPOT"


@dataclass(frozen=True, slots=True)
class Flow:
    """Money paid in (positive) or out (negative)."""

    currency: str
    amount: Decimal
    description: str | None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A currency exchange that pays for purchases: buys ``bought`` of one currency for about ``sold`` of another."""

    intent_id: str
    pair: str
    bought: Decimal
    bought_currency: str
    sold: Decimal
    sold_currency: str


@dataclass(frozen=True, slots=True)
class Funding:
    """What purchases in ``currency`` need, what is there before an exchange, and what an exchange has to bring."""

    currency: str
    required: Decimal
    available: Decimal
    needed: Decimal
    paid_from: str | None


@dataclass(frozen=True, slots=True)
class DriftLine:
    """A bucket's weight in the model and in the portfolio, and how much nearer it came (negative: further away)."""

    bucket: str
    model: Decimal
    before: Decimal
    after: Decimal
    improvement: Decimal


@dataclass(frozen=True, slots=True)
class DriftTable:
    """Drift in one dimension; a total is half the sum of the distances from the model, as a share of the portfolio."""

    dimension: str
    before: Decimal
    after: Decimal
    lines: tuple[DriftLine, ...]


@dataclass(frozen=True, slots=True)
class Drift:
    """The distance from a reference model; ``unmodeled`` are holdings that it does not know."""

    model_id: str
    as_of: str
    tables: tuple[DriftTable, ...]
    unmodeled: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProposalEvidence:
    """All of it: weights are shares of the portfolio, money is in ``currency`` unless a row names another.

    ``gate`` and ``suitability`` are None where the request switched them off, ``drift`` where there is no model.
    """

    status: str
    gate: GateLine | None
    findings: tuple[RuleLine, ...]
    rules: tuple[RuleLine, ...]
    notes: tuple[EngineNote, ...]
    missing: tuple[tuple[str, tuple[str, ...]], ...]
    by_class: tuple[WeightShift, ...]
    by_position: tuple[WeightShift, ...]
    orders: tuple[Order, ...]
    flows: tuple[Flow, ...]
    exchanges: tuple[Exchange, ...]
    funding: tuple[Funding, ...]
    shortfalls: tuple[tuple[str, Decimal], ...]
    cash: tuple[CashShift, ...]
    drift: Drift | None
    suitability: SuitabilityLines | None
    currency: str
    value_before: Decimal
    value_after: Decimal
    bought: Decimal
    sold: Decimal
    turnover: Decimal | None
    prices_of: str


def proposal_evidence(result: Document) -> ProposalEvidence:
    """Read a result document."""
    before, after, noted = result["before"], result["after_simulated"], result["diagnostics"]
    total = amount_of(before["total_value"])
    trades = [row for row in result["intents"] if row["intent_type"] == TRADE]
    bought, sold = _traded(trades, "BUY"), _traded(trades, "SELL")
    found = findings(result)
    return ProposalEvidence(
        status=result["status"],
        gate=gate_line(result),
        findings=tuple(finding_line(one) for one in found),
        rules=tuple(rule_line(rule) for rule in result["rule_results"]),
        notes=engine_notes(result, said=(one.reason_code for one in found)),
        missing=tuple((kind, tuple(names)) for kind, names in noted["data_quality"].items() if names),
        by_class=class_shifts(result),
        by_position=position_shifts(result),
        orders=_orders(trades, _names(result["intents"]), total),
        flows=_flows(result["intents"]),
        exchanges=_exchanges(result["intents"]),
        funding=tuple(_funding(row) for row in noted["funding_plan"]),
        shortfalls=tuple((row["currency"], Decimal(row["deficit"])) for row in noted["insufficient_cash"]),
        cash=tuple(cash_shifts(before, after)),
        drift=_drift(result["drift_analysis"]) if result["drift_analysis"] else None,
        suitability=suitability_lines(result),
        currency=before["total_value"]["currency"],
        value_before=total,
        value_after=amount_of(after["total_value"]),
        bought=bought,
        sold=sold,
        turnover=(bought + sold) / total if total > 0 else None,
        prices_of=result["lineage"]["market_data_snapshot_id"],
    )


def _traded(trades: Sequence[Document], side: str) -> Decimal:
    """Return the value of the trades of one side in the base currency; one without a rate is left out."""
    valued = (row["notional_base"] for row in trades if row["side"] == side)
    return sum((amount_of(value) for value in valued if value), ZERO)


def _names(intents: Sequence[Document]) -> dict[str, str]:
    return {
        row["intent_id"]: f"{row['sell_currency']} → {row['buy_currency']}"
        if row["intent_type"] == EXCHANGE
        else str(row.get("instrument_id") or row.get("currency"))
        for row in intents
    }


def _orders(trades: Sequence[Document], names: Mapping[str, str], total: Decimal) -> tuple[Order, ...]:
    return tuple(_order(row, names, total) for row in trades)


def _order(row: Document, names: Mapping[str, str], total: Decimal) -> Order:
    base = row["notional_base"]
    return Order(
        intent_id=row["intent_id"],
        side=row["side"],
        name=row["instrument_id"],
        quantity=Decimal(row["quantity"]),
        amount=amount_of(row["notional"]),
        currency=row["notional"]["currency"],
        share=amount_of(base) / total if base and total > 0 else None,
        note="",
        waits_for=tuple(names.get(other, other) for other in row["dependencies"]),
    )


def _flows(intents: Sequence[Document]) -> tuple[Flow, ...]:
    return tuple(
        Flow(row["currency"], Decimal(row["amount"]), row["description"])
        for row in intents
        if row["intent_type"] == FLOW
    )


def _exchanges(intents: Sequence[Document]) -> tuple[Exchange, ...]:
    return tuple(
        Exchange(
            row["intent_id"],
            row["pair"],
            Decimal(row["buy_amount"]),
            row["buy_currency"],
            Decimal(row["sell_amount_estimated"]),
            row["sell_currency"],
        )
        for row in intents
        if row["intent_type"] == EXCHANGE
    )


def _funding(row: Document) -> Funding:
    return Funding(
        row["target_currency"],
        Decimal(row["required"]),
        Decimal(row["available_before_fx"]),
        Decimal(row["fx_needed"]),
        row["funding_currency"],
    )


def _drift(drift: Document) -> Drift:
    named = (("asset class", drift["asset_class"]), ("instrument", drift["instrument"]))
    return Drift(
        model_id=drift["reference_model"]["model_id"],
        as_of=drift["reference_model"]["as_of"],
        tables=tuple(_drift_table(name, table) for name, table in named if table),
        unmodeled=tuple(row["bucket"] for row in drift["highlights"]["unmodeled_exposures"]),
    )


def _drift_table(dimension: str, table: Document) -> DriftTable:
    lines = (
        DriftLine(
            row["bucket"],
            Decimal(row["model_weight"]),
            Decimal(row["portfolio_weight_before"]),
            Decimal(row["portfolio_weight_after"]),
            Decimal(row["improvement"]),
        )
        for row in table["buckets"]
    )
    return DriftTable(
        dimension, Decimal(table["drift_total_before"]), Decimal(table["drift_total_after"]), tuple(lines)
    )
