"""The demo as it stands after a load of sixty, computed once."""

from __future__ import annotations

import pytest

from lotus_web.demo.portfolios import DemoRun, demo_runs
from lotus_web.domain.rebalance.engine import rebalance
from lotus_web.domain.rebalance.values.result import RebalanceResult
from lotus_web.services.runs.solver import solve
from lotus_web.wire.rebalance.request import RebalanceRequestBody, request_hash

Computed = list[tuple[DemoRun, RebalanceResult]]


def through_engine(run: DemoRun) -> RebalanceResult:
    """Parse a body as the route does and compute it."""
    body = RebalanceRequestBody.model_validate(run.request)
    return rebalance(body.to_domain(), run_id=f"rr_{run.index:08d}", request_hash=request_hash(body), solve=solve)


@pytest.fixture(scope="package")
def latest() -> Computed:
    """The newest sixty runs of seed 1 with what the engine makes of them."""
    return [(run, through_engine(run)) for run in demo_runs(seed=1, count=60)]


@pytest.fixture(scope="package", params=[1, 2026])
def history(request: pytest.FixtureRequest) -> Computed:
    """Every distinct request of a seed with what the engine makes of it."""
    return [(run, through_engine(run)) for run in demo_runs(seed=request.param, count=2880)]
