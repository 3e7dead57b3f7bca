"""A valued portfolio as JSON (engine §2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lotus_web.domain.rebalance.values.state import AllocationMetric, CashBalance, PositionSummary, SimulatedState
from lotus_web.wire.rebalance.numbers import money, money_or_null, number, weight


def state_document(state: SimulatedState) -> dict[str, Any]:
    """Return a state; ``allocation`` is the reference's second name of ``allocation_by_instrument``."""
    return {
        "total_value": money(state.total_value),
        "cash_balances": [_cash(row) for row in state.cash_balances],
        "positions": [_position(row) for row in state.positions],
        "allocation_by_asset_class": _allocation(state.allocation_by_asset_class),
        "allocation_by_instrument": _allocation(state.allocation_by_instrument),
        "allocation": _allocation(state.allocation_by_instrument),
        "allocation_by_attribute": {name: _allocation(rows) for name, rows in state.allocation_by_attribute.items()},
    }


def _cash(row: CashBalance) -> dict[str, Any]:
    return {
        "currency": row.currency,
        "amount": number(row.amount),
        "settled": None if row.settled is None else number(row.settled),
        "pending": None if row.pending is None else number(row.pending),
    }


def _position(row: PositionSummary) -> dict[str, Any]:
    return {
        "instrument_id": row.instrument_id,
        "quantity": number(row.quantity),
        "instrument_currency": row.instrument_currency,
        "asset_class": row.asset_class,
        "price": money_or_null(row.price),
        "value_in_instrument_ccy": money(row.value_in_instrument_ccy),
        "value_in_base_ccy": money(row.value_in_base_ccy),
        "weight": weight(row.weight),
    }


def _allocation(rows: Iterable[AllocationMetric]) -> list[dict[str, Any]]:
    return [{"key": row.key, "weight": weight(row.weight), "value": money(row.value)} for row in rows]
