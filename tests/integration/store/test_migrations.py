"""Migrations: replicas that start at the same moment, the way back and forth, and no drift from the models."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import create_engine, event, inspect, text

from lotus_web import create_app
from lotus_web.config.settings import Settings
from lotus_web.domain.access import Role
from lotus_web.domain.decisions.gate import GateAction
from lotus_web.queries.deliveries.undelivered import undelivered_counts
from lotus_web.queries.notifications import notification_page
from lotus_web.store.session import db, transaction
from tests.servers.patience import PATIENCE
from tests.stores.makers import environment
from tests.support.events import person
from tests.support.histories import APPEND_ONLY, assert_provable, decide, record

ROOT = Path(__file__).parents[3]
REPLICA = """
import os, sys
from flask_migrate import upgrade
from lotus_web import create_app
from tests.servers.patience import be_patient
be_patient()
app = create_app()
print("ready", flush=True)
sys.stdin.readline()
with app.app_context():
    upgrade()
print("upgraded", flush=True)
"""


def replica(url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", REPLICA],
        cwd=ROOT,
        env={**environment(url), "PATH": "/usr/bin:/bin"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def app_on(url: str) -> Iterator[Flask]:
    """An app within its context; no connection of it is left open, however the test ends."""
    app = create_app(Settings.from_environ(environment(url)))
    with app.app_context():
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()


def test_replicas_that_start_at_once_upgrade_the_store_once(bare_store_url: str) -> None:
    with ExitStack() as running:
        replicas = [running.enter_context(replica(bare_store_url)) for _ in range(3)]
        for one in replicas:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        for one in replicas:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        ends = [(*one.communicate(timeout=PATIENCE), one.returncode) for one in replicas]
    for out, err, returned in ends:
        assert (returned, out) == (0, "upgraded\n"), err
    engine = create_engine(bare_store_url)
    assert set(APPEND_ONLY) <= set(inspect(engine).get_table_names())
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar_one() == 1
    engine.dispose()


def test_an_upgrade_that_breaks_off_leaves_the_store_as_it_was(bare_store_url: str) -> None:
    """What is not seen by halves afterwards is not seen by halves meanwhile either, by a replica that starts then."""

    class PowerCut(Exception):
        pass

    def after_the_first_step(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE alembic_version"):
            raise PowerCut

    with app_on(bare_store_url):
        event.listen(db.engine, "before_cursor_execute", after_the_first_step)
        with pytest.raises(PowerCut):
            upgrade()
        event.remove(db.engine, "before_cursor_execute", after_the_first_step)
        assert inspect(db.engine).get_table_names() == []


def test_the_way_back_and_forth_ends_where_it_began(bare_store_url: str) -> None:
    with app_on(bare_store_url):
        upgrade()
        before = set(inspect(db.engine).get_table_names())
        downgrade(revision="base")
        db.engine.dispose()
        assert set(inspect(db.engine).get_table_names()) <= {"alembic_version", "sqlite_sequence"}
        upgrade()
        db.engine.dispose()
        assert set(inspect(db.engine).get_table_names()) == before
        with transaction() as session:
            record(session, 1)
            decide(session, 1, GateAction.APPROVE)
        assert_provable()


def test_a_history_survives_the_newest_migration_back_and_forth(store_url: str) -> None:
    with app_on(store_url):
        with transaction() as session:
            record(session, 1)
            decide(session, 1, GateAction.APPROVE)
        db.session.remove()
        downgrade(revision="-1")
        upgrade()
        assert_provable()


NOTICE = """
INSERT INTO dg_workflow_notifications (notification_id, tenant_id, workflow_id, trace_id, category, channel, status,
    message, recipient_role, payload, dedupe_key, created_at, delivered_at)
VALUES (:id, 'default', 't:exception:ex', 't', 'failure', :channel, :status, 'Something was told.', 'reviewer', '{}', :id,
    '2026-11-03 12:00:00.000000', :delivered_at)
"""


def test_notices_of_earlier_versions_stay_readable_and_what_waits_becomes_a_delivery(store_url: str) -> None:
    def statuses() -> list[tuple[str, str, bool]]:
        query = "SELECT notification_id, status, delivered_at IS NULL FROM dg_workflow_notifications ORDER BY 1"
        with db.engine.connect() as connection:
            return [(row[0], row[1], bool(row[2])) for row in connection.execute(text(query))]

    with app_on(store_url):
        downgrade(revision="0012")
        with db.engine.begin() as connection:
            for name, channel in (
                ("ntf_done", "operator_console"),
                ("ntf_left", "operator_console"),
                ("ntf_mail", "mail"),
            ):
                at = "2026-11-03 12:00:00.000000" if name == "ntf_done" else None
                status = "pending" if at is None else "delivered"
                connection.execute(text(NOTICE), {"id": name, "channel": channel, "status": status, "delivered_at": at})
        before = statuses()
        upgrade()
        assert {(status, waits) for _, status, waits in statuses()} == {("delivered", False)}
        assert undelivered_counts(db.session()).waiting == {"mail": 1}
        page = notification_page(db.session(), person("nora", Role.REVIEWER), limit=10)
        assert {str(row.sentence) for row in page.items} == {"Something was told."}
        db.session.remove()
        downgrade(revision="0012")
        assert [one for one in statuses() if one[0] != "ntf_left"] == [one for one in before if one[0] != "ntf_left"]
        upgrade()
        assert undelivered_counts(db.session()).waiting == {"mail": 1}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_check_command_finds_no_drift(store_url: str) -> None:
    with app_on(store_url) as app:
        done = app.test_cli_runner().invoke(args=["db", "check"])
    assert done.exit_code == 0, done.output
