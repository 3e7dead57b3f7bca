"""Requests that the document allows, and requests that it forbids, get only answers that the document describes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy, one_of
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from lotus_web import create_app
from lotus_web.config.settings import Settings
from tests.contract.callers import ALL, Caller, bearer_of, review_request
from tests.stores.makers import KINDS, environment

DOCUMENT = json.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_text(encoding="utf-8"))
EVERYTHING_ON = {
    "DPM_WORKFLOW_ENABLED": "true",
    "DPM_LINEAGE_APIS_ENABLED": "true",
    "DPM_IDEMPOTENCY_HISTORY_APIS_ENABLED": "true",
}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# On the store that most run on; the bare mount and the other store get the first of the same requests, since what answers is the same.
EXAMPLES = {"sqlite": 24, "postgresql": 4}
TWINS = 4
OPERATIONS = [
    pytest.param(path, method.upper(), id=f"{method.upper()} {path}")
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
    if not path.startswith("/rebalance/")
]


@dataclass
class Api:
    """The schema of an application that holds one run awaiting review, a token for it, and the ids of what is there."""

    kind: str
    schema: Any
    bearer: str
    ids: dict[str, str]


@pytest.fixture(scope="module")
def apis(request: pytest.FixtureRequest) -> Iterator[list[Api]]:
    """An API on each kind of store, that with most examples first."""
    made: list[tuple[Api, Flask]] = []
    for kind in KINDS:
        if request.config.getoption("--store") in (None, kind):
            stores = request.getfixturevalue("sqlite_stores" if kind == "sqlite" else "postgres_stores")
            app = create_app(Settings.from_environ({**environment(stores.create()), **EVERYTHING_ON}))
            made.append((_api(kind, app), app))
    yield [api for api, _ in made]
    for _, app in made:
        with app.app_context():
            for store in app.extensions["sqlalchemy"].engines.values():
                store.dispose()


def _api(kind: str, app: Flask) -> Api:
    engine = Caller(app.test_client(), "engine-feed", bearer_of(app, "engine-feed", ALL, "default"))
    run = engine.run(review_request(), key="known-key", correlation="known-correlation")
    ids = {
        "rebalance_run_id": run["rebalance_run_id"],
        "correlation_id": run["correlation_id"],
        "idempotency_key": "known-key",
        "request_hash": run["lineage"]["request_hash"],
        "entity_id": run["rebalance_run_id"],
        "workflow_id": f"{run['correlation_id']}:exception:{run['rebalance_run_id']}",
        "trace_id": run["correlation_id"],
    }
    return Api(kind, schemathesis.openapi.from_wsgi("/openapi.json", app), engine.bearer, ids)


def requests_of(operation: Any, ids: dict[str, str]) -> SearchStrategy[Any]:
    """Return requests that fit the document, on what is there and on what is not, and requests that do not fit it."""
    known = {parameter.name: ids[parameter.name] for parameter in operation.path_parameters if parameter.name in ids}
    fitting = [operation.as_strategy(GenerationMode.POSITIVE)]
    if known:
        fitting.append(operation.as_strategy(GenerationMode.POSITIVE, path_parameters=known))
    return one_of(*fitting, operation.as_strategy(GenerationMode.NEGATIVE))


def places(apis: list[Api], path: str) -> list[tuple[Api, str]]:
    """Return where else an operation answers: at the bare mount and on the other store."""
    first, *others = apis
    bare = path.removeprefix("/api/v1")
    twins = [(first, bare)] if first.kind == "sqlite" and bare != path and bare in DOCUMENT["paths"] else []
    return twins + [(other, path) for other in others]


def moved(case: Any, known: dict[str, str], api: Api, path: str) -> Any:
    """Return the same request for another place, on what is there if it was on what is there."""
    ids = {name: api.ids[name] if known.get(name) == id_ else id_ for name, id_ in case.path_parameters.items()}
    parts = {name: getattr(case, name) for name in ("headers", "cookies", "query", "body", "media_type")}
    return api.schema[path][case.method].Case(method=case.method, path_parameters=ids, **parts)


def check(case: Any, api: Api, mode: GenerationMode) -> None:
    """Send a request and hold the answer to the document."""
    headers = {"Authorization": f"Bearer {api.bearer}"}
    if mode is GenerationMode.POSITIVE:
        headers["X-Tenant-Id"] = "default"
    case.validate_response(case.call(headers=headers), checks=CHECKS)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_one_that_the_document_describes(apis: list[Api], path: str, method: str) -> None:
    first, twins = apis[0], itertools.chain([places(apis, path)] * TWINS, itertools.repeat([]))
    operation = first.schema[path][method]

    @settings(
        max_examples=EXAMPLES[first.kind],
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=requests_of(operation, first.ids))
    def ask(case: Any) -> None:
        mode = case.meta.generation.mode
        for api, where in next(twins):
            check(moved(case, first.ids, api, where), api, mode)
        check(case, first, mode)

    ask()
