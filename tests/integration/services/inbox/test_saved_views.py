"""Saved views belong to one person in one tenant, have names of their own, and are few."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from lotus_web.domain.access import Actor
from lotus_web.domain.errors import InvalidInput, NotFound
from lotus_web.domain.inbox import MOST
from lotus_web.models import SavedView
from lotus_web.queries.inbox.saved_views import saved_views
from lotus_web.services.inbox import delete_view, rename_view, save_view
from lotus_web.store.session import db, transaction
from tests.support.histories import NORA, NOW, TOMAS
from tests.support.people import hire

pytestmark = pytest.mark.usefixtures("reviewers")
ELSEWHERE = replace(NORA, tenant_id="zurich")


@pytest.fixture
def reviewers(app: Flask) -> None:
    """Nora and tomas are people of the store."""
    hire(app, NORA.actor_id, next(iter(NORA.roles)))
    hire(app, TOMAS.actor_id, next(iter(TOMAS.roles)))


def save(name: str, query: str = "tab=open", *, by: Actor = NORA, minutes: int = 0) -> None:
    with transaction() as session:
        save_view(session, name=name, query=query, actor=by, now=NOW + timedelta(minutes=minutes))


def named(actor: Actor = NORA) -> list[str]:
    found = [view.name for view in saved_views(db.session(), actor)]
    db.session.rollback()
    return found


@pytest.mark.usefixtures("session")
def test_the_oldest_comes_first_and_nobody_elses_is_there() -> None:
    save("Late", "tab=open&due=overdue", minutes=1)
    save("Early")
    save("Late", by=TOMAS)
    save("Late", by=ELSEWHERE)
    assert named() == ["Early", "Late"]
    assert named(TOMAS) == named(ELSEWHERE) == ["Late"]
    assert saved_views(db.session(), NORA)[1].query == "tab=open&due=overdue"


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize("name", ["", " \u00a0\u200b", "x" * 61, "a\nb", "a\u202eb", "a\0b"])
def test_a_name_is_visible_and_short(name: str) -> None:
    with pytest.raises(InvalidInput):
        save(name)
    save("x" * 60)
    (view,) = saved_views(db.session(), NORA)
    with pytest.raises(InvalidInput), transaction() as session:
        rename_view(session, view.view_id, name=name, actor=NORA)
    assert named() == ["x" * 60]


@pytest.mark.usefixtures("session")
def test_a_name_is_taken_once_by_the_rule_and_by_the_store() -> None:
    save("Late")
    save("Early", minutes=1)
    with pytest.raises(InvalidInput, match="You have a view named Late already"):
        save("Late")
    early = saved_views(db.session(), NORA)[1].view_id
    with pytest.raises(InvalidInput, match="You have a view named Late already"), transaction() as session:
        rename_view(session, early, name="Late", actor=NORA)
    with pytest.raises(IntegrityError), transaction() as session:
        session.add(
            SavedView(view_id="v", tenant_id="default", person=NORA.actor_id, name="Late", query="", created_at=NOW)
        )
    assert named() == ["Late", "Early"]


@pytest.mark.usefixtures("session")
def test_a_view_keeps_its_own_name_when_it_is_renamed_to_it() -> None:
    save("Late")
    (view,) = saved_views(db.session(), NORA)
    with transaction() as session:
        assert rename_view(session, view.view_id, name="Late", actor=NORA) == "Late"
    assert named() == ["Late"]


@pytest.mark.usefixtures("session")
def test_what_is_not_ones_own_is_unknown() -> None:
    save("Late", by=TOMAS)
    (theirs,) = saved_views(db.session(), TOMAS)
    for change in (
        lambda session, view_id: delete_view(session, view_id, actor=NORA),
        lambda session, view_id: rename_view(session, view_id, name="Mine", actor=NORA),
        lambda session, view_id: delete_view(session, view_id, actor=replace(TOMAS, tenant_id="zurich")),
    ):
        for view_id in (theirs.view_id, "view_none"):
            with pytest.raises(NotFound), transaction() as session:
                change(session, view_id)
    assert named(TOMAS) == ["Late"]


@pytest.mark.usefixtures("session")
def test_there_are_twenty_at_most() -> None:
    for number in range(MOST):
        save(f"View {number}")
    with pytest.raises(InvalidInput) as full:
        save("One more")
    assert full.value.code == "TOO_MANY_VIEWS"
    first = saved_views(db.session(), NORA)[0].view_id
    with transaction() as session:
        delete_view(session, first, actor=NORA)
    save("There is room again")
    assert len(named()) == MOST


@pytest.mark.stores("postgresql")
def test_a_second_window_waits_for_what_the_first_one_saves(app: Flask) -> None:
    def second_window() -> None:
        with app.app_context(), transaction() as session:
            session.execute(text("SET LOCAL lock_timeout = '50ms'"))
            save_view(session, name="Right", query="", actor=NORA, now=NOW)

    with app.app_context(), transaction() as session, ThreadPoolExecutor(1) as windows:
        save_view(session, name="Left", query="", actor=NORA, now=NOW)
        with pytest.raises(OperationalError, match="lock timeout"):
            windows.submit(second_window).result()
