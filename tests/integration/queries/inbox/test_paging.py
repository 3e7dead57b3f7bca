"""Paging through the inbox: the order of the contract, no row twice and none missed, whatever happens in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, update

from lotus_web.domain.access import Actor
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.values import ItemStatus, Priority
from lotus_web.domain.paging import Page
from lotus_web.models import WorkflowItem
from lotus_web.queries.inbox import listing as inbox
from lotus_web.queries.inbox.counts import inbox_counts
from lotus_web.queries.inbox.filter import InboxFilter, Tab
from lotus_web.queries.inbox.listing import InboxRow, closed_items, open_items
from lotus_web.queries.keyset import encode_cursor
from lotus_web.services.events.item_rows import item_columns
from lotus_web.store.session import db, transaction
from tests.support.histories import ITEM, NORA, NOW, TOMAS, VIEW

EVERYTHING = InboxFilter()


def made(number: int, **changes: Any) -> ItemState:
    """Return item ``number``."""
    return replace(ITEM, workflow_id=f"t{number}:exception:x{number}", trace_id=f"t{number}", **changes)


def store(*items: ItemState) -> None:
    """Put items into the store as the projection would."""
    with transaction() as session:
        session.add_all(WorkflowItem(**item_columns(item)) for item in items)


def many(count: int) -> list[ItemState]:
    """Return items of every priority, of few distinct times, some late and some not."""
    chance = Random(7)
    return [
        made(
            number,
            priority=chance.choice(list(Priority)),
            requested_at=NOW - timedelta(minutes=chance.randrange(4)),
            sla_due_at=NOW + timedelta(minutes=chance.randrange(-3, 3), microseconds=1),
            assigned_account_id=chance.choice([None, "nora.lind", "tomas.roth"]),
            assigned_role=chance.choice(["reviewer", "manager", None]),
        )
        for number in range(count)
    ]


def in_order(items: list[ItemState], now: datetime = NOW) -> list[str]:
    """Return the ids as the contract orders them (workflow.md §6)."""
    ranked = sorted(items, key=lambda one: (one.sla_due_at >= now, one.priority, one.requested_at, one.workflow_id))
    return [one.workflow_id for one in ranked]


def page(tab: Tab, cursor: str | None, *, actor: Actor = NORA, now: datetime = NOW, limit: int = 7) -> Page[InboxRow]:
    """Return one page."""
    return open_items(db.session(), EVERYTHING, tab, actor=actor, now=now, soon_minutes=30, limit=limit, cursor=cursor)


def pages(tab: Tab, **how: Any) -> Iterator[list[str]]:
    """Yield the ids of each page to the end; time goes on from page to page."""
    cursor, now = None, NOW
    while True:
        found = page(tab, cursor, now=now, **how)
        yield [row.workflow_id for row in found.items]
        cursor, now = found.next_cursor, now + timedelta(minutes=1)
        db.session.rollback()
        if cursor is None:
            return


@pytest.mark.parametrize("limit", [1, 7, 40, 200])
def test_pages_follow_the_order_of_the_contract(app: Flask, limit: int) -> None:
    with app.app_context():
        items = many(90)
        store(*items)
        assert [one for found in pages(Tab.OPEN, limit=limit) for one in found] == in_order(items)


@pytest.mark.parametrize(
    ("tab", "actor", "belongs"),
    [
        (Tab.MINE, NORA, lambda one: one.assigned_account_id == "nora.lind"),
        (Tab.MINE, TOMAS, lambda one: one.assigned_account_id == "tomas.roth"),
        (Tab.ROLES, NORA, lambda one: one.assigned_account_id is None and one.assigned_role == "reviewer"),
        (Tab.ROLES, VIEW, lambda one: False),
        (Tab.UNASSIGNED, NORA, lambda one: one.assigned_account_id is None),
    ],
)
def test_a_tab_keeps_the_order_and_its_count(app: Flask, tab: Tab, actor: Actor, belongs: Any) -> None:
    with app.app_context():
        items = many(60)
        store(*items)
        expected = in_order([one for one in items if belongs(one)])
        assert [one for found in pages(tab, actor=actor) for one in found] == expected
        counts = inbox_counts(db.session(), EVERYTHING, actor=actor, now=NOW, soon_minutes=30)
        assert counts.of(tab) == len(expected)


def test_what_comes_goes_and_moves_between_pages_hides_nothing(app: Flask) -> None:
    with app.app_context():
        items = many(80)
        store(*items)
        touched = {one.workflow_id for one in items[::9]}
        seen: list[str] = []
        for number, found in enumerate(pages(Tab.OPEN)):
            seen += found
            store(made(1000 + number, priority=Priority.URGENT, requested_at=NOW - timedelta(hours=1)))
            with transaction() as session:
                gone = sorted(touched)[number : number + 1]
                session.execute(delete(WorkflowItem).where(WorkflowItem.workflow_id.in_(gone)))
        stayed = [one for one in in_order(items) if one not in touched]
        assert [one for one in seen if one in set(stayed)] == stayed
        assert len(seen) == len(set(seen))


def test_the_row_that_a_cursor_names_may_be_gone(app: Flask) -> None:
    with app.app_context():
        items = many(20)
        store(*items)
        first = page(Tab.OPEN, None)
        with transaction() as session:
            session.execute(delete(WorkflowItem).where(WorkflowItem.workflow_id == first.items[-1].workflow_id))
        assert [row.workflow_id for row in page(Tab.OPEN, first.next_cursor).items] == in_order(items)[7:14]


def test_another_tenant_is_never_seen(app: Flask) -> None:
    with app.app_context():
        store(made(1), replace(made(2), tenant_id="zurich"))
        assert list(pages(Tab.OPEN)) == [["t1:exception:x1"]]
        assert inbox_counts(db.session(), EVERYTHING, actor=NORA, now=NOW, soon_minutes=30).open == 1


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "{}",
        encode_cursor((0, "2026-01-01", 1, "2026-01-01T00:00:00+00:00", "x")),
        encode_cursor((0, "2026-01-01T00:00:00+00:00", "1", "2026-01-01T00:00:00+00:00", "x")),
        encode_cursor((2, "2026-01-01T00:00:00+00:00", 1, "2026-01-01T00:00:00+00:00", "x")),
        encode_cursor((1, "2026-01-01T00:00:00+00:00", 99999, "2026-01-01T00:00:00+00:00", "x")),
        encode_cursor((1, "2026-01-01T00:00:00+00:00", -1, "2026-01-01T00:00:00+00:00", "x")),
        encode_cursor((1, "0001-01-01T00:00:00+00:00", 1, "2026-01-01T00:00:00+00:00", "x")),
        encode_cursor((0, "2026-01-01T00:00:00+00:00", 1, "2026-01-01", "x")),
        encode_cursor(("2026-01-01T00:00:00+00:00", "x")),
    ],
)
@pytest.mark.stores("sqlite")
def test_a_cursor_of_another_make_is_refused(app: Flask, cursor: str) -> None:
    with app.app_context(), pytest.raises(InvalidInput, match="cursor"):
        page(Tab.OPEN, cursor)


def closed(number: int, **changes: Any) -> ItemState:
    """Return a decided item."""
    at = NOW - timedelta(minutes=number // 2)
    return made(number, status=ItemStatus.APPROVED, resolved_at=at, last_actor_id="nora.lind", **changes)


def closed_pages(wanted: InboxFilter, limit: int = 7) -> list[list[str]]:
    """Return the ids of each page of decided items."""
    found, cursor = [], None
    while True:
        page = closed_items(db.session(), wanted, actor=NORA, now=NOW, soon_minutes=30, limit=limit, cursor=cursor)
        found.append([row.workflow_id for row in page.items])
        cursor = page.next_cursor
        if cursor is None:
            return found


def test_decided_items_are_newest_first(app: Flask) -> None:
    with app.app_context():
        items = [closed(number) for number in range(30)]
        store(*items)
        ranked = sorted(items, key=lambda one: (one.resolved_at, one.workflow_id), reverse=True)
        assert [one for page in closed_pages(EVERYTHING) for one in page] == [one.workflow_id for one in ranked]


def test_a_rare_filter_looks_a_bounded_way_back_and_still_finds_all(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "CLOSED_REACH", 10)
    with app.app_context():
        store(*(closed(number, portfolio_id="RARE" if number in (4, 25, 26) else "PF") for number in range(40)))
        found = closed_pages(InboxFilter(text="rare"))
        assert [one for page in found for one in page] == [f"t{n}:exception:x{n}" for n in (4, 25, 26)]
        assert len(found) >= 4
        assert closed_pages(InboxFilter(portfolio="RARE"))[0] != []
        assert len(closed_pages(InboxFilter(portfolio="RARE"))) == 1


def test_the_closed_count_stops_at_its_bound(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lotus_web.queries.inbox.counts.CLOSED_CAP", 5)
    with app.app_context():
        store(*(closed(number) for number in range(9)))
        counted = inbox_counts(db.session(), EVERYTHING, actor=NORA, now=NOW, soon_minutes=30)
        assert counted.closed == 6
        filtered = InboxFilter(text="x")
        assert inbox_counts(db.session(), filtered, actor=NORA, now=NOW, soon_minutes=30).closed is None


def test_a_row_that_is_decided_leaves_the_open_tabs(app: Flask) -> None:
    with app.app_context():
        store(made(1))
        with transaction() as session:
            session.execute(update(WorkflowItem).values(status="approved", resolved_at=NOW))
        assert list(pages(Tab.OPEN)) == [[]]
