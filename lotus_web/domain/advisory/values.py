"""What a proposal is simulated from: cash flows, trades, reference model and options (proposals-api §5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from lotus_web.domain.rebalance.values.codes import ReasonSeverity, Side
from lotus_web.domain.rebalance.values.money import Money
from lotus_web.domain.rebalance.values.options import EngineOptions
from lotus_web.domain.rebalance.values.request import MarketDataSnapshot, PortfolioSnapshot, ShelfEntry


class FundingSource(StrEnum):
    """Which cash may pay for a foreign purchase: the base currency alone, or any balance that is held."""

    BASE_ONLY = "BASE_ONLY"
    ANY_CASH = "ANY_CASH"


@dataclass(frozen=True, slots=True)
class ProposedCashFlow:
    """Money paid in (positive) or out (negative)."""

    currency: str
    amount: Decimal
    description: str | None = None


@dataclass(frozen=True, slots=True)
class ProposedTrade:
    """A trade of ``quantity`` units or for ``notional``; exactly one of the two is given and it is positive."""

    side: Side
    instrument_id: str
    quantity: Decimal | None = None
    notional: Money | None = None


@dataclass(frozen=True, slots=True)
class ReferenceModel:
    """The weights that drift is measured against, as fractions of total value; they need not add up to one."""

    model_id: str
    as_of: str
    base_currency: str
    asset_class_targets: Mapping[str, Decimal] = field(default_factory=dict)
    instrument_targets: Mapping[str, Decimal] = field(default_factory=dict)


def _tier_limits() -> dict[str, Decimal]:
    return {"L4": Decimal("0.10"), "L5": Decimal("0.05")}


@dataclass(frozen=True, slots=True)
class SuitabilityThresholds:
    """Limits of the suitability scan, as fractions of total value (proposals-api §5.4)."""

    single_position_max_weight: Decimal = Decimal("0.10")
    issuer_max_weight: Decimal = Decimal("0.20")
    max_weight_by_liquidity_tier: Mapping[str, Decimal] = field(default_factory=_tier_limits)
    cash_band_min_weight: Decimal = Decimal("0.01")
    cash_band_max_weight: Decimal = Decimal("0.05")
    data_quality_issue_severity: ReasonSeverity = ReasonSeverity.MEDIUM


@dataclass(frozen=True, slots=True)
class AdvisoryOptions(EngineOptions):
    """The options of a run and those that only proposals read.

    ``drift_top_contributors_limit`` is a number of rows (1 to 20); ``drift_unmodeled_exposure_threshold`` is a fraction of
    total value. ``strict_reference`` rounds funding half-even, as the reference does (delta 35).
    """

    proposal_block_negative_cash: bool = True
    enable_drift_analytics: bool = True
    enable_instrument_drift: bool = True
    drift_top_contributors_limit: int = 5
    drift_unmodeled_exposure_threshold: Decimal = Decimal("0.01")
    enable_suitability_scanner: bool = True
    suitability_thresholds: SuitabilityThresholds = field(default_factory=SuitabilityThresholds)
    auto_funding: bool = True
    fx_funding_source_currency: FundingSource = FundingSource.ANY_CASH


@dataclass(frozen=True, slots=True)
class AdvisoryRequest:
    """Everything a simulation depends on: the same request always gives the same result."""

    portfolio_snapshot: PortfolioSnapshot
    market_data_snapshot: MarketDataSnapshot
    shelf_entries: tuple[ShelfEntry, ...]
    cash_flows: tuple[ProposedCashFlow, ...] = ()
    trades: tuple[ProposedTrade, ...] = ()
    reference_model: ReferenceModel | None = None
    options: AdvisoryOptions = field(default_factory=AdvisoryOptions)
