"""While the store is away every address says so, nothing pretends to have worked, and afterwards all is as before (delta 20).

The addresses are those of the app: one that is added later is asked, too.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Semaphore
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from psycopg import sql
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from lotus_web import create_app
from lotus_web.api.openapi.bodies import ANALYZE
from lotus_web.config.current import utcnow
from lotus_web.config.settings import Settings
from lotus_web.jobs.context import JobContext
from lotus_web.jobs.operations import run_due
from lotus_web.models import IdempotencyKey, Operation
from lotus_web.queries.support.summary import counted
from lotus_web.services.support import recount
from lotus_web.store.session import db, transaction
from lotus_web.web.guard.access import is_json_blueprint
from tests.contract.callers import ALL, review_request
from tests.contract.endpoint.test_route_matrix import Cell, World, cells, make_world
from tests.servers.patience import PATIENCE
from tests.stores import postgres
from tests.stores.makers import environment, migrate
from tests.stores.postgres import PostgresServer
from tests.support.histories import assert_provable, count
from tests.support.people import PASSWORD, csrf_token, hire, sign_in
from tests.tools.strict_html import StrictHtmlClient

FEATURES = {
    "DPM_WORKFLOW_ENABLED": "true",
    "DPM_LINEAGE_APIS_ENABLED": "true",
    "DPM_IDEMPOTENCY_HISTORY_APIS_ENABLED": "true",
    "LOTUS_METRICS_ACCESS": "token",
}
HEALTH = {"GET /health", "GET /health/ready"}
# What needs no store: whether the process lives, and what is the same for everybody.
# The configuration of proposals says itself that the store is away (delta 40).
WITHOUT_STORE = {
    "GET /health/live",
    "GET /openapi.json",
    "GET /rebalance/proposals/supportability/config",
    "GET /api/v1/rebalance/proposals/supportability/config",
}
# Without a token to look up, these answer from the program alone; the figures then say that the store is away.
WITHOUT_TOKEN = {"GET /api/v1/workflow-studio/templates", "GET /api/v1/reason-codes", "GET /metrics"}
UNAVAILABLE = {"store": "unavailable", "migrations": "unknown", "jobs": "unknown"}


@dataclass
class Site:
    """An app with a run, an operation, a program with a token and someone who is signed in."""

    app: Flask
    world: World
    bearer: str
    ada: FlaskClient
    token: str

    def answers(self) -> dict[str, TestResponse]:
        """Ask every JSON route, with a body that it would take."""
        return {f"{cell.method} {cell.rule}": self.ask(cell) for cell in cells(self.app)}

    def ask(self, cell: Cell) -> TestResponse:
        return self.world.ask(cell, self.bearer, body=True)

    def pages(self) -> dict[str, TestResponse]:
        """Open every page, send every form; what only the form of the sign-in needs the others ignore."""
        form = {"csrf_token": self.token, "name": "ada", "password": PASSWORD}
        return {
            f"{method} {endpoint}": self.ada.open(
                path, method=method, data=form if method == "POST" else None, buffered=True
            )
            for endpoint, method, path in self.addresses()
        }

    def addresses(self) -> list[tuple[str, str, str]]:
        ids = self.world.ids | {"run_id": self.world.ids["rebalance_run_id"], "filename": "favicon.svg"}
        with self.app.test_request_context():
            adapter = self.app.create_url_adapter(request)
            assert adapter is not None
            found = [
                (
                    rule.endpoint,
                    method,
                    adapter.build(rule.endpoint, {name: ids.get(name, "x") for name in rule.arguments}, method=method),
                )
                for rule in self.app.url_map.iter_rules()
                if not is_json_blueprint(rule.endpoint.partition(".")[0])
                for method in sorted((rule.methods or set()) & {"GET", "POST"})
            ]
        return sorted(found, key=lambda address: address[0].startswith("sign_in."))

    def rows(self) -> dict[str, int]:
        """Count everything in the store."""
        with self.app.app_context():
            tables = db.metadata.sorted_tables
            return {table.name: db.session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}

    def disconnect(self) -> None:
        with self.app.app_context():
            for engine in self.app.extensions["sqlalchemy"].engines.values():
                engine.dispose()


def site_on(url: str, **settings: str) -> Site:
    app = create_app(Settings.from_environ(environment(url) | FEATURES | settings))
    app.test_client_class = StrictHtmlClient
    world, ada = make_world(app), app.test_client()
    hire(app, "ada")
    assert sign_in(ada, "ada").status_code == 303
    return Site(app, world, world.bearer(*ALL), ada, csrf_token(ada))


def assert_away(site: Site) -> None:
    for auth in ("required", "disabled"):
        # With authentication off the failure comes later, in the route's own query.
        site.app.extensions["lotus_settings"].environ["LOTUS_API_AUTH"] = auth
        without = WITHOUT_STORE | (WITHOUT_TOKEN if auth == "disabled" else set())
        for name, answer in site.answers().items():
            if name in without:
                assert answer.status_code == 200, name
                assert name != "GET /metrics" or "lotus_store_up 0.0" in answer.text
                continue
            assert answer.status_code == 503, (name, answer.text)
            assert answer.headers["X-Correlation-Id"], name
            assert answer.headers["Retry-After"] == "5", name
            if name in HEALTH:
                assert answer.json == {"status": "unavailable", "checks": UNAVAILABLE}
            elif name.partition(" ")[2].startswith("/api/v1/") and "/rebalance/" not in name:
                assert answer.json["error"]["code"] == "store_unavailable", name
            else:
                assert answer.json == {"detail": "DPM_STORE_UNAVAILABLE"}, name
    for name, page in site.pages().items():
        if name == "GET static":
            assert page.status_code == 200
            continue
        assert (page.status_code, page.mimetype) == (503, "text/html"), (name, page.text)
        assert "The store cannot be reached" in page.text, name
        assert page.headers["Retry-After"], name


def assert_back(site: Site, before: dict[str, int]) -> None:
    assert site.rows() == before
    site.app.extensions["lotus_settings"].environ["LOTUS_API_AUTH"] = "required"
    assert site.app.test_client().get("/health/ready").json["status"] == "ok"
    broken = {name: answer.status_code for name, answer in site.answers().items() if answer.status_code >= 500}
    assert broken == {}
    for name, page in site.pages().items():
        assert page.status_code < 500, name
        # Who was signed in still is; signing out comes last.
        assert (page.status_code != 401 and "/login" not in (page.location or "")) or name.split()[1].startswith(
            ("sign_in.", "by_passkey.")
        ), name


Outage = Callable[[], None]


@pytest.fixture(params=["sqlite", "postgresql"])
def away_and_back(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Outage, Outage]:
    """The URL of a store, how it goes away, and how it comes back."""
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        postgres.create_database(server.url(), "lotus")
        return server.url("lotus"), server.stop, server.start
    folder, elsewhere = tmp_path / "instance", tmp_path / "elsewhere"
    folder.mkdir()
    return (
        f"sqlite:///{folder / 'lotus.db'}",
        lambda: shutil.move(folder, elsewhere),
        lambda: shutil.move(elsewhere, folder),
    )


def test_every_address_says_that_the_store_is_away_and_works_once_it_is_back(
    away_and_back: tuple[str, Outage, Outage],
) -> None:
    url, go_away, come_back = away_and_back
    migrate(url)
    site = site_on(url)
    before = site.rows()
    if url.startswith("sqlite"):
        site.disconnect()  # an open file stays where it was moved to
    go_away()
    assert_away(site)
    come_back()
    assert_back(site, before)
    site.disconnect()


def test_a_server_that_dies_in_the_middle_of_traffic_leaves_all_that_it_answered_and_nothing_by_halves(
    postgres_server: PostgresServer,
) -> None:
    postgres.create_database(postgres_server.url(), "lotus")
    # The server of the tests is quick and forgetful; a power cut is survived by what is flushed.
    postgres.run_maintenance(postgres_server.url(), sql.SQL("ALTER DATABASE lotus SET synchronous_commit = on"))
    migrate(postgres_server.url("lotus"))
    site = site_on(postgres_server.url("lotus"))
    runs_before, operations_before = (site.rows()[table] for table in ("dpm_runs", "dpm_operations"))
    traffic = Traffic(site)
    with ThreadPoolExecutor(4) as pool:
        callers = [pool.submit(traffic.simulate, number) for number in range(3)] + [pool.submit(traffic.analyze)]
        try:
            for _ in range(20):
                assert traffic.answered.acquire(timeout=PATIENCE)
        finally:
            postgres_server.stop(postgres.CRASH)
        for caller in callers:
            caller.result(timeout=PATIENCE)
    assert sorted(answer.status_code for answer in traffic.unanswered.values()) == [503] * len(callers)
    postgres_server.start()

    with site.app.app_context():
        # What lapses in a minute lapses now: the keys and the operations of workers that died.
        with transaction() as session:
            session.execute(
                update(IdempotencyKey)
                .where(IdempotencyKey.rebalance_run_id.is_(None))
                .values(reserved_until=IdempotencyKey.created_at)
            )
            session.execute(update(Operation).where(Operation.due_at.is_not(None)).values(due_at=Operation.created_at))
        run_due(JobContext(site.app.extensions["lotus_settings"]), utcnow())
    again = {key: traffic.send(key) for key in traffic.keys}
    assert {key: again[key].data for key in traffic.simulated} == {
        key: answer.data for key, answer in traffic.simulated.items()
    }
    assert {answer.status_code for answer in again.values()} == {200}
    rows = site.rows()
    operations = rows["dpm_operations"] - operations_before
    assert operations - len(traffic.accepted) in (0, 1)
    assert rows["dpm_runs"] - runs_before == len(again) + operations * len(ANALYZE["scenarios"])
    assert rows["dpm_run_payloads"] == rows["dpm_runs"]
    with site.app.app_context():
        assert count("dpm_operations", "status <> 'SUCCEEDED'") == 0
        assert counted(db.session(), "default") == recount(db.session(), "default")
        assert_provable()
    site.disconnect()


class Traffic:
    """Programs that send until the store is away."""

    def __init__(self, site: Site):
        self.app = site.app
        self.headers = {"Authorization": f"Bearer {site.bearer}"}
        self.answered = Semaphore(0)
        self.simulated: dict[str, TestResponse] = {}
        self.accepted: dict[str, TestResponse] = {}
        self.unanswered: dict[str, TestResponse] = {}

    @property
    def keys(self) -> list[str]:
        return [*self.simulated, *(name for name in self.unanswered if name.startswith("key"))]

    def simulate(self, caller: int) -> None:
        self._until_away(self.send, self.simulated, f"key-{caller}")

    def analyze(self) -> None:
        self._until_away(lambda _: self._post("analyze/async", ANALYZE), self.accepted, "analysis")

    def _until_away(self, send: Callable[[str], TestResponse], done: dict[str, TestResponse], name: str) -> None:
        for number in itertools.count():
            answer = send(f"{name}-{number}")
            if answer.status_code not in (200, 202):
                self.unanswered[f"{name}-{number}"] = answer
                return
            done[f"{name}-{number}"] = answer
            self.answered.release()

    def send(self, key: str) -> TestResponse:
        return self._post("simulate", review_request(), {"Idempotency-Key": key})

    def _post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> TestResponse:
        address = f"/api/v1/rebalance/{path}"
        return self.app.test_client().post(address, json=body, headers=self.headers | (headers or {}))
