"""Health: alive without the store, ready with a migrated one, open to everyone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from lotus_web.jobs.schedule import JOBS
from lotus_web.jobs.scheduler import Scheduler
from lotus_web.store.session import db
from tests.contract.callers import Caller

FINE = {"status": "ok", "checks": {"store": "ok", "migrations": "ok", "jobs": "off"}}


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
def test_a_migrated_store_is_ready(app: Flask, path: str) -> None:
    answer = app.test_client().get(path)
    assert (answer.status_code, answer.json) == (200, FINE)


def test_liveness_asks_the_store_nothing(engine: Caller, statements: Callable[[], Any]) -> None:
    engine.prefix = ""
    with statements() as sent:
        answer = engine.get("/health/live")
    assert (answer.status_code, answer.json, sent) == (200, {"status": "ok"}, [])


def test_a_store_that_was_never_migrated_is_not_ready(bare_store_url: str) -> None:
    from lotus_web import create_app
    from lotus_web.config.settings import Settings
    from tests.stores.makers import environment

    app = create_app(Settings.from_environ(environment(bare_store_url)))
    answer = app.test_client().get("/health/ready")
    assert (answer.status_code, answer.json["checks"]) == (
        503,
        {"store": "ok", "migrations": "behind", "jobs": "unknown"},
    )
    with app.app_context():
        for store in app.extensions["sqlalchemy"].engines.values():
            store.dispose()


@pytest.mark.stores("postgresql")
def test_a_database_that_takes_no_writes_is_not_ready(app: Flask) -> None:
    client = app.test_client()
    with app.app_context():
        name = db.engine.url.database
        for mode, status, store in (("on", 503, "read_only"), ("off", 200, "ok")):
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("SET default_transaction_read_only = off"))
                # A standby says the same of each of its transactions.
                connection.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {mode}'))
            db.engine.dispose()
            answer = client.get("/health/ready")
            assert (answer.status_code, answer.json["checks"]["store"]) == (status, store)


@pytest.mark.stores("sqlite")
def test_a_file_that_cannot_be_changed_is_not_ready(app: Flask) -> None:
    client = app.test_client()
    path = Path(app.config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///"))
    assert client.get("/health/ready").json["checks"]["store"] == "ok"
    with somebody_else(path):
        answer = client.get("/health/ready")
        assert "wrong store: This store takes no writes" in app.test_cli_runner().invoke(args=["doctor"]).stdout
    assert (answer.status_code, answer.json["checks"]["store"]) == (503, "read_only")
    assert client.get("/health/ready").status_code == 200


@contextmanager
def somebody_else(path: Path) -> Iterator[None]:
    """Make this process one that may only read a file: modes do not hold root back, so it becomes another user."""
    mode, user = path.stat().st_mode, os.geteuid()
    path.chmod(0o444)
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)
        path.chmod(mode)


@pytest.mark.environ(LOTUS_JOBS="external")
def test_silent_jobs_are_told_and_fail_nothing(app: Flask) -> None:
    client = app.test_client()
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json["checks"]["jobs"]) == (200, "silent")
    scheduler = Scheduler(app, app.extensions["lotus_settings"])
    scheduler.renew()
    for job in JOBS:
        scheduler.tick(job)
    assert client.get("/health/ready").json["checks"]["jobs"] == "ok"
