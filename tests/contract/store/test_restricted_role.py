"""PostgreSQL with two roles: one owns the tables and migrates; the application, as one that owns nothing, does all that it does.

``deploy/postgres-roles.sh``, which compose.yaml runs, makes both. The tests of the gate are run once more as that role.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from lotus_web import create_app
from lotus_web.config import current
from lotus_web.config.settings import Settings
from lotus_web.domain.access import Role
from lotus_web.models.events.guards import GUARDED
from lotus_web.queries.health.doctor import diagnose
from lotus_web.queries.health.findings import State
from lotus_web.store.session import db, transaction
from tests.conftest import MakeApp, missing
from tests.contract.decisions.test_gate import *  # noqa: F403
from tests.stores.makers import environment
from tests.stores.postgres import PostgresMissing, PostgresServer, connect, create_database, find_binaries
from tests.support import everything, people
from tests.support.logs import log_settings

SCRIPT = Path(__file__).parents[3] / "deploy" / "postgres-roles.sh"
TEMPLATE = "migrated"
EVERYTHING = {
    "DPM_SUPPORTABILITY_RETENTION_DAYS": "1",
    "DPM_ARTIFACT_STORE_MODE": "PERSISTED",
    "DPM_LINEAGE_APIS_ENABLED": "true",
    "DPM_POLICY_PACKS_ENABLED": "true",
    "DPM_IDEMPOTENCY_HISTORY_APIS_ENABLED": "true",
}


@dataclass(frozen=True)
class Database:
    """One database as its superuser, its owner and its application see it."""

    root: str
    owner: str
    application: str


class TwoRoles:
    """A server on which the owner has migrated a database, and copies of it."""

    def __init__(self, server: PostgresServer) -> None:
        self.server, self.made = server, 0
        create_database(server.url(), TEMPLATE)
        self.make_roles(TEMPLATE)
        migrated = self.urls(TEMPLATE)
        with app_on(migrated.application, LOTUS_DATABASE_OWNER_URL=migrated.owner):
            upgrade()

    def make_roles(self, database: str) -> None:
        """Run the script as the container of the database does."""
        names = {"POSTGRES_USER": "postgres", "POSTGRES_DB": database, "PGHOST": str(self.server.folder)}
        passwords = {"LOTUS_OWNER_PASSWORD": "it's the owner's", "LOTUS_APP_PASSWORD": "it's the app's"}
        path = f"{find_binaries()}:{os.environ['PATH']}"
        subprocess.run(["sh", str(SCRIPT)], env={**names, **passwords, "PATH": path}, check=True)

    def urls(self, database: str) -> Database:
        """Return the addresses of a database."""
        root = self.server.url(database)
        return Database(root, root.replace("postgres@", "lotus_owner@"), root.replace("postgres@", "lotus_app@"))

    def copy(self) -> Database:
        """Return a copy of the migrated database."""
        self.made += 1
        name = f"copy_{self.made}"
        create_database(self.server.url(), name, TEMPLATE)
        return self.urls(name)


@contextmanager
def app_on(url: str, **settings: str) -> Iterator[Flask]:
    app = create_app(Settings.from_environ({**environment(url), **settings}))
    with app.app_context():
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()


@pytest.fixture(scope="module")
def two_roles() -> Iterator[TwoRoles]:
    try:
        server = PostgresServer()
    except PostgresMissing as reason:
        missing(str(reason))
        return
    try:
        server.start()
        yield TwoRoles(server)
    finally:
        server.remove()


@pytest.fixture
def database(two_roles: TwoRoles) -> Database:
    return two_roles.copy()


@pytest.fixture
def store_url(database: Database) -> str:
    """What the app under test, here and in the tests of the gate, connects to."""
    return database.application


def as_root(database: Database, *statements: str) -> None:
    with closing(connect(database.root)) as root:
        for statement in statements:
            root.execute(statement.encode())


def test_every_page_and_job_works_as_a_role_that_owns_nothing(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(**log_settings(tmp_path), **EVERYTHING)
    ids = everything.furnish(app, "Tilda")
    people.hire(app, "root", Role.ADMIN)
    client = app.test_client()
    people.sign_in(client, "root")
    for page in everything.pages(app, "GET", ids):
        assert client.get(page.path).status_code < 400, page
    for command in (("jobs", "tick"), ("audit", "verify"), ("workflow", "rebuild", "--check")):
        done = app.test_cli_runner().invoke(args=command)
        assert done.exit_code == 0, done.output


ATTACKS = (
    "ALTER TABLE dg_event_log DISABLE TRIGGER ALL",
    "ALTER TABLE dg_event_log ADD COLUMN x text",
    "DROP TRIGGER dg_event_log_append_only ON dg_event_log",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TRIGGER ours BEFORE INSERT ON dg_event_log FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE RULE ours AS ON INSERT TO dg_event_log DO INSTEAD NOTHING",
    "CREATE TABLE public.ours (x text)",
    "DROP TABLE dg_event_log",
    "SET session_replication_role = replica",
    "SET ROLE lotus_owner",
    "SET ROLE postgres",
    "ALTER ROLE lotus_app SUPERUSER",
    "GRANT lotus_owner TO lotus_app",
    "UPDATE alembic_version SET version_num = '0001'",
    "SELECT setval('dg_event_log_log_seq_seq', 1)",
    *(f"TRUNCATE {table} CASCADE" for table in sorted(GUARDED)),
)


def test_what_would_pass_the_guards_is_not_permitted(app: Flask) -> None:
    with app.app_context():
        for attack in ATTACKS:
            with pytest.raises(DatabaseError) as refused, transaction() as session:
                session.execute(text(attack))
            assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege), attack


PLANTED = {
    "is missing": "DROP TRIGGER dpm_runs_no_update ON dpm_runs",
    "is switched off": "ALTER TABLE dg_event_log DISABLE TRIGGER dg_event_log_append_only",
    "refuses nothing": "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN IF false THEN RAISE EXCEPTION ''x''; END IF; RETURN NEW; END'",
    "a superuser": "ALTER ROLE lotus_app SUPERUSER",
    "who owns 1 tables": "ALTER TABLE dg_event_log OWNER TO lotus_app",
    "tables and may drop their guards": "GRANT lotus_owner TO lotus_app",
    "who may make tables": "GRANT CREATE ON SCHEMA public TO lotus_app",
    "who may truncate or put triggers on 1 tables": "GRANT TRIGGER ON dg_event_log TO lotus_app",
    "session_replication_role is replica": "ALTER ROLE lotus_app SET session_replication_role = replica",
}
BACK = (
    "ALTER ROLE lotus_app NOSUPERUSER",
    "REVOKE lotus_owner FROM lotus_app",
    "ALTER ROLE lotus_app RESET session_replication_role",
)


def wrong(url: str, folder: Path) -> list[str]:
    production = {"LOTUS_ENV": "production", "LOTUS_SECRET_KEY": os.urandom(32).hex(), **log_settings(folder)}
    with app_on(url, **production):
        found = diagnose(db.session(), current.settings(), now=current.utcnow()).findings
    return [one.says for one in found if one.state is State.WRONG]


@pytest.mark.parametrize("says", PLANTED)
def test_the_doctor_finds_what_would_let_the_application_pass(database: Database, tmp_path: Path, says: str) -> None:
    assert wrong(database.application, tmp_path) == []
    try:
        as_root(database, PLANTED[says])
        found = wrong(database.application, tmp_path)
    finally:
        as_root(database, *BACK)
    assert found
    assert all(says in one or "refuses nothing" in says for one in found), found
    assert any(says in one for one in found), found


def test_one_role_for_all_is_a_note_in_development_and_wrong_in_production(database: Database, tmp_path: Path) -> None:
    with app_on(database.owner):
        found = diagnose(db.session(), current.settings(), now=current.utcnow()).findings
    notes = [one for one in found if one.check == "database role"]
    assert [one.state for one in notes] == [State.NOTE]
    assert "lotus_owner, who owns" in notes[0].says
    assert wrong(database.owner, tmp_path) == [notes[0].says]


def test_a_store_of_one_role_is_handed_over_to_two(two_roles: TwoRoles, tmp_path: Path) -> None:
    create_database(two_roles.server.url(), "earlier")
    urls = two_roles.urls("earlier")
    with app_on(urls.root):
        upgrade(revision="0027")
    two_roles.make_roles("earlier")
    with app_on(urls.application, LOTUS_DATABASE_OWNER_URL=urls.owner):
        upgrade()
        db.session.remove()
        downgrade(revision="-1")
        upgrade()
    assert wrong(urls.application, tmp_path) == []
