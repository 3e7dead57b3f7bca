"""What makes the portfolios leave their model is what the market did, and nothing else."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotus_web.demo.mandates import MANDATES
from lotus_web.demo.market import load_instruments, load_market
from lotus_web.demo.portfolios import build_draft, demo_portfolios, demo_runs

LATEST_MONTH = len(load_market()) - 1


def test_quantities_are_the_model_at_the_closes_of_the_rebuild() -> None:
    for portfolio in demo_portfolios(seed=1):
        draft = build_draft(portfolio, LATEST_MONTH)
        rate = draft.built.rate("USD", portfolio.base)
        for name, weight in portfolio.mandate.model.items():
            missing = portfolio.start_value * weight - draft.quantities[name] * draft.built.closes[name] * rate
            assert 0 <= missing < draft.built.closes[name] * rate


def test_weights_differ_from_the_model_because_prices_moved() -> None:
    for portfolio in demo_portfolios(seed=1):
        draft = build_draft(portfolio, LATEST_MONTH)
        assert draft.built.date < draft.today.date
        drift = {name: draft.weight(name) - weight for name, weight in portfolio.mandate.model.items()}
        assert max(drift.values()) > Decimal("0.002"), portfolio.portfolio_id
        draft.today = draft.built
        at_rebuild = {name: draft.weight(name) - weight for name, weight in portfolio.mandate.model.items()}
        assert max(map(abs, at_rebuild.values())) < Decimal("0.0005"), portfolio.portfolio_id


def test_a_request_carries_the_closes_and_rates_of_its_day() -> None:
    days = {month.date: month for month in load_market()}
    for run in demo_runs(seed=1, count=600):
        market = run.request["market_data_snapshot"]
        day = days[market["snapshot_id"].removeprefix("month-end@")]
        for row in market["prices"]:
            assert Decimal(row["price"]) == day.closes[row["instrument_id"]]
            assert row["currency"] == "USD"
        for row in market["fx_rates"]:
            assert Decimal(row["rate"]) == day.rate(*row["pair"].split("/"))


def test_a_portfolio_drifts_for_three_months_at_least_and_fourteen_at_most() -> None:
    order = {month.date: number for number, month in enumerate(load_market())}
    for portfolio in demo_portfolios(seed=1):
        for month in range(LATEST_MONTH - 47, LATEST_MONTH + 1):
            draft = build_draft(portfolio, month)
            assert 3 <= month - order[draft.built.date] <= 14


@pytest.mark.parametrize("mandate", MANDATES, ids=lambda mandate: mandate.code)
def test_a_mandate_stands_within_its_own_limits(mandate) -> None:
    assert mandate.cash_band[0] < mandate.cash_weight < mandate.cash_band[1]
    assert max(mandate.model.values()) < mandate.single_position_cap
    assert max(mandate.model.values()) > mandate.tightened_cap
    assert {*mandate.model, mandate.substitute} <= load_instruments().keys()
    assert mandate.substitute not in mandate.model
