"""Diagnostics as JSON (engine §2)."""

from __future__ import annotations

from typing import Any

from lotus_web.domain.rebalance.values.diagnostics import DataQuality, Diagnostics
from lotus_web.wire.rebalance.numbers import money, number, numbers

Rows = list[dict[str, Any]]


def diagnostics_document(diagnostics: Diagnostics) -> dict[str, Any]:
    """Return the diagnostics; the three lists that only proposals fill are always empty."""
    return {
        "warnings": list(diagnostics.warnings),
        "suppressed_intents": _suppressed(diagnostics),
        "dropped_intents": _dropped(diagnostics),
        "group_constraint_events": _group_events(diagnostics),
        "tax_budget_constraint_events": _tax_events(diagnostics),
        "cash_ladder": _ladder(diagnostics),
        "cash_ladder_breaches": _breaches(diagnostics),
        "missing_fx_pairs": [],
        "funding_plan": [],
        "insufficient_cash": [],
        "data_quality": _data_quality(diagnostics.data_quality),
    }


def _suppressed(diagnostics: Diagnostics) -> Rows:
    return [
        {
            "instrument_id": row.instrument_id,
            "reason": row.reason,
            "intended_notional": money(row.intended_notional),
            "threshold": money(row.threshold),
        }
        for row in diagnostics.suppressed_intents
    ]


def _dropped(diagnostics: Diagnostics) -> Rows:
    return [
        {
            "instrument_id": row.instrument_id,
            "reason": row.reason,
            "potential_notional": money(row.potential_notional),
            "score": number(row.score),
        }
        for row in diagnostics.dropped_intents
    ]


def _group_events(diagnostics: Diagnostics) -> Rows:
    return [
        {
            "constraint_key": row.constraint_key,
            "group_weight_before": number(row.group_weight_before),
            "max_weight": number(row.max_weight),
            "released_weight": number(row.released_weight),
            "recipients": numbers(row.recipients),
            "status": row.status.value,
        }
        for row in diagnostics.group_constraint_events
    ]


def _tax_events(diagnostics: Diagnostics) -> Rows:
    return [
        {
            "instrument_id": row.instrument_id,
            "requested_quantity": number(row.requested_quantity),
            "allowed_quantity": number(row.allowed_quantity),
            "reason_code": row.reason_code,
        }
        for row in diagnostics.tax_budget_constraint_events
    ]


def _ladder(diagnostics: Diagnostics) -> Rows:
    return [
        {
            "date_offset": row.date_offset,
            "currency": row.currency,
            "projected_balance": number(row.projected_balance),
        }
        for row in diagnostics.cash_ladder
    ]


def _breaches(diagnostics: Diagnostics) -> Rows:
    return [
        {
            "date_offset": row.date_offset,
            "currency": row.currency,
            "projected_balance": number(row.projected_balance),
            "allowed_floor": number(row.allowed_floor),
            "reason_code": row.reason_code,
        }
        for row in diagnostics.cash_ladder_breaches
    ]


def _data_quality(missing: DataQuality) -> dict[str, list[str]]:
    return {
        "price_missing": list(missing.price_missing),
        "fx_missing": list(missing.fx_missing),
        "shelf_missing": list(missing.shelf_missing),
    }
