"""Prices and exchange rates by id, looked up once per run (engine §3.1, delta 22)."""

from __future__ import annotations

from decimal import Decimal

from lotus_web.domain.rebalance.arithmetic import ONE, ZERO
from lotus_web.domain.rebalance.values.money import Money
from lotus_web.domain.rebalance.values.request import FxRate, MarketDataSnapshot, Price


def index_prices(market: MarketDataSnapshot) -> dict[str, Money]:
    """Return the first price of each instrument; a price that is not positive counts as missing."""
    first: dict[str, Price] = {}
    for row in market.prices:
        first.setdefault(row.instrument_id, row)
    return {key: Money(row.price, row.currency) for key, row in first.items() if row.price > ZERO}


def index_rates(rows: tuple[FxRate, ...]) -> dict[str, Decimal]:
    """Return the first positive rate of each pair text ``BASE/QUOTE``."""
    rates: dict[str, Decimal] = {}
    for row in rows:
        if row.rate > ZERO:
            rates.setdefault(row.pair, row.rate)
    return rates


class FxTable:
    """Rates between currencies: direct, else inverse, never through a third currency."""

    __slots__ = ("_known", "_rates")

    def __init__(self, rows: tuple[FxRate, ...]) -> None:
        self._rates = index_rates(rows)
        self._known: dict[tuple[str, str], Decimal | None] = {}

    def rate(self, source: str, target: str) -> Decimal | None:
        """Return how many ``target`` one ``source`` is worth, or None when no rate is known."""
        if source == target:
            return ONE
        key = (source, target)
        if key not in self._known:
            self._known[key] = self._look_up(source, target)
        return self._known[key]

    def _look_up(self, source: str, target: str) -> Decimal | None:
        direct = self._rates.get(f"{source}/{target}")
        if direct is not None:
            return direct
        inverse = self._rates.get(f"{target}/{source}")
        return None if inverse is None else ONE / inverse
