"""The engine on a large portfolio, without a store."""

from __future__ import annotations

import statistics
import time

from lotus_web.domain.rebalance.engine import rebalance
from lotus_web.services.runs.solver import solve
from lotus_web.wire.rebalance.request import RebalanceRequestBody

POSITIONS = 500


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


def engine_figure(times: int = 20) -> float:
    """Return the median milliseconds of one run of the engine."""
    request = large_request().to_domain()
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        rebalance(request, run_id="rr_0", correlation_id="c", request_hash="sha256:0", solve=solve)
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)
