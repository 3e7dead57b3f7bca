"""The work of a simulation follows the number of positions and trades; what it takes in seconds is for `make bench`."""

from __future__ import annotations

import pytest

from lotus_web.domain.advisory.engine import simulate_proposal
from lotus_web.domain.advisory.values import AdvisoryRequest
from lotus_web.wire.proposals.request import SimulateRequestBody
from tests.support.calls import calls_of
from tests.unit.domain.advisory.bodies import proposal


def large(size: int) -> AdvisoryRequest:
    names = [f"EQ_{index:04d}" for index in range(size)]
    currencies = ["SGD", "USD", "EUR", "JPY"]
    document = proposal(
        cash=dict.fromkeys(currencies, "100000"),
        held={name: 1 + 37 * index % 400 for index, name in enumerate(names)},
        prices={name: (f"{1 + index % 90}.{index % 10}", currencies[index % 4]) for index, name in enumerate(names)},
        fx={"USD/SGD": "1.35", "EUR/SGD": "1.46", "SGD/JPY": "111.3"},
        trades=[("BUY" if index % 2 else "SELL", name, 1) for index, name in enumerate(names[: size // 5])],
        suitability_thresholds={},
    )
    return SimulateRequestBody.model_validate(document).to_domain()


@pytest.mark.parametrize("size", [250, 500])
def test_twice_the_positions_and_trades_are_at_most_twice_the_work(size: int) -> None:
    def work(positions: int) -> int:
        request = large(positions)
        return calls_of(lambda: simulate_proposal(request, run_id="pr_1", correlation_id="c", request_hash="h"))

    assert work(2 * size) <= 2.2 * work(size)
