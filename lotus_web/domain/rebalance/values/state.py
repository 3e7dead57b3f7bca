"""A valued portfolio, before or after the simulated orders (engine §2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from lotus_web.domain.rebalance.values.money import Money


@dataclass(frozen=True, slots=True)
class CashBalance:
    """A cash row; ``settled`` seeds the settlement ladder, ``pending`` is carried along."""

    currency: str
    amount: Decimal
    settled: Decimal | None = None
    pending: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PositionSummary:
    """A valued position; ``weight`` is unrounded here and has four places on the wire."""

    instrument_id: str
    quantity: Decimal
    instrument_currency: str
    asset_class: str
    price: Money | None
    value_in_instrument_ccy: Money
    value_in_base_ccy: Money
    weight: Decimal


@dataclass(frozen=True, slots=True)
class AllocationMetric:
    """A share of the portfolio; ``weight`` is unrounded here and has four places on the wire."""

    key: str
    weight: Decimal
    value: Money


@dataclass(frozen=True, slots=True)
class SimulatedState:
    """A valued portfolio; money is in the base currency unless it names another."""

    total_value: Money
    cash_balances: tuple[CashBalance, ...]
    positions: tuple[PositionSummary, ...]
    allocation_by_asset_class: tuple[AllocationMetric, ...]
    allocation_by_instrument: tuple[AllocationMetric, ...]
    allocation_by_attribute: Mapping[str, tuple[AllocationMetric, ...]]

    @property
    def allocation(self) -> tuple[AllocationMetric, ...]:
        """Return ``allocation_by_instrument`` under its second name in the reference."""
        return self.allocation_by_instrument
