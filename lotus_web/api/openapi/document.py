"""The whole document: every JSON route under every prefix, with its parameters, bodies, responses and examples."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from flask import Flask

from lotus_web.api.endpoint.refusals import JSON, Envelope
from lotus_web.api.endpoint.routing import AnyToken, Endpoint, declared_routes, envelope_of
from lotus_web.api.openapi import answers, envelopes, parameters
from lotus_web.api.openapi.callbacks import callbacks, calls_back
from lotus_web.api.openapi.examples import body_example, example_of
from lotus_web.api.openapi.schemas import GIVES, TAKES, ModelAndMode, Schema, SchemaBook, markdown
from lotus_web.api.openapi.tags import part_of, tag_objects, tag_of
from lotus_web.config.settings import Settings
from lotus_web.domain.access import Permission
from lotus_web.domain.write_policy import BARE, VERSIONED, WRITES
from lotus_web.wire.deliveries import CallbackBody

OPENAPI_VERSION = "3.1.0"
VERSION = version("lotus-web")
DIALECT = "https://json-schema.org/draft/2020-12/schema"
BEARER = "bearer"
CACHE = "lotus_openapi_document"
# The same handlers answer under both; the first is where links in bodies lead.
SAME_AS = "x-same-as"
DESCRIPTION = """Runs of portfolio-rebalance engines, the gate that some of them must pass, and the people who decide.

Every `/rebalance` route answers under `/api/v1/rebalance` too; links in bodies lead there.
Amounts and weights are decimals written as strings. Instants are UTC with microseconds. Required fields of a response are always present, null where they do not apply.
Lists are paged by `cursor`: pass on `next_cursor` until it is null; nothing is lost or repeated while rows are added.
A refusal names a stable code; a part that a deployment has switched off answers 404.
Every answer of a route carries the headers listed with it. Anything that is not an HTTP request, or has a line or header of more than 8190 bytes, never reaches
a route: the server refuses it with 400, 414 or 431 and an HTML page, without these headers."""


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path and its declaration."""

    path: str
    rule: str
    method: str
    endpoint: str
    declared: Endpoint
    envelope: Envelope


def openapi_document(app: Flask) -> dict[str, Any]:
    """Return the document of an application; it is built once and cached."""
    found: dict[str, Any] | None = app.extensions.get(CACHE)
    if found is None:
        ids = {"X-Request-Id": "req_5a1c7e90b2d4", "X-Correlation-Id": "corr_9d1f03b7a652"}
        # Envelopes read the ids of the current request, so there is one, always the same.
        with app.app_context(), app.test_request_context(headers=ids):
            found = app.extensions[CACHE] = draw(list(routes_of(app)))
    return found


def routes_of(app: Flask) -> Iterable[Route]:
    """Yield the JSON routes in the order in which they were mounted."""
    for rule, methods, endpoint, declared in declared_routes(app):
        path = parameters.path_template(rule)
        envelope = envelope_of(app.view_functions[endpoint])
        for method in sorted(methods):
            yield Route(path, rule, method.lower(), endpoint, declared, envelope)


def draw(routes: list[Route]) -> dict[str, Any]:
    """Return the document of these routes."""
    book = SchemaBook(pair for route in routes for pair in _models(route))
    names = operation_ids(routes)
    examples: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for route in sorted(routes, key=lambda route: route.path.startswith(BARE)):
        paths.setdefault(route.path, {})[route.method] = operation(route, names, book, examples)
    return {
        "openapi": OPENAPI_VERSION,
        "info": {"title": "Lotus Web", "version": VERSION, "description": DESCRIPTION},
        "jsonSchemaDialect": DIALECT,
        "servers": [{"url": "/"}],
        "tags": tag_objects({part_of(route.endpoint) for route in routes}),
        "paths": paths,
        "components": _components(routes, paths, book, examples),
    }


def _models(route: Route) -> Iterable[ModelAndMode]:
    declared = route.declared
    yield declared.response, GIVES
    yield from ((model, GIVES) for model in route.envelope.errors)
    for model in (declared.query, declared.body):
        if model is not None:
            yield model, TAKES
    if calls_back(declared):
        yield CallbackBody, GIVES


def operation_ids(routes: Iterable[Route]) -> dict[tuple[str, str], str]:
    """Return a name for each method of each path: the view's, with its part where several views have the same."""
    routes = list(routes)
    views = Counter(_view(route) for route in routes if not route.path.startswith(f"{BARE}/"))
    return {(route.path, route.method): _operation_id(route, views) for route in routes}


def _view(route: Route) -> str:
    return route.endpoint.rpartition(".")[2]


