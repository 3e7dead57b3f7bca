"""Many callers at once: one run for a key, one decision on a run (deltas 2 and 8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.contract.callers import Caller, review_request
from tests.contract.conftest import MakeCaller
from tests.servers.patience import PATIENCE

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")
CALLERS = 6


def at_once(app: Flask, caller: Caller, act: Callable[[Caller, int], TestResponse]) -> list[TestResponse]:
    """Let ``CALLERS`` threads act together, each with a client of its own."""
    gate = Barrier(CALLERS)

    def run(number: int) -> TestResponse:
        own = Caller(app.test_client(), caller.account, caller.bearer)
        gate.wait(timeout=PATIENCE)
        return act(own, number)

    with ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(run, range(CALLERS)))


def test_one_key_is_one_run(app: Flask, engine: Caller) -> None:
    answers = at_once(app, engine, lambda own, number: own.simulate(key="friday", correlation=f"c{number}"))
    assert [answer.status_code for answer in answers] == [200] * CALLERS
    assert len({answer.data for answer in answers}) == 1
    assert len(engine.get("/rebalance/runs").json["items"]) == 1


def test_one_correlation_id_is_as_many_runs_as_keys(app: Flask, engine: Caller) -> None:
    answers = at_once(app, engine, lambda own, number: own.simulate(key=f"k{number}", correlation="desk"))
    assert [answer.status_code for answer in answers] == [200] * CALLERS
    assert len(engine.get("/rebalance/runs").json["items"]) == CALLERS


def test_one_decision_wins(app: Flask, engine: Caller, make_caller: MakeCaller) -> None:
    run_id = engine.run(review_request())["rebalance_run_id"]
    reviewer = make_caller("rosa.reviewer")
    answers = at_once(app, reviewer, lambda own, _: own.decide(run_id))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: CALLERS - 1}
    refused = [answer.json for answer in answers if answer.status_code == 409]
    assert refused == [{"detail": "DPM_WORKFLOW_INVALID_TRANSITION"}] * (CALLERS - 1)
    history = reviewer.get(f"/rebalance/runs/{run_id}/workflow/history").json["decisions"]
    assert [decision["action"] for decision in history] == ["APPROVE"]
