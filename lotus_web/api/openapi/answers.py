"""Answers of a route: what it gives, and every way in which it refuses, each with the document that it really sends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from lotus_web.api.openapi import envelopes
from lotus_web.api.openapi.schemas import GIVES, Schema, SchemaBook
from lotus_web.api.refusals import JSON, Envelope, Refusal
from lotus_web.api.routing import Endpoint, Refuses

Response = dict[str, Any]

HEADERS_REF = "#/components/headers/"
RESPONSES_REF = "#/components/responses/"
EXAMPLES_REF = "#/components/examples/"
HEADERS: dict[str, Any] = {
    "X-Correlation-Id": {
        "description": "The correlation id in force: the one that was sent, or of the run that is repeated.",
        "schema": {"type": "string"},
    },
    "X-Request-Id": {"description": "The id of this request.", "schema": {"type": "string"}},
    "X-Trace-Id": {"description": "The trace id.", "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"}},
    "traceparent": {"description": "W3C trace context.", "schema": {"type": "string"}},
    "X-Enterprise-Policy-Version": {"description": "The policy in force.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait before trying again.", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "How to say who is asking.", "schema": {"type": "string"}},
}
ON_EVERY_ANSWER = ("X-Correlation-Id", "X-Request-Id", "X-Trace-Id", "traceparent", "X-Enterprise-Policy-Version")

UNAUTHENTICATED = Refuses(401, "UNAUTHENTICATED", "the bearer token is missing, unknown, revoked or past its end")
FORBIDDEN = Refuses(403, "FORBIDDEN", "the token lacks the permission, or is not for this tenant")
TOO_LARGE = Refuses(413, "payload_too_large", "the body is longer than 1 MiB")
STORE_AWAY = Refuses(
    503, "DPM_STORE_UNAVAILABLE", "the store cannot be reached or refused the work; nothing was recorded"
)
# What is the same on every route of a surface stands once among the components.
SHARED = {
    401: "Unauthenticated",
    413: "PayloadTooLarge",
    422: "InvalidRequest",
    500: "UnexpectedFault",
    503: "StoreUnavailable",
}
UNUSUAL: Mapping[int, str] = {
    422: "The request does not validate.",
    500: "A fault of ours; nothing of its cause is told.",
}


def refusals_of(declared: Endpoint) -> list[Refuses]:
    """Return every refusal with a code that a route may answer with."""
    found = [] if declared.permission is None else [UNAUTHENTICATED, FORBIDDEN]
    found += [Refuses(404, feature.code, "this part is switched off") for feature in declared.features]
    found += [*declared.refuses, TOO_LARGE]
    if declared.permission is not None:
        found.append(STORE_AWAY)
    return [refuses for refuses in found if refuses.status not in (declared.status, *declared.also)]


def responses(declared: Endpoint, envelope: Envelope, book: SchemaBook, example: Response) -> dict[str, Response]:
    """Return the answers of a route by status."""
    given = {status: success(declared, envelope, book, status, example) for status in (declared.status, *declared.also)}
    refused: dict[int, list[Refuses]] = {422: [], 500: []}
    for refuses in refusals_of(declared):
        refused.setdefault(refuses.status, []).append(refuses)
    for status, several in refused.items():
        given[status] = _refused(status, several, declared, envelope)
    return {str(status): given[status] for status in sorted(given)}


def success(declared: Endpoint, envelope: Envelope, book: SchemaBook, status: int, example: Response) -> Response:
    """Return the answer that a route is for."""
    media_type = book.schema(declared.response, GIVES).get("contentMediaType")
    schema = book.ref(declared.response, GIVES)
    if media_type is None:
        media_type, schema = JSON, envelopes.wrapped(envelope, schema)
    text = book.schema(declared.response, GIVES).get("description", HTTPStatus(status).phrase)
    return _response(text, media_type, schema, {"answer": example})


def surface(envelope: Envelope) -> str:
    """Return the name that tells the components of one surface from those of another; nothing for the first."""
    return "" if type(envelope) is Envelope else type(envelope).__name__.removesuffix("Envelope").strip("_")


def _refused(status: int, several: list[Refuses], declared: Endpoint, envelope: Envelope) -> Response:
    if status in SHARED and {refuses.code for refuses in several} <= {
        STORE_AWAY.code,
        UNAUTHENTICATED.code,
        TOO_LARGE.code,
    }:
        return {"$ref": RESPONSES_REF + surface(envelope) + SHARED[status]}
    permission = None if declared.permission is None else declared.permission.value
    return refused(status, several, envelope, permission=permission)


def shared_responses(envelope: Envelope) -> dict[str, Response]:
    """Return the answers that every route of a surface may give."""
    several: dict[int, list[Refuses]] = {
        refuses.status: [refuses] for refuses in (UNAUTHENTICATED, TOO_LARGE, STORE_AWAY)
    }
    return {
        surface(envelope) + name: refused(status, several.get(status, []), envelope) for status, name in SHARED.items()
    }


def refused(status: int, several: Iterable[Refuses], envelope: Envelope, *, permission: str | None = None) -> Response:
    """Return a refusal with the documents of all its codes."""
    sent = {refuses.code: envelopes.refusal(envelope, refuses, permission=permission) for refuses in several}
    lines = [f"- `{refuses.code}`: {refuses.when}" for refuses in several]
    if status == 422:
        sent = {"invalid": envelopes.invalid(envelope)} | sent
    if status == 500:
        sent = {"unexpected": envelopes.unexpected(envelope)}
    text = "\n".join(([UNUSUAL[status], ""] if status in UNUSUAL else []) + lines).strip()
    return _with_headers(_described(text, sent), status, sent.values())


def _described(text: str, sent: Mapping[str, Refusal]) -> Response:
    schema = envelopes.schema_of([refusal.document for refusal in sent.values()])
    examples = {_key(code): {"value": refusal.document} for code, refusal in sent.items()}
    return _response(text, next(iter(sent.values())).media_type, schema, examples)


def _key(code: str) -> str:
    """Return a code as a component's name may be written."""
    return "".join(char if char.isalnum() or char in "_-." else "_" for char in code.partition(":")[0])


def _with_headers(response: Response, status: int, sent: Iterable[Refusal]) -> Response:
    names = {name for refusal in sent for name in refusal.headers}
    if status == 409 and any("IN_PROGRESS" in key for key in response["content"][JSON]["examples"]):
        names.add("Retry-After")
    return response | {"headers": response["headers"] | _headers(sorted(names))}


def _response(text: str, media_type: str, schema: Schema, examples: dict[str, Any]) -> Response:
    return {
        "description": text,
        "headers": _headers(ON_EVERY_ANSWER),
        "content": {media_type: {"schema": schema, "examples": examples}},
    }


def _headers(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": HEADERS_REF + name} for name in names}
