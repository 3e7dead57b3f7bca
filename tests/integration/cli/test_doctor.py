"""`flask doctor` says what is wrong and how to mend it, and shows no secret."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask

from lotus_web import create_app
from lotus_web.config.settings import Settings
from lotus_web.jobs.context import JobContext
from lotus_web.jobs.schedule import Job
from lotus_web.jobs.scheduler import run_job
from lotus_web.models import TenantRuntime
from lotus_web.store.session import transaction
from tests.stores.makers import SECRET_KEY, environment
from tests.stores.postgres import PostgresServer
from tests.support.people import hire


def test_a_sound_installation_is_called_so(app: Flask) -> None:
    hire(app, "ada")
    told = app.test_cli_runner().invoke(args=["doctor"])
    assert told.exit_code == 0, told.output
    for line in ("ok    store:", "ok    migrations:", "ok    people: 1 may sign in."):
        assert line in told.stdout
    assert "wrong" not in told.stdout


def test_settings_are_shown_as_they_hold_and_secrets_are_not(app: Flask) -> None:
    told = app.test_cli_runner().invoke(args=["doctor"]).stdout
    assert "* LOTUS_SECRET_KEY=hidden" in told
    assert SECRET_KEY not in told
    assert "  DPM_WORKFLOW_ENABLED=false" in told
    assert "  LOTUS_SESSION_HOURS=12" in told


@pytest.mark.stores("sqlite")
def test_every_setting_is_shown(app: Flask) -> None:
    told = app.test_cli_runner().invoke(args=["doctor"]).stdout
    assert [setting.name for setting in Settings.all() if f" {setting.name}=" not in told] == []


@pytest.mark.stores("sqlite")
def test_a_setting_that_went_bad_is_named(app: Flask, environ: dict[str, str]) -> None:
    app.extensions["lotus_settings"] = Settings({**environ, "LOTUS_SESSION_HOURS": "many"})
    told = app.test_cli_runner().invoke(args=["doctor"])
    assert told.exit_code == 1
    assert "LOTUS_SESSION_HOURS='many'" in told.stdout


def test_a_store_without_tables_is_to_be_migrated(bare_store_url: str) -> None:
    app = create_app(Settings.from_environ(environment(bare_store_url)))
    told = app.test_cli_runner().invoke(args=["doctor"])
    assert told.exit_code == 1
    assert "wrong migrations: The store is at no migration at all" in told.stdout
    assert "fix: flask --app app db upgrade" in told.stdout
    with app.app_context():
        app.extensions["sqlalchemy"].engines[None].dispose()


def test_a_store_of_a_newer_version_is_told_apart(app: Flask) -> None:
    with app.app_context(), transaction() as store:
        store.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    told = app.test_cli_runner().invoke(args=["doctor"])
    assert told.exit_code == 1
    assert "which this version does not know" in told.stdout


def test_a_store_that_does_not_answer_is_named_without_its_password(postgres_server: PostgresServer) -> None:
    url = postgres_server.url().replace("postgres@", "postgres:hunter2@")
    postgres_server.stop()
    app = create_app(Settings.from_environ(environment(url)))
    told = app.test_cli_runner().invoke(args=["doctor"])
    assert told.exit_code == 1
    assert "wrong store: postgresql+psycopg://postgres:***@/postgres does not answer:" in told.stdout
    assert "hunter2" not in told.output


def test_a_chain_whose_head_is_not_its_last_entry_is_wrong(app: Flask) -> None:
    moment = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
    with app.app_context(), transaction() as store:
        store.add(TenantRuntime(tenant_id="default", last_log_seq=7, head_hash="x", entry_count=7, updated_at=moment))
    told = app.test_cli_runner().invoke(args=["doctor"])
    assert told.exit_code == 1
    assert "wrong chain of default:" in told.stdout
    assert "audit verify --tenant default" in told.stdout


@pytest.mark.stores("sqlite")
@pytest.mark.environ(LOTUS_SECRET_KEY="", DPM_SUPPORTABILITY_STORE_BACKEND="IN_MEMORY")
def test_what_is_worth_knowing_is_no_failure(app: Flask) -> None:
    told = app.test_cli_runner().invoke(args=["doctor"])
    assert told.exit_code == 0
    for words in (
        "its data is lost when the process ends",
        "everyone is signed out",
        "Nobody can sign in",
        "No process runs",
    ):
        assert words in told.stdout


def test_a_job_that_failed_is_told_with_what_it_said(app: Flask) -> None:
    def stumble(*_: object) -> dict[str, object]:
        raise KeyError("PF-7")

    settings = app.extensions["lotus_settings"]
    with app.app_context(), pytest.raises(KeyError):
        run_job(Job("sla", stumble, lambda _: 30), JobContext(settings), owner="a", now=datetime.now(UTC))
    told = app.test_cli_runner().invoke(args=["doctor"]).stdout
    assert "note  job sla: It failed at " in told
    assert "KeyError: 'PF-7'" in told
    with app.app_context():
        run_job(Job("sla", lambda *_: {}, lambda _: 30), JobContext(settings), owner="a", now=datetime.now(UTC))
    assert "job sla" not in app.test_cli_runner().invoke(args=["doctor"]).stdout


@pytest.mark.stores("sqlite")
def test_the_doctor_checks_the_list_only_when_it_is_asked_for(app: Flask) -> None:
    runner = app.test_cli_runner()
    plain, strict = runner.invoke(args=["doctor"]), runner.invoke(args=["doctor", "--profile", "bank"])
    assert "bank:" not in plain.stdout
    assert strict.exit_code == 1
    assert "wrong bank: Not so: Decisions are signed." in strict.stdout
    assert "fix: Set LOTUS_SIGN_DECISIONS to override or all." in strict.stdout
