"""Portfolio, market data, model and shelf in a request (engine §1.1-1.2). Unknown fields are ignored."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.identifiers import check_visible
from lotus_web.domain.rebalance.values.codes import ShelfStatus
from lotus_web.domain.rebalance.values.money import Money
from lotus_web.domain.rebalance.values.request import (
    FxRate,
    MarketDataSnapshot,
    ModelTarget,
    PortfolioSnapshot,
    Position,
    Price,
    ShelfEntry,
    TaxLot,
)
from lotus_web.domain.rebalance.values.state import CashBalance
from lotus_web.wire.scalars import MAX_TEXT, Number, Text

MAX_ROWS = 10_000
MAX_ATTRIBUTES = 100
PORTFOLIO_ID_SCHEMA: dict[str, JsonValue] = {"minLength": 1, "maxLength": MAX_TEXT}
LOT_TOLERANCE = Decimal("0.0001")

Row = TypeVar("Row")
Rows = Annotated[list[Row], Field(max_length=MAX_ROWS)]


class WireModel(BaseModel):
    """The base of every parsed object: unknown fields are ignored and instances are immutable."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class MoneyBody(WireModel):
    """An amount and its currency."""

    amount: Number
    currency: Text

    def to_domain(self) -> Money:
        """Return the domain's money."""
        return Money(self.amount, self.currency)


def money(body: MoneyBody | None) -> Money | None:
    """Return optional money for the domain."""
    return None if body is None else body.to_domain()


class TaxLotBody(WireModel):
    """One purchase; the date is text and is not read as a date."""

    lot_id: Text
    quantity: Annotated[Number, Field(ge=0)]
    unit_cost: MoneyBody
    purchase_date: Text

    def to_domain(self) -> TaxLot:
        """Return the domain's lot."""
        return TaxLot(self.lot_id, self.quantity, self.unit_cost.to_domain(), self.purchase_date)


class PositionBody(WireModel):
    """A holding; its lots, if any, add up to its quantity."""

    instrument_id: Text
    quantity: Number
    market_value: MoneyBody | None = None
    lots: Rows[TaxLotBody] = Field(default_factory=list)

    @model_validator(mode="after")
    def _lots_add_up(self) -> Self:
        total = sum((lot.quantity for lot in self.lots), Decimal(0))
        if self.lots and abs(total - self.quantity) > LOT_TOLERANCE:
            raise ValueError("sum(lot.quantity) must equal position.quantity within 0.0001")
        return self

    def to_domain(self) -> Position:
        """Return the domain's position."""
        lots = tuple(lot.to_domain() for lot in self.lots)
        return Position(self.instrument_id, self.quantity, money(self.market_value), lots)


class CashBalanceBody(WireModel):
    """A cash row."""

    currency: Text
    amount: Number
    settled: Number | None = None
    pending: Number | None = None

    def to_domain(self) -> CashBalance:
        """Return the domain's cash row."""
        return CashBalance(self.currency, self.amount, self.settled, self.pending)


def visible_portfolio_id(value: str) -> str:
    """Return a portfolio id of visible characters; raises PydanticCustomError for any other."""
    try:
        return check_visible(value, "portfolio_id", longest=MAX_TEXT, loc=())
    except InvalidInput as wrong:
        raise PydanticCustomError(wrong.code, wrong.message) from None


class PortfolioSnapshotBody(WireModel):
    """The portfolio before the run."""

    snapshot_id: Text | None = None
    portfolio_id: Annotated[
        str,
        AfterValidator(visible_portfolio_id),
        Field(description="visible characters, no space at either end", json_schema_extra=PORTFOLIO_ID_SCHEMA),
    ]
    base_currency: Text
    positions: Rows[PositionBody] = Field(default_factory=list)
    cash_balances: Rows[CashBalanceBody] = Field(default_factory=list)

    def to_domain(self) -> PortfolioSnapshot:
        """Return the domain's snapshot."""
        return PortfolioSnapshot(
            portfolio_id=self.portfolio_id,
            base_currency=self.base_currency,
            snapshot_id=self.snapshot_id,
            positions=tuple(row.to_domain() for row in self.positions),
            cash_balances=tuple(row.to_domain() for row in self.cash_balances),
        )


class PriceBody(WireModel):
    """The price of one unit; one that is not positive counts as missing."""

    instrument_id: Text
    price: Number
    currency: Text


class FxRateBody(WireModel):
    """A rate for ``BASE/QUOTE``; one that is not positive counts as missing."""

    pair: Text
    rate: Number


class MarketDataSnapshotBody(WireModel):
    """Prices and rates at one point in time."""

    snapshot_id: Text | None = None
    prices: Rows[PriceBody] = Field(default_factory=list)
    fx_rates: Rows[FxRateBody] = Field(default_factory=list)

    def to_domain(self) -> MarketDataSnapshot:
        """Return the domain's market data."""
        return MarketDataSnapshot(
            snapshot_id=self.snapshot_id,
            prices=tuple(Price(row.instrument_id, row.price, row.currency) for row in self.prices),
            fx_rates=tuple(FxRate(row.pair, row.rate) for row in self.fx_rates),
        )


class ModelTargetBody(WireModel):
    """An instrument's weight in the model, a fraction of total value."""

    instrument_id: Text
    weight: Number


class ModelPortfolioBody(WireModel):
    """The model; an empty list is a model of cash."""

    targets: Rows[ModelTargetBody]

    def to_domain(self) -> tuple[ModelTarget, ...]:
        """Return the domain's targets."""
        return tuple(ModelTarget(row.instrument_id, row.weight) for row in self.targets)


class ShelfEntryBody(WireModel):
    """Whether an instrument may be traded, and how it is classified."""

    instrument_id: Text
    status: ShelfStatus
    asset_class: Text = "UNKNOWN"
    issuer_id: Text | None = None
    liquidity_tier: Literal["L1", "L2", "L3", "L4", "L5"] | None = None
    settlement_days: int = Field(default=2, ge=0, le=10)
    min_notional: MoneyBody | None = None
    attributes: dict[Text, Text] = Field(default_factory=dict, max_length=MAX_ATTRIBUTES)

    def to_domain(self) -> ShelfEntry:
        """Return the domain's shelf entry."""
        return ShelfEntry(
            instrument_id=self.instrument_id,
            status=self.status,
            asset_class=self.asset_class,
            issuer_id=self.issuer_id,
            liquidity_tier=self.liquidity_tier,
            settlement_days=self.settlement_days,
            min_notional=money(self.min_notional),
            attributes=self.attributes,
        )
