"""The document says what is there: every route, under its own name, with examples that are real."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from pydantic import BaseModel

from lotus_web import create_app
from lotus_web.api.endpoint.routing import ApiBlueprint, declared_routes
from lotus_web.api.openapi.bodies import ANALYZE, SIMULATE
from lotus_web.api.openapi.document import openapi_document
from lotus_web.api.openapi.parameters import path_template
from lotus_web.api.openapi.tags import TAGS, part_of
from lotus_web.config.settings import Settings
from lotus_web.wire.rebalance.request import BatchRequestBody
from tests.contract.callers import Caller
from tests.contract.openapi.schemas import Schemas
from tests.stores.makers import SqliteStores, environment

pytestmark = pytest.mark.stores("sqlite")
Document = dict[str, Any]
Example = tuple[str, Any, Any]


@pytest.fixture(scope="module")
def document_text(sqlite_stores: SqliteStores) -> str:
    app = create_app(Settings.from_environ(environment(sqlite_stores.create(migrated=False))))
    return json.dumps(openapi_document(app))


@pytest.fixture
def document(document_text: str) -> Document:
    found: Document = json.loads(document_text)
    return found


@pytest.fixture(scope="module")
def schemas(document_text: str) -> Schemas:
    return Schemas(json.loads(document_text))


def operations(document: Document) -> Iterator[tuple[str, Document]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def resolved(document: Document, part: Document) -> Document:
    for name in str(part.get("$ref", "")).split("/")[1:]:
        document = document[name]
    return document if "$ref" in part else part


def examples(document: Document, where: str, content: Document) -> Iterator[tuple[str, Document, Any]]:
    for media in content.values():
        for name, example in media["examples"].items():
            yield f"{where} {name}", media["schema"], resolved(document, example)["value"]


def test_its_version_is_that_of_the_package(document: Document, root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert document["info"]["version"] == project["version"]


def test_the_committed_copy_is_the_document(document: Document, root: Path) -> None:
    kept = json.loads((root / "docs" / "openapi.json").read_text(encoding="utf-8"))
    assert kept == document, "write it anew: flask --app app openapi --out docs/openapi.json"


def test_the_command_and_the_route_give_the_same(app: Flask, client: FlaskClient, document: Document) -> None:
    printed = app.test_cli_runner().invoke(args=["openapi"])
    assert printed.exit_code == 0
    assert json.loads(printed.output) == client.get("/openapi.json").json == document


def test_the_command_writes_a_file(app: Flask, document: Document, tmp_path: Path) -> None:
    assert app.test_cli_runner().invoke(args=["openapi", "--out", str(tmp_path / "openapi.json")]).exit_code == 0
    assert json.loads((tmp_path / "openapi.json").read_text()) == document


def test_it_is_an_openapi_document(document: Document) -> None:
    schemathesis.openapi.from_dict(document).validate()


def test_every_json_route_is_described(app: Flask, document: Document) -> None:
    routes = {f"{method} {path_template(rule)}" for rule, methods, _, _ in declared_routes(app) for method in methods}
    assert {name for name, _ in operations(document)} == routes


def test_every_operation_has_a_name_of_its_own(document: Document) -> None:
    names = Counter(operation["operationId"] for _, operation in operations(document))
    assert [name for name, times in names.items() if times > 1] == []
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)


def test_every_route_says_what_it_is_for_and_what_it_gives(app: Flask) -> None:
    vague = [
        rule
        for rule, _, endpoint, declared in declared_routes(app)
        if not declared.summary
        or declared.summary.endswith(".")
        or declared.response is BaseModel
        or not declared.response.__doc__
        or part_of(endpoint) not in TAGS
    ]
    assert vague == []


def test_a_view_that_declares_nothing_is_not_taken() -> None:
    blueprint = ApiBlueprint("api_hasty", __name__)
    with pytest.raises(TypeError, match="must say who may call it"):
        blueprint.get("/hasty")(lambda: "nothing")


def test_the_bare_mount_is_described_as_the_other_one(document: Document) -> None:
    for name, operation in operations(document):
        method, path = name.split()
        if not path.startswith("/rebalance/"):
            continue
        twin = dict(document["paths"][f"/api/v1{path}"][method.lower()])
        assert operation.pop("x-same-as") == twin.pop("operationId")
        assert (
            operation.pop("operationId") == f"bare_{document['paths'][f'/api/v1{path}'][method.lower()]['operationId']}"
        )
        assert operation == twin


def test_every_answer_has_an_example_that_fits_its_schema(document: Document, schemas: Schemas) -> None:
    wrong = []
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            content = resolved(document, answer)["content"]
            found = list(examples(document, f"{name} {status}", content))
            assert found, f"{name} {status} has no example"
            wrong += [(where, why) for where, schema, value in found if (why := schemas.fault(schema, value))]
    assert wrong == []


def test_every_body_has_an_example_that_fits_its_schema(document: Document, schemas: Schemas) -> None:
    bodies = [
        (name, operation["requestBody"]) for name, operation in operations(document) if "requestBody" in operation
    ]
    found = [found for name, body in bodies for found in examples(document, name, body["content"])]
    assert len(found) == len(bodies)
    assert [(where, why) for where, schema, value in found if (why := schemas.fault(schema, value))] == []


def test_every_body_example_is_taken_by_its_model(app: Flask, document: Document) -> None:
    for _, _, _, declared in declared_routes(app):
        if declared.body is not None:
            declared.body.model_validate(document["components"]["examples"][declared.body.__name__]["value"])


def test_every_parameter_example_fits_its_schema(document: Document, schemas: Schemas) -> None:
    for name, operation in operations(document):
        for parameter in (resolved(document, one) for one in operation["parameters"]):
            if "example" in parameter:
                assert schemas.fault(parameter["schema"], parameter["example"]) is None, (name, parameter["name"])


def test_every_refusal_lists_its_codes_with_an_answer_for_each(app: Flask, document: Document) -> None:
    for rule, methods, _, declared in declared_routes(app):
        path = path_template(rule)
        for method in methods:
            answers = document["paths"][path][method.lower()]["responses"]
            for refuses in declared.refuses:
                described = resolved(document, answers[str(refuses.status)])
                assert refuses.when in described["description"]
                assert f"`{refuses.code}`" in described["description"]
                assert refuses.code in json.dumps(described["content"])


def test_every_route_says_who_is_let_in(document: Document) -> None:
    for name, operation in operations(document):
        refused = {"401", "403", "503"} & operation["responses"].keys()
        if not operation["security"]:
            assert operation["description"].startswith("Anyone may"), name
            continue
        needed = operation["security"][-1]["bearer"]
        assert operation["security"] in ([{"bearer": needed}], [{}, {"bearer": needed}])
        said = f"Needs the permission `{needed[0]}`" if needed else "Needs a token"
        assert operation["description"].startswith(said), name
        assert ("allows everyone" in operation["description"]) is ({} in operation["security"])
        assert refused == {"401", "403", "503"}


def test_nothing_is_kept_that_nothing_names(document: Document) -> None:
    text = json.dumps(document)
    for kind, named in document["components"].items():
        if kind != "securitySchemes":
            assert [name for name in named if f'"#/components/{kind}/{name}"' not in text] == []


def test_the_simulate_example_gives_the_run_that_is_shown(engine: Caller, document: Document) -> None:
    shown = document["components"]["examples"]["RebalanceResult"]["value"]
    result = engine.run(SIMULATE)
    assert result["status"] == shown["status"] == "PENDING_REVIEW"
    assert result["after_simulated"] == shown["after_simulated"]
    assert result["rule_results"] == shown["rule_results"]


def test_the_analyze_example_is_taken() -> None:
    body = BatchRequestBody.model_validate(ANALYZE)
    assert [body.scenario_options(name).max_turnover_pct is not None for name in body.scenario_names()] == [False, True]
