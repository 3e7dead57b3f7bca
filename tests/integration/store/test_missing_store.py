"""A path that leads to no database: every command says so in one line and leaves nothing there; migrating makes one."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from lotus_web import create_app
from lotus_web.config.settings import Settings
from tests.stores.makers import environment

COMMANDS = (
    "audit verify",
    "audit verify --tenant alpine",
    "users list",
    "users disable rosa",
    "tokens list",
    "policy-packs list",
    "workflow rebuild --check",
    "workflow backfill",
    "jobs tick --dry-run",
    "jobs tick",
    "demo load",
)


@pytest.fixture
def mistyped(tmp_path: Path) -> Path:
    return tmp_path / "instnace" / "lotus.db"


@pytest.fixture
def lost(mistyped: Path) -> Flask:
    """An app whose store is not where its settings say."""
    settings = environment(f"sqlite:///{mistyped}") | {"DPM_WORKFLOW_ENABLED": "true"}
    return create_app(Settings.from_environ(settings))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_in_one_line_that_there_is_no_store(lost: Flask, mistyped: Path, command: str) -> None:
    done = lost.test_cli_runner().invoke(args=command.split())
    assert done.exit_code == 1
    assert done.stderr == f"Error: There is no database at {mistyped}; `flask --app app db upgrade` makes a new one.\n"
    assert not mistyped.parent.exists()


def test_the_doctor_finds_no_store_and_makes_none(lost: Flask, mistyped: Path) -> None:
    done = lost.test_cli_runner().invoke(args=["doctor"])
    assert done.exit_code == 1
    assert f"wrong store: sqlite:///{mistyped} does not answer: There is no database at {mistyped};" in done.stdout
    assert not mistyped.parent.exists()


@pytest.mark.parametrize("command", ["current", "check"])
def test_looking_where_the_migrations_stand_makes_no_store(
    lost: Flask, mistyped: Path, command: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert lost.test_cli_runner().invoke(args=["db", command]).exit_code == 1
    assert f"There is no database at {mistyped};" in caplog.text
    assert not mistyped.parent.exists()


def test_the_web_waits_for_the_store_and_makes_none(lost: Flask, mistyped: Path) -> None:
    client = lost.test_client()
    assert client.get("/health/live").status_code == 200
    assert client.get("/health/ready").status_code == 503
    unknown = {"Authorization": f"Bearer lw_tok0123456789abcdef_{'x' * 43}"}
    assert client.get("/rebalance/runs", headers=unknown).status_code == 503
    assert not mistyped.parent.exists()


def test_migrating_makes_the_store_with_its_folder(lost: Flask, mistyped: Path) -> None:
    run = lost.test_cli_runner().invoke
    assert run(args=["db", "upgrade"]).exit_code == 0
    assert mistyped.stat().st_size > 0
    assert run(args=["users", "list"]).exit_code == 0
    with lost.app_context():
        lost.extensions["sqlalchemy"].engines[None].dispose()


def test_a_tenant_without_a_log_is_named_and_proves_nothing(app: Flask) -> None:
    for command in ("audit verify", "workflow rebuild --check"):
        done = app.test_cli_runner().invoke(args=[*command.split(), "--tenant", "alpnie"])
        assert (done.exit_code, done.stdout) == (2, "")
        assert "Invalid value for --tenant: alpnie has no log here; no tenant has one." in done.stderr


@pytest.mark.stores("sqlite")
def test_a_document_that_cannot_be_written_is_refused_in_one_line(app: Flask, tmp_path: Path) -> None:
    place = tmp_path / "missing" / "openapi.json"
    done = app.test_cli_runner().invoke(args=["openapi", "--out", str(place)])
    assert (done.exit_code, done.stderr) == (1, f"Error: {place} cannot be written: No such file or directory.\n")
