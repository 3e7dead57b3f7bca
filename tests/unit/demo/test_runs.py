"""The generator: the same seed gives the same runs, a longer load only adds older ones, and a million are cheap."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from itertools import islice, pairwise

from lotus_web.demo.portfolios import VARIANT_COUNT, demo_portfolios, demo_runs, demo_variant


def test_the_same_seed_gives_the_same_runs() -> None:
    first = list(demo_runs(seed=7, count=300))
    demo_variant.cache_clear()
    demo_portfolios.cache_clear()
    assert list(demo_runs(seed=7, count=300)) == first


def test_another_seed_gives_other_portfolios() -> None:
    assert demo_portfolios(seed=1) != demo_portfolios(seed=2)


def test_a_longer_load_only_adds_older_runs() -> None:
    assert list(demo_runs(seed=1, count=200))[-60:] == list(demo_runs(seed=1, count=60))


def test_the_newest_sixty_are_one_run_a_portfolio_in_four_currencies() -> None:
    runs = list(demo_runs(seed=1, count=60))
    assert len({run.portfolio_id for run in runs}) == 60
    assert len({run.portfolio_name for run in runs}) == 60
    bases = Counter(run.request["portfolio_snapshot"]["base_currency"] for run in runs)
    assert bases.keys() == {"USD", "EUR", "GBP", "CHF"}
    assert min(bases.values()) >= 12


def test_runs_come_oldest_first_and_none_is_in_the_future() -> None:
    offsets = [run.offset_minutes for run in demo_runs(seed=1, count=12_000)]
    assert all(older > newer for older, newer in pairwise(offsets))
    assert offsets[-1] > 0


def test_keys_and_correlations_are_never_used_twice() -> None:
    runs = list(demo_runs(seed=1, count=6_000))
    assert len({run.idempotency_key for run in runs}) == len(runs)
    assert len({run.correlation_id for run in runs}) == len(runs)


def test_runs_of_one_variant_share_one_request() -> None:
    by_variant: dict[int, object] = {}
    for run in demo_runs(seed=1, count=2 * VARIANT_COUNT):
        assert by_variant.setdefault(run.variant, run.request) is run.request
    assert len(by_variant) == VARIANT_COUNT
    assert len({json.dumps(request) for request in by_variant.values()}) == VARIANT_COUNT


def test_earlier_runs_of_a_portfolio_are_of_earlier_month_ends() -> None:
    run_of_june, run_of_july = demo_variant(seed=1, variant=6 * 60 + 4), demo_variant(seed=1, variant=5 * 60 + 4)
    assert run_of_june.portfolio == run_of_july.portfolio
    assert run_of_june.request["market_data_snapshot"]["snapshot_id"] == "month-end@2022-06-30"
    assert run_of_july.request["market_data_snapshot"]["snapshot_id"] == "month-end@2022-07-29"


def test_numbers_are_written_as_plain_decimal_text() -> None:
    for run in demo_runs(seed=1, count=60):
        portfolio, market = run.request["portfolio_snapshot"], run.request["market_data_snapshot"]
        texts = [row["quantity"] for row in portfolio["positions"]]
        texts += [row["amount"] for row in portfolio["cash_balances"]]
        texts += [row["price"] for row in market["prices"]] + [row["rate"] for row in market["fx_rates"]]
        texts += [row["weight"] for row in run.request["model_portfolio"]["targets"]]
        assert all(isinstance(text, str) and "E" not in text and Decimal(text) >= 0 for text in texts)


def test_a_million_runs_are_drawn_one_at_a_time() -> None:
    drawn = demo_runs(seed=1, count=1_000_000)
    assert [run.index for run in islice(drawn, 3)] == [999_999, 999_998, 999_997]
