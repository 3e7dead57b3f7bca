"""The state that all steps of one run share: the request, its indexes and the journal."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from lotus_web.domain.rebalance.arithmetic import ZERO
from lotus_web.domain.rebalance.market import FxTable, index_prices
from lotus_web.domain.rebalance.values.codes import ValuationMode
from lotus_web.domain.rebalance.values.diagnostics import Journal
from lotus_web.domain.rebalance.values.money import Money
from lotus_web.domain.rebalance.values.options import EngineOptions
from lotus_web.domain.rebalance.values.request import (
    MarketDataSnapshot,
    PortfolioSnapshot,
    Position,
    RebalanceRequest,
    ShelfEntry,
)
from lotus_web.domain.rebalance.values.weight_problem import Solve


class ValuedRequest(Protocol):
    """What any request brings that values a portfolio: a run's and a proposal's alike."""

    @property
    def portfolio_snapshot(self) -> PortfolioSnapshot:
        """The portfolio before any order."""

    @property
    def market_data_snapshot(self) -> MarketDataSnapshot:
        """Prices and exchange rates."""

    @property
    def shelf_entries(self) -> tuple[ShelfEntry, ...]:
        """What may be traded, and how it is classified."""

    @property
    def options(self) -> EngineOptions:
        """How to value and judge."""


class ValuationContext:
    """A view of one request with its indexes, for valuation, simulation and rules.

    ``quotes`` are market prices; ``prices`` are what orders are sized and valued with, the same unless the
    snapshot's own values are trusted (delta 25). ``held`` is the first row of each position.
    """

    __slots__ = ("base", "fx", "held", "journal", "options", "prices", "quotes", "request", "shelf", "trusted")

    def __init__(self, request: ValuedRequest) -> None:
        self.request: ValuedRequest = request
        self.options: EngineOptions = request.options
        self.base = request.portfolio_snapshot.base_currency
        self.journal = Journal()
        self.fx = FxTable(request.market_data_snapshot.fx_rates)
        self.quotes = index_prices(request.market_data_snapshot)
        self.shelf: dict[str, ShelfEntry] = {}
        for entry in request.shelf_entries:
            self.shelf.setdefault(entry.instrument_id, entry)
        self.held: dict[str, Position] = {}
        for position in request.portfolio_snapshot.positions:
            self.held.setdefault(position.instrument_id, position)
        self.trusted: dict[str, Money] = {}
        self.prices = dict(self.quotes)
        if self.options.valuation_mode is ValuationMode.TRUST_SNAPSHOT and not self.options.strict_reference:
            self._trust_snapshot()

    def _trust_snapshot(self) -> None:
        """Price each position that has its own market value at that value per unit; an unusable value counts as missing."""
        for key, position in self.held.items():
            value = position.market_value
            if value is None or position.quantity == ZERO:
                continue
            self.trusted[key] = value
            quote = self.quotes.get(key)
            if quote is None:
                continue
            unit = self._trusted_unit(value, position.quantity, quote.currency)
            if unit is None:
                del self.prices[key]
            else:
                self.prices[key] = Money(unit, quote.currency)

    def _trusted_unit(self, value: Money, quantity: Decimal, currency: str) -> Decimal | None:
        rate = self.fx.rate(value.currency, currency)
        if rate is None:
            self.journal.miss_fx(value.currency, currency)
            return None
        unit = value.amount * rate / quantity
        return unit if unit > ZERO else None

    def rate_to_base(self, currency: str) -> Decimal | None:
        """Return the rate into the base currency; a missing one is noted."""
        rate = self.fx.rate(currency, self.base)
        if rate is None:
            self.journal.miss_fx(currency, self.base)
        return rate

    def base_money(self, amount: Decimal) -> Money:
        """Return an amount of the base currency."""
        return Money(amount, self.base)

    def asset_class(self, instrument_id: str) -> str:
        """Return the shelf's asset class, UNKNOWN off the shelf."""
        entry = self.shelf.get(instrument_id)
        return entry.asset_class if entry else "UNKNOWN"


class RunContext(ValuationContext):
    """A run's view of its request, with the solver that finds target weights."""

    __slots__ = ("solve",)

    request: RebalanceRequest

    def __init__(self, request: RebalanceRequest, solve: Solve) -> None:
        super().__init__(request)
        self.solve = solve
