"""While the store is away every route says so, nothing pretends to have worked, and afterwards all is as before (delta 20)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from flask import Flask

from lotus_web import create_app
from lotus_web.settings import Settings
from tests import postgres
from tests.contract.callers import ENGINE, Caller, ready_request
from tests.postgres import PostgresServer
from tests.stores import environment, migrate

DECISION = {"action": "APPROVE", "reason_code": "OK", "actor_id": "rosa"}
GETS = (
    "/rebalance/runs",
    "/rebalance/runs/x",
    "/rebalance/runs/x/artifact",
    "/rebalance/runs/by-correlation/x",
    "/rebalance/runs/by-request-hash/x",
    "/rebalance/runs/idempotency/x",
    "/rebalance/runs/x/workflow",
    "/rebalance/runs/x/workflow/history",
    "/rebalance/workflow/decisions",
    "/rebalance/workflow/decisions/by-correlation/x",
)
AWAY = {"detail": "DPM_STORE_UNAVAILABLE"}


def assert_away(app: Flask, *, auth: str) -> None:
    """Check every route; with authentication off the failure comes later, in the route's own query."""
    app.extensions["lotus_settings"].environ["LOTUS_API_AUTH"] = auth
    caller = Caller(app.test_client(), ENGINE, "lw_tok0123456789abcdef_" + "x" * 43)
    answers = {path: caller.get(path) for path in GETS}
    answers["decide"] = caller.send("POST", "/rebalance/runs/x/workflow/actions", json=DECISION)
    answers["simulate"] = caller.simulate()
    assert {name: (answer.status_code, answer.json) for name, answer in answers.items()} == dict.fromkeys(
        answers, (503, AWAY)
    )
    assert all(answer.headers["X-Correlation-Id"] for answer in answers.values())


def assert_unready(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/health/live").status_code == 200
    for path in ("/health", "/health/ready"):
        answer = client.get(path)
        assert (answer.status_code, answer.json["status"]) == (503, "unavailable")
        assert answer.json["checks"] == {"store": "unavailable", "migrations": "unknown", "jobs": "unknown"}


@pytest.mark.parametrize("auth", ["required", "disabled"])
def test_a_sqlite_file_that_cannot_be_opened(tmp_path: Path, auth: str) -> None:
    folder = tmp_path / "instance"
    settings = environment(f"sqlite:///{folder / 'lotus.db'}") | {"DPM_WORKFLOW_ENABLED": "true"}
    app = create_app(Settings.from_environ(settings))
    shutil.rmtree(folder)
    assert_away(app, auth=auth)
    assert_unready(app)


def test_a_postgresql_server_that_stops_and_comes_back(postgres_server: PostgresServer) -> None:
    postgres.create_database(postgres_server.url(), "lotus")
    url = postgres_server.url("lotus")
    migrate(url)
    app = create_app(
        Settings.from_environ(environment(url) | {"DPM_WORKFLOW_ENABLED": "true", "LOTUS_API_AUTH": "disabled"})
    )
    caller = Caller(app.test_client(), "anonymous", "")
    before = caller.simulate(ready_request(), key="before")
    postgres_server.stop()
    assert_away(app, auth="disabled")
    assert_unready(app)
    postgres_server.start()
    assert caller.simulate(ready_request(), key="before").data == before.data
    assert app.test_client().get("/health/ready").status_code == 200
    assert len(caller.get("/rebalance/runs").json["items"]) == 1
    with app.app_context():
        for engine in app.extensions["sqlalchemy"].engines.values():
            engine.dispose()
