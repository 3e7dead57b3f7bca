"""Verifying while people work: whatever is committed between two queries of the verification is no contradiction."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from flask import Flask

from lotus_web.cli.audit_parts import contradictions
from lotus_web.domain.access import Role
from lotus_web.domain.decisions.gate import GateAction
from lotus_web.domain.items.actions import Action
from lotus_web.services.accounts.people import disable_person, enable_person, give_role, take_role
from lotus_web.services.sign_in.sessions import close_sessions_of, open_session
from lotus_web.store.session import db, transaction
from tests.support import people
from tests.support.between_queries import NEVER, working_after_query
from tests.support.histories import NOW, act, decide, record, workflow_id

NUMBERS = count(1)


def work() -> None:
    """Decide a run, sign out and in, and lose or get a role: each leaves rows and entries that are other than before."""
    number = next(NUMBERS)
    with transaction() as session:
        record(session, number)
    with transaction() as session:
        act(session, workflow_id(number), Action.CLAIM)
    with transaction() as session:
        decide(session, number, GateAction.APPROVE)
    with transaction() as session:
        close_sessions_of(session, name="vera", now=NOW)
        open_session(session, name="vera", tenant_id="default", draft=None, now=NOW, hours=12)
        if number % 2:
            take_role(session, name="vera", role=Role.VIEWER, tenant_id="default")
            disable_person(session, name="vera", now=NOW)
        else:
            enable_person(session, name="vera")
            give_role(session, name="vera", role=Role.VIEWER, tenant_id="default", now=NOW)


@pytest.fixture
def busy(app: Flask) -> Iterator[Flask]:
    """A tenant in which everything has happened once."""
    people.hire(app, "vera", Role.VIEWER)
    with app.app_context():
        work()
        yield app
        db.session.rollback()


def test_what_is_done_between_two_queries_of_a_verification_contradicts_nothing(busy: Flask) -> None:
    with working_after_query(busy, NEVER, work) as all_of_it:
        assert list(contradictions(db.session(), "default")) == []
    db.session.rollback()
    for number in range(len(all_of_it)):
        with working_after_query(busy, number, work):
            assert list(contradictions(db.session(), "default")) == [], all_of_it[number]
        db.session.rollback()
