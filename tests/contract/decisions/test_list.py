"""Decisions across runs: filters, bounds, order and cursors (dpm-api §8.1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from lotus_web.api.rebalance.schemas.decisions import DecisionList
from tests.contract.callers import Caller, review_request
from tests.contract.rows import add_decisions

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LIST = "/rebalance/workflow/decisions"


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["decision_id"] for item in answer.json["items"]]


@pytest.fixture
def six(app: Flask) -> list[str]:
    """Six decisions a minute apart: action and person change every time, in threes."""
    return add_decisions(app, 6, start=NOON)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [5, 4, 3, 2, 1, 0]),
        ({"action": "APPROVE"}, [3, 0]),
        ({"actor_id": "person-1"}, [4, 1]),
        ({"reason_code": "REASON_0"}, [4, 0]),
        ({"reason_code": "not a code"}, []),
        ({"rebalance_run_id": "rr_2"}, [2]),
        ({"run_id": "rr_2"}, [5, 4, 3, 2, 1, 0]),
        ({"actor_id": ""}, []),
        ({"rebalance_run_id": ""}, []),
        ({"action": "REJECT", "actor_id": "person-1", "limit": "1"}, [4]),
        ({"from_": "2026-03-02T12:04:00Z"}, [5, 4]),
        ({"to": "2026-03-02T13:01:00+01:00"}, [1, 0]),
    ],
)
def test_filters_and_bounds(engine: Caller, six: list[str], query: dict[str, str], expected: list[int]) -> None:
    assert ids(engine.get(LIST, **query)) == [six[index] for index in expected]


@pytest.mark.parametrize(
    ("query", "loc"),
    [("action=approve", "action"), ("action=", "action"), ("limit=0", "limit"), ("from=x", "from")],
)
def test_a_parameter_that_cannot_be_is_named(engine: Caller, query: str, loc: str) -> None:
    answer = engine.get(f"{LIST}?{query}")
    assert (answer.status_code, answer.json["detail"][0]["loc"]) == (422, ["query", loc])


@pytest.mark.parametrize("cursor", ["", "dwd_000000000001"])
def test_a_cursor_that_the_list_did_not_give_out_is_refused(engine: Caller, cursor: str) -> None:
    assert engine.get(f"{LIST}?cursor={cursor}").json == {"detail": "INVALID_CURSOR"}


def test_a_walk_sees_every_decision_once_while_others_are_taken(engine: Caller, app: Flask) -> None:
    old = add_decisions(app, 50, start=NOON, step=timedelta(0))
    seen, cursor = [], None
    while True:
        answer = engine.get(LIST, limit=7, **({"cursor": cursor} if cursor else {}))
        seen += ids(answer)
        cursor = answer.json["next_cursor"]
        if cursor is None:
            break
        add_decisions(app, 2, start=datetime.now(UTC), batch=f"new{len(seen)}")
    assert seen == old[::-1]


def test_a_decision_reads_the_same_in_the_list_and_in_the_history(engine: Caller, reviewer: Caller) -> None:
    run_id = engine.run(review_request(), correlation="desk/7")["rebalance_run_id"]
    decided = reviewer.decide(run_id).json["latest_decision"]
    listed = reviewer.get(LIST, rebalance_run_id=run_id)
    assert listed.json == {"items": [decided], "next_cursor": None}
    DecisionList.model_validate(listed.json, extra="forbid")
    by_correlation = reviewer.get(f"{LIST}/by-correlation/desk%2F7")
    assert by_correlation.json == {"run_id": run_id, "decisions": [decided]}


def test_decisions_of_an_unknown_correlation_id(engine: Caller) -> None:
    answer = engine.get(f"{LIST}/by-correlation/nobody")
    assert (answer.status_code, answer.json) == (404, {"detail": "DPM_RUN_NOT_FOUND"})
