"""A valued portfolio as JSON (engine §2)."""

from __future__ import annotations

from lotus_web.domain.rebalance.values import state
from lotus_web.wire.rebalance.model import Money, Plain, ResultModel, Weight


class CashRow(ResultModel):
    """A cash balance."""

    domain = state.CashBalance

    currency: str
    amount: Plain
    settled: Plain | None
    pending: Plain | None


class PositionRow(ResultModel):
    """A valued position; the weight has four places."""

    domain = state.PositionSummary

    instrument_id: str
    quantity: Plain
    instrument_currency: str
    asset_class: str
    price: Money | None
    value_in_instrument_ccy: Money
    value_in_base_ccy: Money
    weight: Weight


class AllocationRow(ResultModel):
    """A share of the portfolio; the weight has four places."""

    domain = state.AllocationMetric

    key: str
    weight: Weight
    value: Money


class State(ResultModel):
    """A valued portfolio; ``allocation`` repeats ``allocation_by_instrument``."""

    domain = state.SimulatedState

    total_value: Money
    cash_balances: tuple[CashRow, ...]
    positions: tuple[PositionRow, ...]
    allocation_by_asset_class: tuple[AllocationRow, ...]
    allocation_by_instrument: tuple[AllocationRow, ...]
    allocation: tuple[AllocationRow, ...]
    allocation_by_attribute: dict[str, tuple[AllocationRow, ...]]
