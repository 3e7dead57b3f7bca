"""One portfolio on one day, open to change, and the request body that it becomes (engine §1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any

from lotus_web.demo.mandates import Mandate
from lotus_web.demo.market import PRICE_CURRENCY, Instrument, MarketMonth, load_instruments

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Lot:
    """A purchase at a real earlier close, ``unit_cost`` in USD."""

    lot_id: str
    quantity: Decimal
    unit_cost: Decimal
    purchase_date: str


@dataclass(slots=True)
class Draft:
    """What a circumstance may change before the request is written down; money in the base currency unless said."""

    portfolio_id: str
    base: str
    mandate: Mandate
    before: MarketMonth
    built: MarketMonth
    today: MarketMonth
    quantities: dict[str, Decimal]
    cash: dict[str, Decimal]
    model: dict[str, Decimal]
    options: dict[str, Any]
    shelf_status: dict[str, str] = field(default_factory=dict)
    settlement_days: dict[str, int] = field(default_factory=dict)
    lots: dict[str, tuple[Lot, ...]] = field(default_factory=dict)
    off_shelf: set[str] = field(default_factory=set)
    unpriced: set[str] = field(default_factory=set)
    unquoted: set[str] = field(default_factory=set)

    def price(self, instrument_id: str) -> Decimal:
        """Return today's close in the base currency."""
        return self.today.closes[instrument_id] * self.today.rate(PRICE_CURRENCY, self.base)

    @property
    def value(self) -> Decimal:
        """Return what the portfolio is worth today, foreign cash included."""
        held = sum((count * self.price(name) for name, count in self.quantities.items()), Decimal(0))
        return held + sum((amount * self.today.rate(name, self.base) for name, amount in self.cash.items()), Decimal(0))

    def weight(self, instrument_id: str) -> Decimal:
        """Return today's share of the portfolio, drift included."""
        return self.quantities.get(instrument_id, Decimal(0)) * self.price(instrument_id) / self.value

    def instruments(self) -> Iterator[str]:
        """Yield what the model or the portfolio holds, each once, model first."""
        yield from dict.fromkeys([*self.model, *self.quantities])

    def request(self) -> dict[str, Any]:
        """Return the JSON body; rows that portfolios share are one object, so callers must not change them."""
        return {
            "portfolio_snapshot": {
                "snapshot_id": f"{self.portfolio_id}@{self.today.date}",
                "portfolio_id": self.portfolio_id,
                "base_currency": self.base,
                "positions": [self._position(name) for name in self.quantities],
                "cash_balances": [
                    {"currency": name, "amount": _text(amount.quantize(CENT))} for name, amount in self.cash.items()
                ],
            },
            "market_data_snapshot": {
                "snapshot_id": f"month-end@{self.today.date}",
                "prices": [
                    _price_row(self.today.date, name, self.today.closes[name])
                    for name in self.instruments()
                    if name not in self.unpriced
                ],
                "fx_rates": [
                    _rate_row(self.today.date, name, self.base, self.today.rate(name, self.base))
                    for name in self._foreign()
                    if name not in self.unquoted
                ],
            },
            "model_portfolio": {
                "targets": [{"instrument_id": name, "weight": _text(weight)} for name, weight in self.model.items()]
            },
            "shelf_entries": [self._shelf_row(name) for name in self.instruments() if name not in self.off_shelf],
            "options": dict(self.options),
        }

    def _foreign(self) -> list[str]:
        return [name for name in dict.fromkeys([PRICE_CURRENCY, *self.cash]) if name != self.base]

    def _position(self, name: str) -> dict[str, Any]:
        row: dict[str, Any] = {"instrument_id": name, "quantity": _text(self.quantities[name])}
        if name in self.lots:
            row["lots"] = [_lot_row(lot) for lot in self.lots[name]]
        return row

    def _shelf_row(self, name: str) -> Mapping[str, Any]:
        return _shelf_entry(
            load_instruments()[name], self.shelf_status.get(name, "APPROVED"), self.settlement_days.get(name, 2)
        )


def _text(number: Decimal) -> str:
    return format(number, "f")


def _lot_row(lot: Lot) -> dict[str, Any]:
    return {
        "lot_id": lot.lot_id,
        "quantity": _text(lot.quantity),
        "purchase_date": lot.purchase_date,
        "unit_cost": {"amount": _text(lot.unit_cost), "currency": PRICE_CURRENCY},
    }


@cache
def _price_row(date: str, name: str, close: Decimal) -> Mapping[str, str]:
    return {"instrument_id": name, "price": _text(close), "currency": PRICE_CURRENCY}


@cache
def _rate_row(date: str, currency: str, base: str, rate: Decimal) -> Mapping[str, str]:
    return {"pair": f"{currency}/{base}", "rate": _text(rate)}


@cache
def _shelf_entry(instrument: Instrument, status: str, settlement_days: int) -> Mapping[str, Any]:
    return {
        "instrument_id": instrument.instrument_id,
        "status": status,
        "asset_class": instrument.asset_class,
        "issuer_id": instrument.issuer_id,
        "liquidity_tier": instrument.liquidity_tier,
        "settlement_days": settlement_days,
        "attributes": {"sector": instrument.sector, "industry": instrument.industry},
    }
