"""Two who change the same person, account or token at once: both changes hold, and the log tells of both."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from lotus_web.domain.access import Permission, Role
from lotus_web.models import ApiToken, Person, PersonRole, ServiceAccount
from lotus_web.queries.audit.projections import verify_projections
from lotus_web.services.accounts import people, service_accounts, tokens
from lotus_web.services.sign_in.passwords import hashed
from lotus_web.store.session import db, transaction
from tests.servers.patience import PATIENCE
from tests.support.histories import NOW
from tests.support.people import hire
from tests.support.waiting import until_it_waits

Change = Callable[[Session], object]
LATER = NOW + timedelta(minutes=1)
NEW = hashed("another long password")


def disable(session: Session) -> None:
    people.disable_person(session, name="vera", now=NOW)


def set_password(session: Session) -> None:
    people.set_password(session, name="vera", password=NEW, now=NOW)


def take_role(session: Session) -> None:
    people.take_role(session, name="vera", role=Role.VIEWER, tenant_id="default")


def revoke(session: Session) -> None:
    tokens.revoke_token(session, token_id="tok0123456789abcdef", now=NOW)


def revoke_later(session: Session) -> None:
    tokens.revoke_token(session, token_id="tok0123456789abcdef", now=LATER)


def disable_account(session: Session) -> None:
    service_accounts.disable_account(session, name="feed", now=NOW)


def disable_account_later(session: Session) -> None:
    service_accounts.disable_account(session, name="feed", now=LATER)


PAIRS: tuple[tuple[Change, Change], ...] = (
    (disable, set_password),
    (set_password, disable),
    (take_role, take_role),
    (revoke, revoke_later),
    (disable_account, disable_account_later),
)


@pytest.fixture
def world(app: Flask) -> Flask:
    """A person and a service account with a token."""
    hire(app, "vera", Role.VIEWER)
    with app.app_context(), transaction() as session:
        tokens.create_token(
            session,
            account="feed",
            tenant_id="default",
            permissions=[Permission.RUNS_READ],
            expires_at=None,
            now=NOW,
            token_id="tok0123456789abcdef",
        )
    return app


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_two_changes_at_once_are_both_in_the_rows_and_in_the_log(world: Flask, first: Change, second: Change) -> None:
    def change() -> None:
        with world.app_context(), transaction() as session:
            second(session)

    with ThreadPoolExecutor(1) as pool, world.app_context():
        with transaction() as session:
            first(session)
            waiting = pool.submit(change)
            until_it_waits(session, waiting)
        waiting.result(PATIENCE)
        assert list(verify_projections(db.session(), "default")) == []
        changed = {first, second}
        vera = db.session.get_one(Person, "vera")
        assert (vera.disabled_at is not None) == (disable in changed)
        assert (vera.password_hash == NEW.digest) == (set_password in changed)
        role = db.session.get(PersonRole, {"name": "vera", "tenant_id": "default", "role": "viewer"})
        assert (role is None) == (take_role in changed)
        token = db.session.get_one(ApiToken, "tok0123456789abcdef")
        assert token.revoked_at == (NOW if revoke in changed else None)
        account = db.session.get_one(ServiceAccount, "feed")
        assert account.disabled_at == (NOW if disable_account in changed else None)
        db.session.rollback()
