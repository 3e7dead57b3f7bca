"""The list of runs: filters, bounds, limits, and cursors that hold while runs come in (dpm-api §6, deltas 12 and 14)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from flask import Flask

from lotus_web.api.rebalance.schemas.runs import RunList
from lotus_web.queries.keyset import encode_cursor
from tests.contract.callers import Caller
from tests.contract.rows import add_runs

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LIST = "/rebalance/runs"


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["rebalance_run_id"] for item in answer.json["items"]]


@pytest.fixture
def five(app: Flask) -> list[str]:
    """Five runs, a minute apart from noon on; ids in order of time."""
    return add_runs(app, 5, start=NOON, statuses=("READY", "PENDING_REVIEW"), portfolios=("pf-a", "pf-b"))


def test_runs_come_newest_first_without_their_results(engine: Caller, five: list[str]) -> None:
    answer = engine.get(LIST)
    assert ids(answer) == five[::-1]
    assert answer.json["next_cursor"] is None
    RunList.model_validate(answer.json, extra="forbid")
    assert answer.json["items"][-1]["created_at"] == "2026-03-02T12:00:00.000000+00:00"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "READY"}, [4, 2, 0]),
        ({"portfolio_id": "pf-b"}, [3, 1]),
        ({"request_hash": "sha256:2"}, [2]),
        ({"status": "READY", "portfolio_id": "pf-b"}, []),
        ({"status": ""}, []),
        ({"portfolio_id": ""}, []),
        ({"status": "ready"}, []),
        ({"unknown": "x"}, [4, 3, 2, 1, 0]),
        ({"from_": "2026-03-02T12:03:00Z"}, [4, 3]),
        ({"to": "2026-03-02T12:01:00"}, [1, 0]),
        ({"from_": "2026-03-02T17:02:00+05:00", "to": "2026-03-02T12:02:00+00:00"}, [2]),
        ({"from_": "2026-03-02"}, [4, 3, 2, 1, 0]),
        ({"to": "2026-03-02"}, []),
        ({"from_": str(int(NOON.timestamp()) + 180)}, [4, 3]),
        ({"limit": "2"}, [4, 3]),
    ],
)
def test_filters_and_bounds(engine: Caller, five: list[str], query: dict[str, str], expected: list[int]) -> None:
    assert ids(engine.get(LIST, **query)) == [five[index] for index in expected]


def test_of_a_repeated_parameter_the_last_counts(engine: Caller, five: list[str]) -> None:
    assert ids(engine.get(f"{LIST}?limit=5&limit=1&status=BLOCKED&status=READY")) == [five[4]]


@pytest.mark.parametrize(
    ("query", "kind", "loc"),
    [
        ("limit=0", "greater_than_equal", ["query", "limit"]),
        ("limit=201", "less_than_equal", ["query", "limit"]),
        ("limit=1.5", "int_parsing", ["query", "limit"]),
        ("limit=", "int_parsing", ["query", "limit"]),
        ("limit=ten", "int_parsing", ["query", "limit"]),
        ("from=", "datetime_from_date_parsing", ["query", "from"]),
        ("from=yesterday", "datetime_from_date_parsing", ["query", "from"]),
        ("from=2026-03-02T12:00:00+05:00", "datetime_from_date_parsing", ["query", "from"]),
        ("from=0001-01-01T00:00:00%2B05:00", "value_error", ["query", "from"]),
        ("to=2026-13-01", "datetime_from_date_parsing", ["query", "to"]),
        ("from=2026-03-03&to=2026-03-02", "range_order", ["query", "to"]),
        ("status=a%00b", "value_error", ["query", "status"]),
    ],
)
def test_a_parameter_that_cannot_be_is_named(engine: Caller, query: str, kind: str, loc: list[str]) -> None:
    answer = engine.get(f"{LIST}?{query}")
    assert answer.status_code == 422
    (problem,) = answer.json["detail"]
    assert problem["loc"] == loc
    assert problem["type"] == kind or (kind.startswith("datetime") and problem["type"].startswith("datetime"))
    assert set(problem) <= {"type", "loc", "msg", "input", "ctx"}


def test_everything_that_is_wrong_is_told_at_once(engine: Caller) -> None:
    answer = engine.get(f"{LIST}?limit=0&from=x&to=y", headers={"X-Correlation-Id": "x" * 201})
    assert [problem["loc"] for problem in answer.json["detail"]] == [
        ["header", "X-Correlation-Id"],
        ["query", "from"],
        ["query", "to"],
        ["query", "limit"],
    ]


@pytest.mark.parametrize(
    "cursor",
    ["", "rr_12345678", "%00", "e30", "W10", encode_cursor(("2026-03-02T12:00:00", "rr")), encode_cursor(("x", "rr"))],
)
def test_a_cursor_that_the_list_did_not_give_out_is_refused(engine: Caller, cursor: str) -> None:
    answer = engine.get(f"{LIST}?cursor={cursor}")
    assert (answer.status_code, answer.json) == (422, {"detail": "INVALID_CURSOR"})


def test_a_cursor_past_the_end_gives_an_empty_page(engine: Caller, five: list[str]) -> None:
    cursor = encode_cursor(("2020-01-01T00:00:00.000000+00:00", "rr_0"))
    assert engine.get(LIST, cursor=cursor).json == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(("limit", "pages"), [(5, 1), (4, 2), (1, 5)])
def test_an_exact_fit_has_no_next_page(engine: Caller, five: list[str], limit: int, pages: int) -> None:
    seen, cursor, walked = [], None, 0
    while True:
        answer = engine.get(LIST, limit=limit, **({"cursor": cursor} if cursor else {}))
        seen += ids(answer)
        walked += 1
        cursor = answer.json["next_cursor"]
        if cursor is None:
            break
    assert (seen, walked) == (five[::-1], pages)


def test_a_walk_sees_every_run_once_while_others_come_in_and_some_go(engine: Caller, app: Flask) -> None:
    # Ten at each instant, so that the id has to order them.
    old = add_runs(app, 60, start=NOON, step=timedelta(0), batch="a") + add_runs(
        app, 60, start=NOON + timedelta(seconds=1), step=timedelta(0), batch="b"
    )
    seen, cursor = [], None
    while True:
        answer = engine.get(LIST, limit=7, **({"cursor": cursor} if cursor else {}))
        seen += ids(answer)
        cursor = answer.json["next_cursor"]
        if cursor is None:
            break
        add_runs(app, 3, start=datetime.now(UTC), batch=f"new{len(seen)}")
    assert seen == sorted(old, key=lambda run_id: (run_id.startswith("rr_b"), run_id), reverse=True)


def test_bounds_compare_as_instants_in_every_zone(engine: Caller, five: list[str]) -> None:
    for hours in (-11, -3, 0, 5, 14):
        bound = (NOON + timedelta(minutes=2)).astimezone(timezone(timedelta(hours=hours))).isoformat()
        assert ids(engine.get(LIST, from_=bound, to=bound)) == [five[2]]
