"""People are made with care, keep their roles per tenant, and are out at once when they are disabled."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from lotus_web.domain.access import Role
from lotus_web.domain.errors import Conflict, InvalidInput, NotFound
from lotus_web.models import Person
from lotus_web.queries.accounts.people import find_session, list_people, tenants_of
from lotus_web.services.accounts import people
from lotus_web.services.sign_in import passwords
from lotus_web.services.sign_in.passwords import HASHER
from lotus_web.services.sign_in.sessions import open_session
from lotus_web.store.engine import WRITE
from lotus_web.store.session import db, transaction
from tests.support.people import hire as hire_in
from tests.support.people import post, sign_in

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
PASSWORD = "a long password"


def hire(session: Session, *, password: str = PASSWORD, **changes: Any) -> None:
    values = {"name": "nora", "role": Role.REVIEWER, "tenant_id": "default", "now": NOW}
    kept = passwords.hashed(password)
    with transaction() as store:
        people.create_person(store, password=kept, **{**values, **changes})


def session_of_nora(session: Session) -> str:
    with transaction() as store:
        return open_session(store, name="nora", tenant_id="default", draft=None, now=NOW, hours=12)


def holds(session_id: str) -> bool:
    found = find_session(db.session(), session_id)
    db.session.rollback()
    assert found is not None
    return found.holds(NOW)


def test_a_person_is_kept_with_an_argon2_hash_and_a_role(session: Session) -> None:
    hire(session, display_name="Nora Lind")
    person = db.session.get(Person, "nora")
    assert person is not None
    assert person.password_hash.startswith("$argon2id$")
    assert PASSWORD not in person.password_hash
    (row,) = list_people(db.session())
    assert (row.name, row.display_name, dict(row.roles)) == (
        "nora",
        "Nora Lind",
        {"default": frozenset({Role.REVIEWER})},
    )


@pytest.mark.parametrize("name", ["", " nora", "nora ", "no:ra", "no\x00ra", "no\nra", "n" * 65])
def test_a_name_that_cannot_be_is_refused(session: Session, name: str) -> None:
    with pytest.raises(InvalidInput):
        hire(session, name=name)


@pytest.mark.parametrize("password", ["", "eleven char", "x" * 1025])
def test_a_password_that_is_too_short_or_endless_is_refused(session: Session, password: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        hire(session, password=password)
    assert refusal.value.code == "WEAK_PASSWORD"
    assert list_people(db.session()) == ()


def test_a_name_is_given_once(session: Session) -> None:
    hire(session)
    with pytest.raises(Conflict):
        hire(session, password="another long password")


def test_roles_are_given_and_taken_per_tenant_and_twice_is_harmless(session: Session) -> None:
    hire(session)
    for _ in range(2):
        with transaction() as store:
            people.give_role(store, name="nora", role=Role.MANAGER, tenant_id="north", now=NOW)
    assert dict(list_people(db.session())[0].roles) == {
        "default": frozenset({Role.REVIEWER}),
        "north": frozenset({Role.MANAGER}),
    }
    assert [row.name for row in list_people(db.session(), tenant_id="north")] == ["nora"]
    for _ in range(2):
        with transaction() as store:
            people.take_role(store, name="nora", role=Role.MANAGER, tenant_id="north")
    assert list_people(db.session(), tenant_id="north") == ()


def test_a_session_begins_where_the_last_one_was(session: Session) -> None:
    hire(session, tenant_id="south")
    alone = tenants_of(db.session(), "nora")
    assert alone is not None
    assert (alone.first, alone.known) == ("south", True)
    with transaction() as store:
        people.give_role(store, name="nora", role=Role.VIEWER, tenant_id="default", now=NOW)
    several = tenants_of(db.session(), "nora")
    assert several is not None
    assert (several.first, several.known) == ("default", False)
    with transaction() as store:
        open_session(store, name="nora", tenant_id="south", draft=None, now=NOW, hours=1)
    again = tenants_of(db.session(), "nora")
    assert again is not None
    assert (again.first, again.known) == ("south", True)


def test_who_has_no_role_has_no_tenant(session: Session) -> None:
    hire(session)
    with transaction() as store:
        people.take_role(store, name="nora", role=Role.REVIEWER, tenant_id="default")
    assert tenants_of(db.session(), "nora") is None


def test_disabling_ends_every_session_and_enabling_revives_none(session: Session) -> None:
    hire(session)
    sessions = [session_of_nora(session), session_of_nora(session)]
    assert all(holds(one) for one in sessions)
    with transaction() as store:
        people.disable_person(store, name="nora", now=NOW)
    assert not any(holds(one) for one in sessions)
    with transaction() as store:
        people.enable_person(store, name="nora")
    assert not any(holds(one) for one in sessions)
    assert holds(session_of_nora(session))


def test_another_password_ends_every_session(session: Session) -> None:
    hire(session)
    kept = session_of_nora(session)
    with transaction() as store:
        people.set_password(store, name="nora", password=passwords.hashed("another long password"), now=NOW)
    assert not holds(kept)


@pytest.mark.parametrize(
    "change",
    [
        lambda store: people.disable_person(store, name="nobody", now=NOW),
        lambda store: people.enable_person(store, name="nobody"),
        lambda store: people.set_password(store, name="nobody", password=passwords.hashed(PASSWORD), now=NOW),
        lambda store: people.give_role(store, name="nobody", role=Role.ADMIN, tenant_id="default", now=NOW),
        lambda store: people.take_role(store, name="nobody", role=Role.ADMIN, tenant_id="default"),
    ],
)
def test_who_does_not_exist_cannot_be_changed(session: Session, change: Any) -> None:
    with pytest.raises(NotFound), transaction() as store:
        change(store)


def test_the_session_id_itself_is_not_stored(session: Session) -> None:
    hire(session)
    session_id = session_of_nora(session)
    raw = db.session.connection().exec_driver_sql("SELECT * FROM person_sessions").all()
    assert len(raw) == 1
    assert session_id not in repr(raw)


def test_no_transaction_waits_for_a_password_to_be_hashed(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    hired = [hire_in(app, name) for name in ("ada", "nora")]
    admin = app.test_client()
    sign_in(admin, "ada")
    open_meanwhile = []

    class Watched:
        def hash(self, password: str) -> str:
            open_meanwhile.append(bool(db.session().info.get(WRITE)))
            return HASHER.hash(password)

    monkeypatch.setattr(passwords, "HASHER", Watched())
    added = {"name": "eve", "password": PASSWORD, "role": "viewer"}
    assert post(admin, "/admin", added).status_code == 303
    changed = {"change": "password", "password": PASSWORD}
    assert post(admin, f"/admin/people/{hired[1]}", changed).status_code == 303
    run = app.test_cli_runner().invoke
    for command in (["create", "rosa", "--role", "viewer"], ["password", "rosa"]):
        assert run(args=["users", *command, "--password-stdin"], input=f"{PASSWORD}\n").exit_code == 0
    weak = run(args=["users", "password", "rosa", "--password-stdin"], input="short\n")
    assert (weak.exit_code, weak.output.startswith("Error: ")) == (1, True)
    assert open_meanwhile == [False] * 4
