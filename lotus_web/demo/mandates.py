"""The model portfolios of the demo: eight mandates, fictional by name, made of the instruments of the extract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Mandate:
    """A model and its limits; every weight is a share of the portfolio, and what the model leaves over is cash.

    ``tightened_cap`` is a single-position limit that the model cannot meet, ``group_limit`` a shelf attribute
    with a limit below the model's share that it can meet by shifting to other groups, ``substitute`` an instrument
    outside the model.
    """

    code: str
    name: str
    model: Mapping[str, Decimal]
    cash_band: tuple[Decimal, Decimal]
    single_position_cap: Decimal
    tightened_cap: Decimal
    substitute: str
    group_limit: tuple[str, Decimal]

    @property
    def cash_weight(self) -> Decimal:
        """Return the share of cash that the model leaves over."""
        return 1 - sum(self.model.values(), Decimal(0))


def _mandate(code: str, name: str, model: str, *, band: str, caps: str, substitute: str, limit: str) -> Mandate:
    """Read the compact notation of the table below: ``ID weight%``, ``min max`` and ``cap tightened`` in percent."""
    words = model.split()
    weights = {name: _share(percent) for name, percent in zip(words[::2], words[1::2], strict=True)}
    lowest, highest = map(_share, band.split())
    cap, tightened = map(_share, caps.split())
    group, highest_share = limit.split()
    return Mandate(
        code,
        name,
        weights,
        (lowest, highest),
        cap,
        tightened,
        substitute,
        (group, _share(highest_share)),
    )


def _share(percent: str) -> Decimal:
    return (Decimal(percent) / 100).quantize(Decimal("0.01"))


MANDATES = (
    _mandate(
        "US-GROWTH",
        "US Growth",
        "AAPL 14 MSFT 14 UNH 12 MTUM 12 LLY 11 HD 11 JPM 9 AMD 8 BBY 6",
        band="1 6",
        caps="18 11",
        substitute="WMT",
        limit="sector:TECHNOLOGY 30",
    ),
    _mandate(
        "BALANCED",
        "Balanced 60/40",
        "QUAL 12 USMV 12 VLUE 8 AAPL 5 MSFT 5 JNJ 5 JPM 5 XOM 4 PG 4",
        band="36 44",
        caps="15 8",
        substitute="KO",
        limit="sector:DIVERSIFIED 28",
    ),
    _mandate(
        "INCOME",
        "Dividend Income",
        "JNJ 12 KO 11 PG 11 PEP 10 MRK 10 PFE 9 CVX 9 XOM 9 JPM 8 WMT 7",
        band="2 7",
        caps="15 10",
        substitute="BAC",
        limit="sector:HEALTH_CARE 25",
    ),
    _mandate(
        "TECH",
        "Concentrated Technology",
        "AAPL 28 MSFT 28 MTUM 20 AMD 19",
        band="2 8",
        caps="40 22",
        substitute="QUAL",
        limit="sector:TECHNOLOGY 70",
    ),
    _mandate(
        "DEFENSIVE",
        "Defensive Low Volatility",
        "USMV 22 QUAL 16 JNJ 12 PG 11 KO 10 WMT 10 PEP 8 UNH 7",
        band="2 7",
        caps="25 14",
        substitute="MRK",
        limit="sector:STAPLES 34",
    ),
    _mandate(
        "FACTORS",
        "US Factor Blend",
        "QUAL 22 USMV 22 MTUM 20 VLUE 20 SIZE 14",
        band="1 5",
        caps="28 18",
        substitute="MSFT",
        limit="industry:QUALITY_FUND 18",
    ),
    _mandate(
        "ENERGY",
        "Energy and Industry",
        "XOM 22 CVX 22 GE 16 JPM 15 HD 12 RRC 8",
        band="2 9",
        caps="34 18",
        substitute="BAC",
        limit="sector:ENERGY 45",
    ),
    _mandate(
        "HEALTH",
        "Health Care Leaders",
        "JNJ 22 LLY 20 UNH 20 MRK 19 PFE 16",
        band="1 6",
        caps="30 18",
        substitute="USMV",
        limit="industry:PHARMACEUTICALS 72",
    ),
)
