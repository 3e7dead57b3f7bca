"""Diagnostics as JSON (engine §2)."""

from __future__ import annotations

from typing import Any

from lotus_web.domain.rebalance.values import diagnostics
from lotus_web.domain.rebalance.values.codes import EventStatus
from lotus_web.wire.rebalance.model import Money, Plain, ResultModel


class SuppressedIntent(ResultModel):
    """An order below the smallest notional."""

    domain = diagnostics.SuppressedIntent

    instrument_id: str
    reason: str
    intended_notional: Money
    threshold: Money


class DroppedIntent(ResultModel):
    """An order that did not fit the turnover budget; ``score`` is its share of the portfolio."""

    domain = diagnostics.DroppedIntent

    instrument_id: str
    reason: str
    potential_notional: Money
    score: Plain


class GroupConstraintEvent(ResultModel):
    """A group limit at work; ``recipients`` maps an instrument to the weight that it received."""

    domain = diagnostics.GroupConstraintEvent

    constraint_key: str
    group_weight_before: Plain
    max_weight: Plain
    released_weight: Plain
    recipients: dict[str, Plain]
    status: EventStatus


class TaxBudgetConstraintEvent(ResultModel):
    """A sell cut by the gains budget; quantities are units."""

    domain = diagnostics.TaxBudgetConstraintEvent

    instrument_id: str
    requested_quantity: Plain
    allowed_quantity: Plain
    reason_code: str


class CashLadderPoint(ResultModel):
    """Projected cash of a currency ``date_offset`` days from now."""

    domain = diagnostics.CashLadderPoint

    date_offset: int
    currency: str
    projected_balance: Plain


class CashLadderBreach(ResultModel):
    """A projected balance below its floor."""

    domain = diagnostics.CashLadderBreach

    date_offset: int
    currency: str
    projected_balance: Plain
    allowed_floor: Plain
    reason_code: str


class DataQuality(ResultModel):
    """What was missing."""

    domain = diagnostics.DataQuality

    price_missing: tuple[str, ...]
    fx_missing: tuple[str, ...]
    shelf_missing: tuple[str, ...]


class Diagnostics(ResultModel):
    """What the engine noticed; ``missing_fx_pairs``, ``funding_plan`` and ``insufficient_cash`` are always empty."""

    domain = diagnostics.Diagnostics

    warnings: tuple[str, ...]
    suppressed_intents: tuple[SuppressedIntent, ...]
    dropped_intents: tuple[DroppedIntent, ...]
    group_constraint_events: tuple[GroupConstraintEvent, ...]
    tax_budget_constraint_events: tuple[TaxBudgetConstraintEvent, ...]
    cash_ladder: tuple[CashLadderPoint, ...]
    cash_ladder_breaches: tuple[CashLadderBreach, ...]
    missing_fx_pairs: tuple[str, ...]
    funding_plan: tuple[dict[str, Any], ...]
    insufficient_cash: tuple[dict[str, Any], ...]
    data_quality: DataQuality
