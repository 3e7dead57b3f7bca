"""Fixtures of the whole suite: a store of each kind, an app on it, a client that reads HTML strictly.

A test that asks for ``store_url`` (or ``app``, ``client``, ``session``, which stand on it) runs once per kind of store;
``@pytest.mark.stores("sqlite")`` narrows that, ``pytest --store postgresql`` chooses from outside, and
``@pytest.mark.environ(NAME="value")`` changes the settings of the app under test, and ``@pytest.mark.filled(by=fill)`` gives each test a
copy of a store that ``fill(app)`` filled once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings

from tests.servers.live_server import LiveServer
from tests.servers.patience import be_patient
from tests.stores.filled import FilledStores
from tests.stores.makers import KINDS, PostgresStores, SqliteStores, environment
from tests.stores.postgres import PostgresMissing, PostgresServer
from tests.tools.bytecode import write_bytecode
from tests.tools.compiled_once import share_routes, share_statements, share_templates
from tests.tools.quick_hashes import hash_quickly
from tests.tools.rare_collections import collect_rarely
from tests.tools.strict_html import StrictHtmlClient

MakeApp = Callable[..., Flask]
write_bytecode()
share_routes()
share_statements()
hash_quickly()
be_patient()
collect_rarely()
# The same examples everywhere and every time, however long each takes: what fails on one machine fails on all.
settings.register_profile(
    "lotus",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("lotus")


def missing(reason: str) -> None:
    """Skip with one line on a machine that lacks something; fail where nothing may be skipped (``CI=true``)."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def marked_settings(node: pytest.Item | pytest.Collector) -> dict[str, str]:
    """Return the settings of the ``environ`` markers around a test or module, the nearest last."""
    values: dict[str, str] = {}
    for marker in reversed(list(node.iter_markers("environ"))):
        values.update(marker.kwargs)
    return values


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--store", choices=KINDS, help="run tests that need a store on this kind only")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "store_kind" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("stores")
    chosen = metafunc.config.getoption("--store")
    kinds = [kind for kind in (marker.args if marker else KINDS) if chosen in (None, kind)]
    metafunc.parametrize("store_kind", kinds, scope="function")


@pytest.fixture(scope="session")
def sqlite_stores() -> Iterator[SqliteStores]:
    """The maker of SQLite databases: ``create(migrated=True) -> url``, ``drop(url)``."""
    stores = SqliteStores()
    yield stores
    stores.close()


@pytest.fixture(scope="session")
def postgres_stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresStores]:
    """The maker of PostgreSQL databases on the server that all workers of this run share."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if worker else base) / "postgres"
    folder.mkdir(exist_ok=True)
    try:
        stores = PostgresStores(folder, worker or "only")
    except PostgresMissing as reason:
        missing(str(reason))
        return
    yield stores
    stores.close()


@pytest.fixture
def stores(store_kind: str, request: pytest.FixtureRequest) -> SqliteStores | PostgresStores:
    """The maker of databases of the kind under test."""
    return request.getfixturevalue("sqlite_stores" if store_kind == "sqlite" else "postgres_stores")


@pytest.fixture(scope="module")
def filled_stores() -> Iterator[FilledStores]:
    """``filled_stores(stores, fill) -> url`` of the store that ``fill(app)`` has filled, once a module and kind of store."""
    filled = FilledStores()
    yield filled
    filled.drop()


@pytest.fixture
def store_url(
    stores: SqliteStores | PostgresStores, filled_stores: FilledStores, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The SQLAlchemy URL of a database of this test's own: migrated, and empty but for what the marker ``filled`` says."""
    marker = request.node.get_closest_marker("filled")
    fill = marker.kwargs["by"] if marker else None
    if isinstance(fill, str):
        fill = request.getfixturevalue(fill)
    url = stores.copy(filled_stores(stores, fill)) if fill else stores.create()
    yield url
    stores.drop(url)


@pytest.fixture
def bare_store_url(stores: SqliteStores | PostgresStores) -> Iterator[str]:
    """The SQLAlchemy URL of a database with nothing in it, not even tables: for tests of migrations."""
    url = stores.create(migrated=False)
    yield url
    stores.drop(url)


@pytest.fixture
def environ(store_url: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings of the app under test; ``@pytest.mark.environ(NAME="value")`` adds and replaces, the nearest marker wins."""
    return {**environment(store_url), **marked_settings(request.node)}


@pytest.fixture
def make_app(environ: dict[str, str]) -> Iterator[MakeApp]:
    """``make_app(**settings) -> Flask``: one more app on the same store, as a second replica would be."""
    from lotus_web import create_app
    from lotus_web.config.settings import Settings

    made: list[Flask] = []

    def make(**settings: str) -> Flask:
        app = create_app(Settings.from_environ({**environ, **settings}))
        app.test_client_class = StrictHtmlClient
        app.testing = True
        share_templates(app)
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            for engine in app.extensions["sqlalchemy"].engines.values():
                engine.dispose()


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """The app under test on the store under test."""
    return make_app()


@pytest.fixture
def client(app: Flask) -> StrictHtmlClient:
    """A client of ``app`` that fails on malformed HTML."""
    client = app.test_client()
    assert isinstance(client, StrictHtmlClient)
    return client


@pytest.fixture
def session(app: Flask) -> Iterator[Any]:
    """The SQLAlchemy session inside an app context, for services and queries; requests of ``client`` do not see this context."""
    with app.app_context():
        yield app.extensions["sqlalchemy"].session


@pytest.fixture
def postgres_server() -> Iterator[PostgresServer]:
    """A running PostgreSQL of this test's own, for outages: ``stop()``, ``start()``, ``url(database)``. Half a second each."""
    try:
        server = PostgresServer()
    except PostgresMissing as reason:
        missing(str(reason))
        return
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def live_server(environ: dict[str, str], tmp_path: Path) -> Iterator[LiveServer]:
    """A started gunicorn on the store under test: ``url``, ``flask(...)``, ``stop()``, ``start(workers=2)``. One second each."""
    server = LiveServer(environ, tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the project."""
    return Path(__file__).resolve().parents[1]
