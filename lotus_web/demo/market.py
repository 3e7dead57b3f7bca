"""The committed extract of real month-end closes and ECB reference rates (see ``data/SOURCES.md``)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

DATA_FOLDER = Path(__file__).parent / "data"
PRICE_CURRENCY = "USD"
RATE_STEP = Decimal("0.00000001")


@dataclass(frozen=True, slots=True)
class Instrument:
    """One line of the demo shelf; ``liquidity_tier`` is L1 (most liquid) to L5."""

    instrument_id: str
    name: str
    asset_class: str
    sector: str
    industry: str
    issuer_id: str
    liquidity_tier: str


@dataclass(frozen=True, slots=True)
class MarketMonth:
    """One month-end: ``closes`` in USD by instrument, ``per_euro`` in units of a currency for one EUR."""

    date: str
    closes: Mapping[str, Decimal]
    per_euro: Mapping[str, Decimal]

    def rate(self, currency: str, base: str) -> Decimal:
        """Return what one unit of ``currency`` costs in ``base``, crossed through the euro, 8 decimal places."""
        return (self.per_euro[base] / self.per_euro[currency]).quantize(RATE_STEP)


def _read(name: str) -> list[dict[str, str]]:
    with (DATA_FOLDER / name).open(encoding="ascii", newline="") as lines:
        return list(csv.DictReader(lines))


def _numbers(row: Mapping[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(text) for name, text in row.items() if name != "date"}


@cache
def load_market() -> tuple[MarketMonth, ...]:
    """Return the 108 month-ends, oldest first; a day that only one file has raises ``ValueError``."""
    pairs = zip(_read("closes.csv"), _read("ecb_rates.csv"), strict=True)
    months = []
    for closes, rates in pairs:
        if closes["date"] != rates["date"]:
            raise ValueError(f"closes.csv has {closes['date']} where ecb_rates.csv has {rates['date']}")
        months.append(MarketMonth(closes["date"], _numbers(closes), {"EUR": Decimal(1), **_numbers(rates)}))
    return tuple(months)


@cache
def load_instruments() -> Mapping[str, Instrument]:
    """Return the 25 instruments by id."""
    return {row["instrument_id"]: Instrument(**row) for row in _read("instruments.csv")}
