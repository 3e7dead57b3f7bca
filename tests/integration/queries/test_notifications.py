"""A person sees what they and their roles were told, newest first, each page once, and what they have read."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Role
from lotus_web.domain.errors import NotFound
from lotus_web.domain.items.actions import Action
from lotus_web.queries import notifications
from lotus_web.queries.notifications import ReadState, notice_counts, notification_page, unread_count
from lotus_web.services.accounts.people import give_role
from lotus_web.services.notifications.reads import mark_all_read, mark_read
from lotus_web.store.session import db, transaction
from tests.support import people, runs
from tests.support.events import open_items, person

NORA, TOMAS = person("nora", Role.REVIEWER), person("tomas", Role.REVIEWER)
MAX = person("max", Role.MANAGER)


@pytest.fixture
def told(app: Flask, session: Session) -> list[str]:
    """Six items for reviewers, of which one is given to nora."""
    people.hire(app, "nora")
    ids = open_items(app, [f"t{number}" for number in range(6)], at=utcnow())
    runs.act(app, ids[0], Action.REASSIGN, by=MAX, assigned_account_id="nora")
    return ids


def listed(actor: object, state: ReadState = ReadState.ALL, limit: int = 50) -> list[str]:
    seen: list[str] = []
    cursor = None
    while True:
        page = notification_page(db.session(), actor, state=state, limit=limit, cursor=cursor)
        seen += [row.notification_id for row in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return seen


def test_roles_and_names_are_told_together(told: list[str]) -> None:
    assert len(listed(NORA)) == 7
    assert len(listed(TOMAS)) == 6
    assert listed(MAX) == []
    assert (unread_count(db.session(), NORA), unread_count(db.session(), MAX)) == (7, 0)


@pytest.mark.parametrize("limit", [1, 3, 50])
@pytest.mark.parametrize("reach", [2, 2_000])
def test_pages_hold_everything_once(told: list[str], limit: int, reach: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = listed(NORA)
    with transaction() as session:
        mark_all_read(session, whole[::2], actor=NORA, now=utcnow())
    monkeypatch.setattr(notifications, "READ_REACH", reach)
    assert listed(NORA, limit=limit) == whole
    assert listed(NORA, ReadState.UNREAD, limit) == whole[1::2]
    assert listed(NORA, ReadState.READ, limit) == whole[::2]


def test_reading_is_ones_own(told: list[str]) -> None:
    first = listed(NORA)[-1]
    with transaction() as session:
        mark_read(session, first, actor=NORA, now=utcnow())
        mark_read(session, first, actor=NORA, now=utcnow())
    assert (unread_count(db.session(), NORA), unread_count(db.session(), TOMAS)) == (6, 6)
    own = listed(NORA)[0]
    with pytest.raises(NotFound), transaction() as session:
        mark_read(session, own, actor=TOMAS, now=utcnow())
    with pytest.raises(NotFound), transaction() as session:
        mark_read(session, "ntf_none", actor=NORA, now=utcnow())


def test_what_a_role_was_told_before_it_was_ones_own_is_not_news(app: Flask, told: list[str]) -> None:
    people.hire(app, "rita", Role.REVIEWER, ago=timedelta(0))
    rita = person("rita", Role.REVIEWER)
    assert [listed(rita, state) for state in ReadState] == [[], [], []]
    assert notice_counts(db.session(), rita).total == unread_count(db.session(), rita) == 0
    db.session.rollback()
    later = open_items(app, ["later"], at=utcnow() + timedelta(minutes=1))
    assert [row.workflow_id for row in notification_page(db.session(), rita, limit=9).items] == later
    assert unread_count(db.session(), rita) == 1
    with transaction() as session:
        give_role(session, name="rita", role=Role.MANAGER, tenant_id="default", now=utcnow() + timedelta(hours=1))
    runs.act(app, told[2], Action.ESCALATE, by=TOMAS, text="Above me.")
    db.session.rollback()
    promoted = person("rita", Role.REVIEWER, Role.MANAGER)
    assert unread_count(db.session(), promoted) == 1
    assert len(listed(MAX)) == 1


@pytest.mark.parametrize("reach", [2, 4, 2_000])
def test_a_page_ends_where_the_role_began(
    app: Flask, session: Session, reach: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "READ_REACH", reach)
    open_items(app, [f"old-{number}" for number in range(5)], at=utcnow() - timedelta(hours=3))
    people.hire(app, "rita", Role.REVIEWER, ago=timedelta(hours=2))
    new = open_items(app, [f"new-{number}" for number in range(3)], at=utcnow() - timedelta(hours=1))
    rita = person("rita", Role.REVIEWER)
    for state in (ReadState.ALL, ReadState.UNREAD):
        page = notification_page(db.session(), rita, state=state, limit=50)
        seen = [row.workflow_id for row in page.items]
        while page.next_cursor:
            page = notification_page(db.session(), rita, state=state, limit=50, cursor=page.next_cursor)
            seen += [row.workflow_id for row in page.items]
        assert seen == new[::-1]


def test_a_decision_settles_what_was_told_of_its_item(app: Flask, told: list[str]) -> None:
    runs.act(app, told[0], Action.APPROVE, by=NORA, text="Fine.")
    runs.act(app, told[1], Action.REJECT, by=TOMAS, text="Not so.")
    assert (unread_count(db.session(), NORA), unread_count(db.session(), TOMAS)) == (4, 4)
    counts = notice_counts(db.session(), NORA)
    assert (counts.unread, counts.read, counts.total, counts.capped) == (4, 3, 7, False)
    rows = notification_page(db.session(), NORA, state=ReadState.READ, limit=50).items
    assert {row.workflow_id for row in rows} == set(told[:2])
    assert all(row.read_at is None and row.settled_at is not None for row in rows)
    assert len(listed(NORA, ReadState.UNREAD)) == 4


def test_the_decision_itself_stays_to_be_read(app: Flask, told: list[str]) -> None:
    runs.act(app, told[0], Action.APPROVE, by=NORA, text="Fine.")
    asker = person("credit-desk")
    (row,) = notification_page(db.session(), asker, state=ReadState.UNREAD, limit=9).items
    assert (row.category, row.settled_at, unread_count(db.session(), asker)) == ("approval", None, 1)


def test_a_reopened_item_is_news_again(app: Flask, session: Session) -> None:
    workflow_id = runs.item(app)
    runs.act(app, workflow_id, Action.APPROVE, by=TOMAS, text="Fine.")
    assert unread_count(session, TOMAS) == 0
    session.rollback()
    runs.act(app, workflow_id, Action.REQUEST_CHANGE, by=TOMAS, text="After all.")
    assert unread_count(session, TOMAS) > 0


def test_counts_say_when_there_may_be_more(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifications, "BELL_REACH", 6)
    assert notice_counts(db.session(), TOMAS).capped
    monkeypatch.setattr(notifications, "BELL_REACH", 7)
    assert not notice_counts(db.session(), TOMAS).capped


def test_the_bell_stops_counting(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifications, "BELL_MOST", 3)
    assert unread_count(db.session(), NORA) == 4
