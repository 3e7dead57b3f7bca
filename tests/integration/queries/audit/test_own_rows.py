"""What an administration page reads: the people and tokens of its own tenant, and one row where it shows one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import Row

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Role
from lotus_web.models import ApiToken
from lotus_web.queries.accounts import people, tokens
from lotus_web.store.session import db
from tests.support.people import bearer_of, hire

NORTH, SOUTH = "north", "North"


@pytest.fixture
def two_tenants(app: Flask) -> Iterator[None]:
    """Two tenants whose names differ in a letter's case, with a manager and a token each; one account works in both."""
    for tenant in (NORTH, SOUTH):
        hire(app, f"max.{tenant}", Role.MANAGER, tenant=tenant)
        bearer_of(app, f"feed.{tenant}", tenant=tenant)
        bearer_of(app, "engine", tenant=tenant)
    with app.app_context():
        yield


@pytest.fixture
def fetched(two_tenants: None, monkeypatch: pytest.MonkeyPatch) -> list[Row[tuple[object, ...]]]:
    """The rows that reached this process."""
    rows: list[Row[tuple[object, ...]]] = []
    for module in (people, tokens):
        kept = module._rows

        def counted(session: object, query: object, kept: Callable[..., object] = kept) -> object:
            rows.extend(db.session.execute(query).all())
            return kept(session, query)

        monkeypatch.setattr(module, "_rows", counted)
    return rows


def test_people_of_another_tenant_are_not_read(fetched: list[Row[tuple[object, ...]]]) -> None:
    assert [one.name for one in people.list_people(db.session(), tenant_id=NORTH)] == ["max.north"]
    one = people.person_of_tenant(db.session(), NORTH, "max.north")
    assert one is not None
    assert dict(one.roles) == {NORTH: frozenset({Role.MANAGER})}
    assert {row.name for row in fetched} == {"max.north"}
    assert people.person_of_tenant(db.session(), NORTH, "max.North") is None
    assert {row.name for row in fetched} == {"max.north"}


def test_tokens_of_another_tenant_are_neither_shown_nor_counted(two_tenants: None) -> None:
    assert [one.account for one in tokens.list_tokens(db.session(), tenant_id=NORTH)] == ["engine", "feed.north"]
    accounts = tokens.list_accounts(db.session(), tenant_id=NORTH, now=utcnow())
    assert [(one.name, one.tokens, one.elsewhere) for one in accounts] == [
        ("engine", 1, True),
        ("feed.north", 1, False),
    ]
    own, other = (one.token_id for one in tokens.list_tokens(db.session()) if one.account.startswith("feed"))
    shown = {tokens.token_of_tenant(db.session(), NORTH, one) is not None for one in (own, other)}
    assert shown == {True, False}


def test_tokens_are_narrowed_by_the_store_and_one_is_read_by_its_key(
    app: Flask, two_tenants: None, fetched: list[Row[tuple[object, ...]]]
) -> None:
    bearer_of(app, "feed.east", tenant="east")
    tokens.list_tokens(db.session(), tenant_id=NORTH)
    tokens.list_accounts(db.session(), tenant_id=NORTH, now=utcnow())
    assert "feed.east" not in {row.account for row in fetched}
    fetched.clear()
    (token_id,) = db.session.scalars(db.select(ApiToken.token_id).where(ApiToken.account == "feed.east"))
    assert tokens.token_of_tenant(db.session(), "east", token_id) is not None
    assert len(fetched) == 1


def test_each_list_is_one_query(two_tenants: None) -> None:
    sent: list[str] = []
    db.session.rollback()
    event.listen(db.engine, "before_cursor_execute", lambda *call: sent.append(call[2]))
    for read in (
        lambda: people.list_people(db.session(), tenant_id=NORTH),
        lambda: people.list_people(db.session()),
        lambda: people.person_of_tenant(db.session(), NORTH, "max.north"),
        lambda: tokens.list_tokens(db.session(), tenant_id=NORTH),
        lambda: tokens.list_accounts(db.session(), tenant_id=NORTH, now=utcnow()),
    ):
        sent.clear()
        read()
        assert len([one for one in sent if one.startswith("SELECT")]) == 1
