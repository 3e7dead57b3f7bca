"""The work of a run follows the number of positions; what it takes in seconds is for `make bench`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lotus_web.domain.rebalance.engine import rebalance
from lotus_web.domain.rebalance.values.request import RebalanceRequest
from lotus_web.services.runs.solver import solve
from lotus_web.wire.rebalance.request import RebalanceRequestBody
from tests.support.calls import calls_of
from tests.unit.domain.rebalance.bodies import body


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


def calls(request: RebalanceRequest) -> int:
    return calls_of(lambda: rebalance(request, run_id="rr_1", request_hash="sha256:0", solve=solve))


def every_option(size: int) -> RebalanceRequest:
    return large(
        size,
        group_constraints={f"sector:S{index}": {"max_weight": "0.09"} for index in range(9)},
        max_turnover_pct="0.2",
        enable_tax_awareness=True,
        enable_settlement_awareness=True,
        single_position_max_weight="0.05",
    )


@pytest.mark.parametrize("build", [large, every_option])
def test_work_grows_with_the_size_and_not_with_its_square(build: Callable[[int], RebalanceRequest]) -> None:
    assert calls(build(1000)) < 4.4 * calls(build(250))


@pytest.mark.parametrize("build", [large, every_option])
def test_a_position_costs_a_bounded_number_of_calls(build: Callable[[int], RebalanceRequest]) -> None:
    """`make bench` measures the seconds; this keeps the work behind them from creeping up."""
    assert calls(build(500)) < 160 * 500
