"""What administrators change, and that each change is on record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor, Permission, Role
from lotus_web.domain.errors import Conflict, Forbidden, NotFound
from lotus_web.models import AuditRecord, ServiceAccount
from lotus_web.queries.accounts.people import list_people
from lotus_web.services.accounts import administration
from lotus_web.services.accounts.people import create_person, give_role
from lotus_web.services.accounts.tokens import create_token, grant_of
from lotus_web.services.sign_in.passwords import hashed
from lotus_web.store.session import db, transaction
from tests.support.events import NOON, person

ADA = person("ada", Role.ADMIN)
PASSWORD = "a password for tests"
READ = (Permission.RUNS_READ,)


@pytest.fixture
def team_of_two(session: Session) -> None:
    """ada administers; nora reviews here and elsewhere."""
    with transaction() as opened:
        create_person(opened, name="ada", password=hashed(PASSWORD), role=Role.ADMIN, tenant_id="default", now=NOON)
        create_person(opened, name="nora", password=hashed(PASSWORD), role=Role.REVIEWER, tenant_id="default", now=NOON)
        give_role(opened, name="nora", role=Role.REVIEWER, tenant_id="other", now=NOON)


def records() -> list[tuple[str, str, str]]:
    rows = db.session.query(AuditRecord).order_by(AuditRecord.audit_seq)
    return [(row.actor_id, row.action, row.subject) for row in rows]


def test_each_change_is_on_record(app: Flask, team_of_two: None) -> None:
    with transaction() as session:
        administration.add_person(
            session, name="max", password=hashed(PASSWORD), role=Role.MANAGER, display_name="Max", actor=ADA, now=NOON
        )
        administration.grant_role(session, name="max", role=Role.ADMIN, actor=ADA, now=NOON)
        administration.revoke_role(session, name="max", role=Role.MANAGER, actor=ADA, now=NOON)
        administration.reset_password(session, name="max", password=hashed(PASSWORD + "!"), actor=ADA, now=NOON)
        administration.disable_person(session, name="max", actor=ADA, now=NOON)
        administration.enable_person(session, name="max", actor=ADA, now=NOON)
        made = administration.issue_token(
            session, account="bot", permissions=[Permission.RUNS_READ], expires_at=None, actor=ADA, now=NOON
        )
        administration.revoke_token(session, token_id=made.token_id, actor=ADA, now=NOON)
    assert records() == [
        ("ada", "add_person", "max"),
        ("ada", "grant_role", "max"),
        ("ada", "withdraw_role", "max"),
        ("ada", "set_password", "max"),
        ("ada", "disable_person", "max"),
        ("ada", "enable_person", "max"),
        ("ada", "issue_token", made.token_id),
        ("ada", "revoke_token", made.token_id),
    ]
    assert grant_of(db.session(), made.secret_text, now=NOON) is None
    (row,) = (one for one in list_people(db.session(), tenant_id="default") if one.name == "max")
    assert row.roles == {"default": frozenset({Role.ADMIN})}


def test_the_secret_of_a_token_is_in_no_record(app: Flask, team_of_two: None) -> None:
    with transaction() as session:
        made = administration.issue_token(
            session, account="bot", permissions=[Permission.RUNS_READ], expires_at=None, actor=ADA, now=NOON
        )
    secret = made.secret_text.split("_", 2)[2]
    told = [
        str(getattr(row, column.key))
        for row in db.session.query(AuditRecord)
        for column in AuditRecord.__table__.columns
    ]
    assert made.token_id in told
    assert [text for text in told if secret in text or made.secret_text in text] == []


Change = Callable[[Session], object]
CHANGES: dict[str, Change] = {
    "add_person": lambda session: administration.add_person(
        session, name="eve", password=hashed(PASSWORD), role=Role.ADMIN, display_name=None, actor=MAX, now=NOON
    ),
    "grant_role": lambda session: administration.grant_role(session, name="nora", role=Role.ADMIN, actor=MAX, now=NOON),
    "revoke_role": lambda session: administration.revoke_role(
        session, name="ada", role=Role.ADMIN, actor=MAX, now=NOON
    ),
    "disable_person": lambda session: administration.disable_person(session, name="ada", actor=MAX, now=NOON),
    "enable_person": lambda session: administration.enable_person(session, name="ada", actor=MAX, now=NOON),
    "reset_password": lambda session: administration.reset_password(
        session, name="ada", password=hashed(PASSWORD), actor=MAX, now=NOON
    ),
    "issue_token": lambda session: administration.issue_token(
        session, account="bot", permissions=list(Permission), expires_at=None, actor=MAX, now=NOON
    ),
    "revoke_token": lambda session: administration.revoke_token(session, token_id="tok0", actor=MAX, now=NOON),
}
MAX = person("max", Role.MANAGER)


@pytest.mark.stores("sqlite")
@pytest.mark.parametrize("change", list(CHANGES))
def test_a_manager_changes_nothing(team_of_two: None, change: str) -> None:
    with pytest.raises(Forbidden), transaction() as session:
        CHANGES[change](session)


def test_the_last_administrator_stays(team_of_two: None) -> None:
    with pytest.raises(Conflict, match="only administrator"), transaction() as session:
        administration.revoke_role(session, name="ada", role=Role.ADMIN, actor=ADA, now=NOON)
    with pytest.raises(Conflict, match="only administrator"), transaction() as session:
        administration.disable_person(session, name="ada", actor=ADA, now=NOON)
    assert records() == []


def test_a_person_of_other_tenants_too_is_not_disabled_from_here(team_of_two: None) -> None:
    with pytest.raises(Conflict, match="other tenants"), transaction() as session:
        administration.disable_person(session, name="nora", actor=ADA, now=NOON)
    with pytest.raises(Conflict, match="other tenants"), transaction() as session:
        administration.reset_password(session, name="nora", password=hashed(PASSWORD), actor=ADA, now=NOON)


def test_a_person_without_a_role_here_is_unknown(team_of_two: None) -> None:
    elsewhere = person("olga", Role.ADMIN, tenant="third")
    with pytest.raises(NotFound), transaction() as session:
        administration.grant_role(session, name="ada", role=Role.VIEWER, actor=elsewhere, now=NOON)


def issued(account: str, *, by: Actor = ADA, tenant: str | None = None) -> str:
    """Create a token as an administrator does, or as an operator for ``tenant``; return its id."""
    with transaction() as session:
        if tenant is not None:
            made = create_token(session, account=account, tenant_id=tenant, permissions=READ, expires_at=None, now=NOON)
        else:
            made = administration.issue_token(
                session, account=account, permissions=READ, expires_at=None, actor=by, now=NOON
            )
    return made.token_id


def test_a_token_goes_to_a_new_account_or_to_one_that_works_here(app: Flask, team_of_two: None) -> None:
    issued("ours")
    issued("ours")
    issued("both", tenant="other")
    issued("both", tenant="default")
    issued("both")
    with transaction() as session:
        administration.disable_account(session, name="ours", actor=ADA, now=NOON)
    with pytest.raises(Conflict, match="disabled"):
        issued("ours")


def test_the_account_of_another_tenant_is_not_taken_in_and_nothing_is_told_of_it(app: Flask, team_of_two: None) -> None:
    eve = replace(ADA, actor_id="eve", tenant_id="evil")
    issued("engine-feed", tenant="default")
    issued("shut-out", tenant="default")
    with transaction() as session:
        administration.disable_account(session, name="shut-out", actor=ADA, now=NOON)
        session.add(ServiceAccount(name="idle", created_at=NOON))
    told = set()
    for name in ("engine-feed", "shut-out", "idle", "nora"):
        with pytest.raises(Conflict) as refused:
            issued(name, by=eve)
        told.add((refused.value.code, refused.value.message.replace(name, "…"), *refused.value.details))
    assert told == {("NAME_TAKEN", "The name … is taken.")}
    with transaction() as session:
        administration.disable_account(session, name="engine-feed", actor=ADA, now=NOON)
