"""A person sees what they and their roles were told, newest first, each page once, and what they have read."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from lotus_web.current import utcnow
from lotus_web.db import db, transaction
from lotus_web.domain.access import Role
from lotus_web.domain.errors import NotFound
from lotus_web.domain.workflow import Action
from lotus_web.queries import notifications
from lotus_web.queries.notifications import ReadState, notification_page, unread_count
from lotus_web.services.notification_reads import mark_all_read, mark_read
from tests import desk, people
from tests.outside import open_items, person

NORA, TOMAS = person("nora", Role.REVIEWER), person("tomas", Role.REVIEWER)
MAX = person("max", Role.MANAGER)


@pytest.fixture
def told(app: Flask, session: Session) -> list[str]:
    """Six items for reviewers, of which one is given to nora."""
    people.hire(app, "nora")
    ids = open_items(app, [f"t{number}" for number in range(6)], at=utcnow())
    desk.act(app, ids[0], Action.REASSIGN, by=MAX, assigned_account_id="nora")
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


def test_the_bell_stops_counting(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifications, "BELL_MOST", 3)
    assert unread_count(db.session(), NORA) == 4
