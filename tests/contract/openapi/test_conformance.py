"""Requests that the document allows, and requests that it forbids, get only answers that the document describes."""

from __future__ import annotations

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
# The bare mount has the same handlers, and a store of the other kind the same routes: a few requests each will do.
EXAMPLES = {("sqlite", True): 24, ("sqlite", False): 4, ("postgresql", True): 4}
OPERATIONS = [
    pytest.param(kind, path, method.upper(), id=f"{kind} {method.upper()} {path}")
    for kind in KINDS
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
    if (kind, not path.startswith("/rebalance/")) in EXAMPLES
]


@dataclass
class Api:
    """The schema of an application that holds one run awaiting review, a token for it, and the ids of what is there."""

    schema: Any
    bearer: str
    ids: dict[str, str]


@pytest.fixture(scope="module")
def apis(request: pytest.FixtureRequest) -> Iterator[Any]:
    made: dict[str, tuple[Api, Flask]] = {}

    def of(kind: str) -> Api:
        if kind not in made:
            stores = request.getfixturevalue("sqlite_stores" if kind == "sqlite" else "postgres_stores")
            app = create_app(Settings.from_environ({**environment(stores.create()), **EVERYTHING_ON}))
            made[kind] = _api(app), app
        return made[kind][0]

    yield of
    for _, app in made.values():
        with app.app_context():
            for store in app.extensions["sqlalchemy"].engines.values():
                store.dispose()


def _api(app: Flask) -> Api:
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
    return Api(schemathesis.openapi.from_wsgi("/openapi.json", app), engine.bearer, ids)


def requests_of(operation: Any, ids: dict[str, str]) -> SearchStrategy[Any]:
    """Return requests that fit the document, on what is there and on what is not, and requests that do not fit it."""
    known = {parameter.name: ids[parameter.name] for parameter in operation.path_parameters if parameter.name in ids}
    fitting = [operation.as_strategy(GenerationMode.POSITIVE)]
    if known:
        fitting.append(operation.as_strategy(GenerationMode.POSITIVE, path_parameters=known))
    return one_of(*fitting, operation.as_strategy(GenerationMode.NEGATIVE))


@pytest.mark.parametrize(("kind", "path", "method"), OPERATIONS)
def test_every_answer_is_one_that_the_document_describes(
    apis: Any, kind: str, path: str, method: str, request: pytest.FixtureRequest
) -> None:
    if request.config.getoption("--store") not in (None, kind):
        pytest.skip("another store was asked for")
    api = apis(kind)
    operation = api.schema[path][method]
    times = EXAMPLES[kind, not path.startswith("/rebalance/")]

    @settings(
        max_examples=times,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=requests_of(operation, api.ids))
    def ask(case: Any) -> None:
        headers = {"Authorization": f"Bearer {api.bearer}"}
        if case.meta.generation.mode is GenerationMode.POSITIVE:
            headers["X-Tenant-Id"] = "default"
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=CHECKS)

    ask()
