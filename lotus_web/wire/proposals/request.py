"""Requests of proposal simulations: parsing and bounds (proposals-api §5.1). Unknown fields are ignored."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from lotus_web.domain.advisory.values import (
    AdvisoryOptions,
    AdvisoryRequest,
    FundingSource,
    ProposedCashFlow,
    ProposedTrade,
    ReferenceModel,
    SuitabilityThresholds,
)
from lotus_web.domain.rebalance.values.codes import ReasonSeverity, Side
from lotus_web.domain.rebalance.values.money import Money
from lotus_web.wire.rebalance.options import EngineOptionsBody, SuitabilityThresholdsBody
from lotus_web.wire.rebalance.request import refuse_duplicate_rows, refuse_twice
from lotus_web.wire.rebalance.snapshot import (
    MarketDataSnapshotBody,
    PortfolioSnapshotBody,
    Rows,
    ShelfEntryBody,
    WireModel,
    money,
)
from lotus_web.wire.scalars import Number, Text, storable_text

MAX_DESCRIPTION = 2_000
INVALID_TRADE = "PROPOSAL_INVALID_TRADE_INPUT"


def _refuse_float(value: object) -> object:
    """Return a text or an integer; raises PydanticCustomError for a JSON number with a fraction, however it was read."""
    if isinstance(value, float | Decimal):
        raise PydanticCustomError("float_not_allowed", "Send this amount as a string or an integer, not as a float")
    return value


ExactNumber = Annotated[Number, BeforeValidator(_refuse_float)]


class ProposedCashFlowBody(WireModel):
    """Money paid in (positive) or out (negative)."""

    intent_type: Literal["CASH_FLOW"] = "CASH_FLOW"
    currency: Text
    amount: ExactNumber
    description: Annotated[str, Field(max_length=MAX_DESCRIPTION), AfterValidator(storable_text)] | None = None

    def to_domain(self) -> ProposedCashFlow:
        """Return the domain's cash flow."""
        return ProposedCashFlow(self.currency, self.amount, self.description)


class TradeNotionalBody(WireModel):
    """The value of a trade in the currency of its price."""

    amount: ExactNumber
    currency: Text

    def to_domain(self) -> Money:
        """Return the domain's money."""
        return Money(self.amount, self.currency)


class ProposedTradeBody(WireModel):
    """A trade by quantity or by notional: exactly one of them, and positive."""

    intent_type: Literal["SECURITY_TRADE"] = "SECURITY_TRADE"
    side: Side
    instrument_id: Text
    quantity: ExactNumber | None = None
    notional: TradeNotionalBody | None = None

    @model_validator(mode="after")
    def _sized_once(self) -> Self:
        if (self.quantity is None) == (self.notional is None):
            raise ValueError(f"{INVALID_TRADE}: give either quantity or notional")
        size = self.quantity if self.notional is None else self.notional.amount
        if size is None or size <= 0:
            raise ValueError(f"{INVALID_TRADE}: the size of a trade must be greater than 0")
        return self

    def to_domain(self) -> ProposedTrade:
        """Return the domain's trade."""
        notional = None if self.notional is None else self.notional.to_domain()
        return ProposedTrade(self.side, self.instrument_id, self.quantity, notional)


class AssetClassTargetBody(WireModel):
    """The weight the model gives an asset class, as a fraction of total value."""

    asset_class: Text
    weight: Number


class InstrumentTargetBody(WireModel):
    """The weight the model gives an instrument, as a fraction of total value."""

    instrument_id: Text
    weight: Number


class ReferenceModelBody(WireModel):
    """The model that drift is measured against; its weights need not add up to one."""

    model_id: Text
    as_of: Text
    base_currency: Text
    asset_class_targets: Rows[AssetClassTargetBody] = Field(default_factory=list)
    instrument_targets: Rows[InstrumentTargetBody] = Field(default_factory=list)

    def to_domain(self) -> ReferenceModel:
        """Return the domain's model."""
        classes: dict[str, Decimal] = {row.asset_class: row.weight for row in self.asset_class_targets}
        instruments: dict[str, Decimal] = {row.instrument_id: row.weight for row in self.instrument_targets}
        return ReferenceModel(self.model_id, self.as_of, self.base_currency, classes, instruments)


def thresholds(body: SuitabilityThresholdsBody) -> SuitabilityThresholds:
    """Return the domain's suitability limits."""
    values = {name: getattr(body, name) for name in SuitabilityThresholds.__dataclass_fields__}
    values["data_quality_issue_severity"] = ReasonSeverity(body.data_quality_issue_severity)
    return SuitabilityThresholds(**values)


def advisory_options(body: EngineOptionsBody) -> AdvisoryOptions:
    """Return the domain's options of a proposal."""
    values = {name: getattr(body, name) for name in AdvisoryOptions.__dataclass_fields__}
    values["min_trade_notional"] = money(body.min_trade_notional)
    values["group_constraints"] = {key: row.max_weight for key, row in body.group_constraints.items()}
    values["suitability_thresholds"] = thresholds(body.suitability_thresholds)
    values["fx_funding_source_currency"] = FundingSource(body.fx_funding_source_currency)
    return AdvisoryOptions(**values)


class SimulateRequestBody(WireModel):
    """The body of a proposal's simulate and artifact, and the heart of create and of a new version."""

    portfolio_snapshot: PortfolioSnapshotBody
    market_data_snapshot: MarketDataSnapshotBody
    shelf_entries: Rows[ShelfEntryBody]
    options: EngineOptionsBody = Field(default_factory=EngineOptionsBody)
    proposed_cash_flows: Rows[ProposedCashFlowBody] = Field(default_factory=list)
    proposed_trades: Rows[ProposedTradeBody] = Field(default_factory=list)
    reference_model: ReferenceModelBody | None = None

    @model_validator(mode="after")
    def _no_duplicates(self) -> Self:
        """Refuse a row that comes twice, naming it (delta 23)."""
        if self.options.strict_reference:
            return self
        refuse_duplicate_rows(self.portfolio_snapshot, self.market_data_snapshot, self.shelf_entries)
        if self.reference_model is not None:
            classes = self.reference_model.asset_class_targets
            instruments = self.reference_model.instrument_targets
            refuse_twice("reference_model.asset_class_targets", "asset class", (row.asset_class for row in classes))
            refuse_twice("reference_model.instrument_targets", "instrument", (row.instrument_id for row in instruments))
        return self

    def to_domain(self) -> AdvisoryRequest:
        """Return the domain's request."""
        return AdvisoryRequest(
            portfolio_snapshot=self.portfolio_snapshot.to_domain(),
            market_data_snapshot=self.market_data_snapshot.to_domain(),
            shelf_entries=tuple(entry.to_domain() for entry in self.shelf_entries),
            cash_flows=tuple(row.to_domain() for row in self.proposed_cash_flows),
            trades=tuple(row.to_domain() for row in self.proposed_trades),
            reference_model=None if self.reference_model is None else self.reference_model.to_domain(),
            options=advisory_options(self.options),
        )
