"""The input of a run: snapshot, market data, model, shelf and options (engine §1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from lotus_web.domain.rebalance.values.codes import ShelfStatus
from lotus_web.domain.rebalance.values.money import Money
from lotus_web.domain.rebalance.values.options import EngineOptions
from lotus_web.domain.rebalance.values.state import CashBalance


@dataclass(frozen=True, slots=True)
class TaxLot:
    """One purchase of a position; ``unit_cost`` is per unit, ``purchase_date`` is text and sorts as text."""

    lot_id: str
    quantity: Decimal
    unit_cost: Money
    purchase_date: str


@dataclass(frozen=True, slots=True)
class Position:
    """A holding in units; ``market_value`` is the snapshot's own figure, if it brings one."""

    instrument_id: str
    quantity: Decimal
    market_value: Money | None = None
    lots: tuple[TaxLot, ...] = ()


@dataclass(frozen=True, slots=True)
class PortfolioSnapshot:
    """The portfolio before the run."""

    portfolio_id: str
    base_currency: str
    snapshot_id: str | None = None
    positions: tuple[Position, ...] = ()
    cash_balances: tuple[CashBalance, ...] = ()


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one unit in ``currency``."""

    instrument_id: str
    price: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class FxRate:
    """How many units of QUOTE one unit of BASE is worth; ``pair`` is ``BASE/QUOTE``."""

    pair: str
    rate: Decimal


@dataclass(frozen=True, slots=True)
class MarketDataSnapshot:
    """Prices and rates at one point in time."""

    snapshot_id: str | None = None
    prices: tuple[Price, ...] = ()
    fx_rates: tuple[FxRate, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelTarget:
    """An instrument's weight in the model, a fraction of total value."""

    instrument_id: str
    weight: Decimal


@dataclass(frozen=True, slots=True)
class ShelfEntry:
    """Whether an instrument may be traded, and how it is classified."""

    instrument_id: str
    status: ShelfStatus
    asset_class: str = "UNKNOWN"
    issuer_id: str | None = None
    liquidity_tier: str | None = None
    settlement_days: int = 2
    min_notional: Money | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RebalanceRequest:
    """The complete input of a run: the same request always gives the same result."""

    portfolio_snapshot: PortfolioSnapshot
    market_data_snapshot: MarketDataSnapshot
    model_targets: tuple[ModelTarget, ...]
    shelf_entries: tuple[ShelfEntry, ...]
    options: EngineOptions = field(default_factory=EngineOptions)
