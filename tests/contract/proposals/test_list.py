"""GET /rebalance/proposals: filters, order and pages (proposals-api §1 route 2, delta 14)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert

from lotus_web.models import Proposal
from lotus_web.store.session import transaction
from tests.contract.callers import Caller
from tests.contract.proposals.requests import PROPOSALS, created
from tests.support.histories import NOW

STATES = ("DRAFT", "RISK_REVIEW", "EXECUTED")


def add_proposals(
    app: Flask, number: int, *, tenant: str = "default", step: timedelta = timedelta(minutes=1)
) -> list[str]:
    """Store rows of proposals without versions, newest last, two of them at each instant; return their ids newest first."""
    rows = [
        {
            "tenant_id": tenant,
            "proposal_id": f"pp_{index:06d}",
            "portfolio_id": f"pf-{index % 5}",
            "created_by": f"adviser-{index % 3}",
            "recorded_by": "feed",
            "created_at": NOW + step * (index // 2),
            "last_event_at": NOW + step * (index // 2),
            "current_state": STATES[index % 3],
            "current_version_no": 1,
        }
        for index in range(number)
    ]
    with app.app_context(), transaction() as session:
        session.execute(insert(Proposal), rows)
    return [str(row["proposal_id"]) for row in reversed(rows)]


def pages(caller: Caller, **query: Any) -> list[list[str]]:
    """Follow the cursors to the end."""
    found, cursor = [], None
    for _ in itertools.count():
        answer = caller.get(PROPOSALS, **query, **({} if cursor is None else {"cursor": cursor}))
        assert answer.status_code == 200, answer.text
        found.append([row["proposal_id"] for row in answer.json["items"]])
        cursor = answer.json["next_cursor"]
        if cursor is None:
            return found
    raise AssertionError


def test_pages_hold_every_proposal_once_newest_first(app: Flask, adviser: Caller) -> None:
    ids = add_proposals(app, 25)
    found = pages(adviser, limit=10)
    assert [len(page) for page in found] == [10, 10, 5]
    assert list(itertools.chain(*found)) == ids
    assert [len(page) for page in pages(adviser)] == [20, 5]


def test_a_page_is_stable_while_proposals_are_added_and_removed(app: Flask, adviser: Caller) -> None:
    ids = add_proposals(app, 8)
    first = adviser.get(PROPOSALS, limit=3).json
    newer = created(adviser)
    with app.app_context(), transaction() as session:
        session.delete(session.get(Proposal, ("default", ids[2])))
    second = adviser.get(PROPOSALS, limit=10, cursor=first["next_cursor"]).json
    assert [row["proposal_id"] for row in second["items"]] == ids[3:]
    assert newer not in [row["proposal_id"] for row in second["items"]]


FILTERS: list[tuple[dict[str, str], Callable[[int], bool]]] = [
    ({"portfolio_id": "pf-2"}, lambda index: index % 5 == 2),
    ({"state": "EXECUTED"}, lambda index: index % 3 == 2),
    ({"created_by": "adviser-1"}, lambda index: index % 3 == 1),
    ({"state": "DRAFT", "portfolio_id": "pf-0", "created_by": "adviser-0"}, lambda index: index % 15 == 0),
    ({"state": "draft"}, lambda index: False),
    ({"state": ""}, lambda index: False),
    ({"portfolio_id": ""}, lambda index: False),
    ({"created_by": "nobody"}, lambda index: False),
    ({"created_from": "2026-03-02T09:03:00"}, lambda index: index >= 6),
    ({"created_from": "2026-03-02T11:03:00+02:00"}, lambda index: index >= 6),
    ({"created_to": "2026-03-02T09:03:00Z"}, lambda index: index < 8),
    ({"created_to": "2026-03-02"}, lambda index: False),
    ({"created_from": "1772442180"}, lambda index: index >= 6),
    ({"created_from": "2026-03-02T09:03:00Z", "created_to": "2026-03-02T09:03:00Z"}, lambda index: index in (6, 7)),
]


def test_filters_are_added_up_and_their_bounds_belong_to_them(app: Flask, adviser: Caller) -> None:
    add_proposals(app, 20)
    add_proposals(app, 3, tenant="north")
    for query, wanted in FILTERS:
        found = list(itertools.chain(*pages(adviser, limit=100, **query)))
        assert found == [f"pp_{index:06d}" for index in reversed(range(20)) if wanted(index)], query


NONSENSE = [
    ({"limit": "0"}, "limit"),
    ({"limit": "101"}, "limit"),
    ({"limit": "ten"}, "limit"),
    ({"limit": ""}, "limit"),
    ({"created_from": "yesterday"}, "created_from"),
    ({"created_from": ""}, "created_from"),
    ({"created_to": "2026-03-02T09:03:00 02:00"}, "created_to"),
    ({"created_from": "2026-03-03", "created_to": "2026-03-02"}, "created_to"),
    ({"state": "a\x00b"}, "state"),
]


@pytest.mark.stores("sqlite")
def test_a_query_that_says_nothing_is_refused(adviser: Caller) -> None:
    for query, place in NONSENSE:
        answer = adviser.get(PROPOSALS, **query)
        assert (answer.status_code, [one["loc"] for one in answer.json["detail"]]) == (422, [["query", place]]), query


@pytest.mark.stores("sqlite")
def test_a_cursor_that_this_list_never_gave_is_refused(adviser: Caller) -> None:
    for cursor in ("", "x", "eyJ9", "bm90IGpzb24", "WzFd", "WyIyMDI2LTAzLTAyIiwicHBfMSJd", "ü"):
        answer = adviser.get(PROPOSALS, cursor=cursor)
        assert (answer.status_code, answer.json) == (422, {"detail": "INVALID_CURSOR"}), cursor


def test_the_last_of_repeated_parameters_counts(app: Flask, adviser: Caller) -> None:
    add_proposals(app, 6)
    answer = adviser.send("GET", f"{PROPOSALS}?state=DRAFT&state=EXECUTED&limit=2.0")
    assert {row["current_state"] for row in answer.json["items"]} == {"EXECUTED"}
