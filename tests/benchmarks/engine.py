"""The engines on a large portfolio, without a store."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from lotus_web.domain.advisory.engine import simulate_proposal
from lotus_web.domain.rebalance.engine import rebalance
from lotus_web.services.runs.solver import solve
from lotus_web.wire.proposals.request import SimulateRequestBody
from lotus_web.wire.rebalance.request import RebalanceRequestBody

POSITIONS = 500
TRADES = 100


def large_request() -> RebalanceRequestBody:
    """Return a request with 500 positions in three currencies, half of them in the model."""
    currencies = ("USD", "EUR", "CHF")
    names = [f"INSTRUMENT_{number:03d}" for number in range(POSITIONS)]
    return RebalanceRequestBody.model_validate(
        {
            "portfolio_snapshot": {
                "portfolio_id": "large",
                "base_currency": "USD",
                "positions": [{"instrument_id": name, "quantity": str(100 + n % 7)} for n, name in enumerate(names)],
                "cash_balances": [{"currency": "USD", "amount": "100000"}],
            },
            "market_data_snapshot": {
                "prices": [
                    {"instrument_id": name, "price": str(20 + n % 50), "currency": currencies[n % 3]}
                    for n, name in enumerate(names)
                ],
                "fx_rates": [{"pair": "EUR/USD", "rate": "1.08"}, {"pair": "CHF/USD", "rate": "1.13"}],
            },
            "model_portfolio": {"targets": [{"instrument_id": name, "weight": "0.0039"} for name in names[::2]]},
            "shelf_entries": [{"instrument_id": name, "status": "APPROVED", "asset_class": "EQUITY"} for name in names],
            "options": {"single_position_max_weight": "0.05"},
        }
    )


def large_proposal() -> SimulateRequestBody:
    """Return a proposal of 100 trades on the same portfolio: it sells some, and buys others in three currencies."""
    whole = large_request().model_dump(mode="json")
    names = [row["instrument_id"] for row in whole["shelf_entries"]]
    sides = ("BUY", "BUY", "SELL")
    trades = [
        {"side": sides[n % 3], "instrument_id": name, "quantity": str(1 + n % 5)}
        for n, name in enumerate(names[:: POSITIONS // TRADES])
    ]
    return SimulateRequestBody.model_validate({**whole, "proposed_trades": trades})


def engine_figure() -> float:
    """Return the median milliseconds of one run of the engine."""
    request = large_request().to_domain()
    return _median_ms(
        lambda: rebalance(request, run_id="rr_0", correlation_id="c", request_hash="sha256:0", solve=solve)
    )


def advisory_figure() -> float:
    """Return the median milliseconds of one simulation of a proposal."""
    request = large_proposal().to_domain()
    return _median_ms(lambda: simulate_proposal(request, run_id="pr_0", correlation_id="c", request_hash="sha256:0"))


def _median_ms(work: Callable[[], object], times: int = 20) -> float:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)
