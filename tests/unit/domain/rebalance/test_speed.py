"""A run over five hundred positions is quick, and twice the positions take about twice the time."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from lotus_web.domain.rebalance.engine import rebalance
from lotus_web.domain.rebalance.request import RebalanceRequest
from lotus_web.wire.rebalance_request import RebalanceRequestBody
from tests.unit.domain.rebalance.bodies import body

BUDGET_SECONDS = 0.050


def large(size: int, **options: Any) -> RebalanceRequest:
    names = [f"EQ_{index:04d}" for index in range(size)]
    currencies = ["SGD", "USD", "EUR", "JPY"]
    document = body(
        cash=dict.fromkeys(currencies, "100000"),
        held={name: 1 + 37 * index % 400 for index, name in enumerate(names)},
        prices={name: (f"{1 + index % 90}.{index % 10}", currencies[index % 4]) for index, name in enumerate(names)},
        fx={"USD/SGD": "1.35", "EUR/SGD": "1.46", "SGD/JPY": "111.3"},
        model=dict.fromkeys(names, f"{0.9 / size:.6f}"),
        shelf={name: {"attributes": {"sector": f"S{index % 10}"}} for index, name in enumerate(names)},
        **options,
    )
    return RebalanceRequestBody.model_validate(document).to_domain()


def best_time(request: RebalanceRequest, tries: int = 7) -> float:
    times = []
    for _ in range(tries):
        start = perf_counter()
        rebalance(request, run_id="rr_1", request_hash="sha256:0")
        times.append(perf_counter() - start)
    return min(times)


def test_five_hundred_positions_take_less_than_fifty_milliseconds() -> None:
    assert best_time(large(500)) < BUDGET_SECONDS


def test_every_option_together_stays_within_the_budget() -> None:
    constraints = {f"sector:S{index}": {"max_weight": "0.09"} for index in range(9)}
    request = large(
        500,
        group_constraints=constraints,
        max_turnover_pct="0.2",
        enable_tax_awareness=True,
        enable_settlement_awareness=True,
        single_position_max_weight="0.05",
    )
    assert best_time(request) < BUDGET_SECONDS


def test_time_grows_with_the_size_and_not_with_its_square() -> None:
    assert best_time(large(2000)) < 8 * best_time(large(500))
