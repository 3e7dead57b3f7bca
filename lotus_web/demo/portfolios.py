"""Sixty portfolios, built to a model portfolio at a real month-end, that drifted with real prices until their run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from functools import lru_cache
from random import Random
from typing import Any

from lotus_web.demo.mandates import MANDATES, Mandate
from lotus_web.demo.market import PRICE_CURRENCY, load_market
from lotus_web.demo.request_draft import Draft
from lotus_web.demo.schedule import PORTFOLIO_COUNT, minutes_ago, month_plan

HISTORY_MONTHS = 48
VARIANT_COUNT = PORTFOLIO_COUNT * HISTORY_MONTHS
SHORTEST_DRIFT_MONTHS = 3
MANDATES_PER_OWNER = 3
MIN_TRADE = {"amount": "2500", "currency": PRICE_CURRENCY}

# Fictional institutions and their base currencies.
OWNERS = {
    "USD": (
        "Alder Endowment",
        "Bluestone Foundation",
        "Cedar Pension Plan",
        "Drumlin Insurance",
        "Eastwater Trust",
        "Fernhill College Fund",
    ),
    "EUR": (
        "Granit Stiftung",
        "Hafen Pensionskasse",
        "Isola Fondazione",
        "Jura Mutuelle",
        "Kiefer Versorgungswerk",
        "Lumen Fonds",
    ),
    "GBP": ("Moorland Pension Scheme", "Northgate Charity", "Oakham Trust", "Pennine Insurance"),
    "CHF": ("Quarz Vorsorge", "Rhone Caisse", "Silser Stiftung", "Tanne Pensionskasse"),
}


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A fictional portfolio, worth ``start_value`` in ``base`` at its yearly rebuild in ``rebuild_month`` (0..11)."""

    portfolio_id: str
    name: str
    base: str
    mandate: Mandate
    start_value: Decimal
    rebuild_month: int


@dataclass(frozen=True, slots=True)
class DemoRun:
    """One run to record; index 0 is the newest. Runs of one ``variant`` share one ``request`` object, read-only."""

    index: int
    variant: int
    request: Mapping[str, Any]
    idempotency_key: str
    correlation_id: str
    portfolio_id: str
    portfolio_name: str
    offset_minutes: int
    circumstance: str
    expected_status: str


@dataclass(frozen=True, slots=True)
class Variant:
    """A distinct request, and what the runs that use it have in common."""

    request: Mapping[str, Any]
    portfolio: Portfolio
    circumstance: str
    expected_status: str


@lru_cache(maxsize=4)
def demo_portfolios(*, seed: int) -> tuple[Portfolio, ...]:
    """Return the sixty portfolios of a seed, in the order in which the latest month-end meets them."""
    chance = Random(seed)  # nosec B311
    portfolios = []
    for base, owners in OWNERS.items():
        for owner in owners:
            for mandate in chance.sample(MANDATES, MANDATES_PER_OWNER):
                portfolios.append(
                    Portfolio(
                        portfolio_id=f"{owner.split()[0].upper()}-{mandate.code}-{base}",
                        name=f"{owner}, {mandate.name} {base}",
                        base=base,
                        mandate=mandate,
                        start_value=Decimal(chance.randrange(40, 480)) * 100_000,
                        rebuild_month=chance.randrange(12),
                    )
                )
    chance.shuffle(portfolios)
    return tuple(portfolios)


def _rebuilt_at(portfolio: Portfolio, month: int) -> int:
    """Return the last rebuild at least three months before ``month`` (both count month-ends from 2014-01)."""
    latest = month - SHORTEST_DRIFT_MONTHS
    return latest - (latest - portfolio.rebuild_month) % 12


def build_draft(portfolio: Portfolio, month: int) -> Draft:
    """Buy the model in whole units at the rebuild's closes, keep the rest in cash, and let it drift to ``month``."""
    market, rebuilt = load_market(), _rebuilt_at(portfolio, month)
    built, mandate = market[rebuilt], portfolio.mandate
    rate = built.rate(PRICE_CURRENCY, portfolio.base)
    quantities = {
        name: (portfolio.start_value * weight / (built.closes[name] * rate)).to_integral_value(ROUND_DOWN)
        for name, weight in mandate.model.items()
    }
    spent = sum((count * built.closes[name] * rate for name, count in quantities.items()), Decimal(0))
    return Draft(
        portfolio_id=portfolio.portfolio_id,
        base=portfolio.base,
        mandate=mandate,
        before=market[max(0, rebuilt - 6)],
        built=built,
        today=market[month],
        quantities=quantities,
        cash={portfolio.base: portfolio.start_value - spent},
        model=dict(mandate.model),
        options=_options(mandate),
    )


def _options(mandate: Mandate) -> dict[str, Any]:
    """Return the mandate's limits; half a percent of cash is kept so that whole units cannot overdraw."""
    lowest, highest = mandate.cash_band
    return {
        "cash_band_min_weight": str(lowest),
        "cash_band_max_weight": str(highest),
        "min_cash_buffer_pct": "0.005",
        "single_position_max_weight": str(mandate.single_position_cap),
        "min_trade_notional": MIN_TRADE,
    }


@lru_cache(maxsize=VARIANT_COUNT)
def demo_variant(*, seed: int, variant: int) -> Variant:
    """Return one of 2,880 distinct requests: portfolio ``variant % 60``, ``variant // 60`` months before the latest."""
    months_back, place = divmod(variant, PORTFOLIO_COUNT)
    portfolio = demo_portfolios(seed=seed)[place]
    circumstance = month_plan(seed, months_back)[place]
    draft = build_draft(portfolio, len(load_market()) - 1 - months_back)
    circumstance.change(draft)
    return Variant(draft.request(), portfolio, circumstance.name, circumstance.expected_status)


def demo_runs(*, seed: int, count: int) -> Iterator[DemoRun]:
    """Yield ``count`` runs, oldest first; a smaller count gives the newest of a larger one.

    The newest sixty are one run a portfolio at the latest month-end, earlier ones go back month-end by month-end,
    and beyond 2,880 the same requests come again under keys of their own.
    """
    for index in range(count - 1, -1, -1):
        number = index % VARIANT_COUNT
        variant = demo_variant(seed=seed, variant=number)
        yield DemoRun(
            index=index,
            variant=number,
            request=variant.request,
            idempotency_key=f"demo-{variant.portfolio.portfolio_id}-{index:07d}",
            correlation_id=f"corr_demo_{index:07d}",
            portfolio_id=variant.portfolio.portfolio_id,
            portfolio_name=variant.portfolio.name,
            offset_minutes=minutes_ago(index),
            circumstance=variant.circumstance,
            expected_status=variant.expected_status,
        )
