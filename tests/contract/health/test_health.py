"""Health: alive without the store, ready with a migrated one, open to everyone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from lotus_web.jobs.schedule import JOBS
from lotus_web.jobs.scheduler import Scheduler
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