def _operation_id(route: Route, views: Counter[str]) -> str:
    name = _view(route)
    if views[name] > 1:
        name = f"{part_of(route.endpoint)}_{name}"
    return f"bare_{name}" if route.path.startswith(f"{BARE}/") else name


def operation(
    route: Route, names: dict[tuple[str, str], str], book: SchemaBook, examples: dict[str, Any]
) -> dict[str, Any]:
    """Return one operation; its examples are added to ``examples``, which both mounts share."""
    declared, public = route.declared, route.declared.permission is None
    writes = route.method.upper() in WRITES
    asked = [
        *parameters.path_parameters(route.rule),
        *parameters.header_parameters(declared.headers),
        *([] if declared.query is None else parameters.query_parameters(book.schema(declared.query, TAKES))),
        *parameters.shared_headers(public=public, writes=writes),
    ]
    found: dict[str, Any] = {
        "operationId": names[route.path, route.method],
        "summary": declared.summary,
        "description": _description(declared),
        "tags": [tag_of(part_of(route.endpoint))],
        "parameters": asked,
    }
    if declared.body is not None:
        found["requestBody"] = _body(declared, book, examples)
    example = _answer(route, book, examples)
    found["responses"] = answers.responses(declared, route.envelope, book, example, writes=writes)
    if calls_back(declared):
        found["callbacks"] = callbacks(book)
    found["security"] = _security(declared)
    twin = names.get((route.path.replace(BARE, VERSIONED, 1), route.method))
    return found | ({SAME_AS: twin} if twin and route.path.startswith(f"{BARE}/") else {})


def _security(declared: Endpoint) -> list[dict[str, list[str]]]:
    permission = declared.permission
    if permission is None:
        return []
    needed = {BEARER: [permission.value] if isinstance(permission, Permission) else []}
    return [needed] if declared.opened is None else [{}, needed]


def _who(permission: Permission | AnyToken | None) -> str:
    if permission is None:
        return "Anyone may call it."
    if isinstance(permission, AnyToken):
        return "Needs a token; which permission depends on the request."
    return f"Needs the permission `{permission.value}`."


def _description(declared: Endpoint) -> str:
    lines = [_who(declared.permission)]
    if declared.opened is not None:
        lines = [lines[0].removesuffix(".") + f", unless `{declared.opened.named}` allows everyone."]
    switches = [getattr(Settings, feature.setting).name for feature in declared.features]
    if switches:
        lines.append("Switched by " + ", ".join(f"`{name}`" for name in switches) + ".")
    return " ".join(lines)


def _body(declared: Endpoint, book: SchemaBook, examples: dict[str, Any]) -> dict[str, Any]:
    assert declared.body is not None
    schema = book.schema(declared.body, TAKES)
    name = declared.body.__name__
    examples[name] = {"value": body_example(declared.body, book, schema)}
    content = {"schema": book.ref(declared.body, TAKES), "examples": {"request": _kept(name)}}
    described = {"description": schema["description"]} if "description" in schema else {}
    return {**described, "required": True, "content": {JSON: content}}


def _answer(route: Route, book: SchemaBook, examples: dict[str, Any]) -> Schema:
    declared, envelope = route.declared, route.envelope
    schema = book.schema(declared.response, GIVES)
    plain = "contentMediaType" in schema
    if declared.example is not None:
        return {"value": declared.example if plain else envelopes.wrapped_example(envelope, declared.example)}
    name = answers.surface(envelope) + declared.response.__name__
    value = example_of(book.ref(declared.response, GIVES), book)
    examples[name] = {"value": value if plain else envelopes.wrapped_example(envelope, value)}
    return _kept(name)


def _kept(name: str) -> dict[str, str]:
    return {"$ref": answers.EXAMPLES_REF + name}


def _components(
    routes: list[Route], paths: dict[str, Any], book: SchemaBook, examples: dict[str, Any]
) -> dict[str, Any]:
    used = json.dumps(paths)
    queries = {route.declared.query for route in routes if route.declared.query is not None}
    shared = {
        name: response
        for envelope in {id(route.envelope): route.envelope for route in routes}.values()
        for name, response in answers.shared_responses(envelope, book).items()
    }
    return {
        "schemas": book.components(unused=queries),
        "parameters": parameters.SHARED,
        "headers": answers.HEADERS,
        "responses": {
            name: response for name, response in sorted(shared.items()) if f'"{answers.RESPONSES_REF}{name}"' in used
        },
        "examples": dict(sorted(examples.items())),
        "securitySchemes": {
            BEARER: {
                "type": "http",
                "scheme": "bearer",
                "description": markdown(
                    "A service account's token, made by ``flask --app app tokens create``. What it may do is listed with"
                    " each operation."
                ),
            }
        },
    }
