"""The responses of a route: its success, and every refusal with an example that the code produced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from lotus_web.api.endpoint.refusals import JSON, Envelope, Refusal
from lotus_web.api.endpoint.routing import Endpoint, Refuses
from lotus_web.api.openapi import envelopes
from lotus_web.api.openapi.schemas import GIVES, Schema, SchemaBook
from lotus_web.domain.access import Permission
from lotus_web.domain.write_policy import DENIED

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
    "WWW-Authenticate": {"description": "How to authenticate.", "schema": {"type": "string"}},
}
ON_EVERY_ANSWER = ("X-Correlation-Id", "X-Request-Id", "X-Trace-Id", "traceparent", "X-Enterprise-Policy-Version")

UNAUTHENTICATED = Refuses(401, "UNAUTHENTICATED", "the bearer token is missing, unknown, revoked or expired")
FORBIDDEN = Refuses(403, "FORBIDDEN", "the token lacks the permission, or is not for this tenant")
TOO_LARGE = Refuses(
    413, "payload_too_large", "the body is longer than `ENTERPRISE_MAX_WRITE_PAYLOAD_BYTES`, 1 MiB unless set"
)
TOO_SLOW = Refuses(408, "request_timeout", "the body did not arrive in time; nothing was recorded")
POLICY_DENIED = Refuses(
    403, DENIED, "`ENTERPRISE_ENFORCE_AUTHZ` is on and the write lacks the headers or the capability of `reason`"
)
STORE_AWAY = Refuses(
    503,
    "DPM_STORE_UNAVAILABLE",
    "the store cannot be reached or refused the work; nothing was recorded, unless it failed while recording",
)
# Responses that are the same on every route of a surface are components with these names.
SHARED = {
    "UNAUTHENTICATED": "Unauthenticated",
    "payload_too_large": "PayloadTooLarge",
    "request_timeout": "RequestTimeout",
    "invalid": "InvalidRequest",
    "unexpected": "UnexpectedFault",
    "DPM_STORE_UNAVAILABLE": "StoreUnavailable",
}
MALFORMED = "MalformedRequest"


@dataclass(frozen=True, slots=True)
class Way:
    """One refusal: its name among the examples, its description, and the response."""

    name: str
    text: str
    refusal: Refusal


def refusals_of(declared: Endpoint, *, writes: bool) -> list[Refuses]:
    """Return the refusals with a code that a route may answer with, the common ones included."""
    found = [] if declared.permission is None else [UNAUTHENTICATED, FORBIDDEN]
    found += [TOO_SLOW, POLICY_DENIED] if writes else []
    found += [Refuses(404, feature.code, "this part is switched off") for feature in declared.features]
    found += [*declared.refuses, TOO_LARGE]
    return found if declared.permission is None else [*found, STORE_AWAY]


def ways_to_be_refused(refused: Iterable[Refuses], envelope: Envelope, permission: str | None) -> Iterator[Way]:
    """Yield every refusal and the unexpected fault in the shape of this surface."""
    for refuses in refused:
        for name, refusal in envelopes.refusals(envelope, refuses, permission=permission).items():
            yield Way(name, f"- `{refusal.body.code()}`: {refuses.when}", refusal)
    yield Way("invalid", "- The request does not validate.", envelopes.invalid(envelope))
    yield Way(
        "unexpected", "An unexpected error on our side; the cause is not disclosed.", envelopes.unexpected(envelope)
    )


def responses(
    declared: Endpoint, envelope: Envelope, book: SchemaBook, example: Response, *, writes: bool
) -> dict[str, Response]:
    """Return the responses of a route by status."""
    given = {status: success(declared, envelope, book, status, example) for status in (declared.status, *declared.also)}
    permission = declared.permission.value if isinstance(declared.permission, Permission) else "the action needs"
    by_status: dict[int, list[Way]] = {}
    for way in ways_to_be_refused(refusals_of(declared, writes=writes), envelope, permission):
        by_status.setdefault(way.refusal.status, []).append(way)
    refused = {status: _refused(ways, envelope, book) for status, ways in by_status.items() if status not in given}
    return {str(status): response for status, response in sorted((given | refused).items())}


def success(declared: Endpoint, envelope: Envelope, book: SchemaBook, status: int, example: Response) -> Response:
    """Return the successful response of a route."""
    own = book.schema(declared.response, GIVES)
    media_type, schema = own.get("contentMediaType"), book.ref(declared.response, GIVES)
    if media_type is None:
        media_type, schema = JSON, envelopes.wrapped(envelope, schema)
    return _response(own.get("description", HTTPStatus(status).phrase), media_type, schema, {"answer": example})


def surface(envelope: Envelope) -> str:
    """Return the prefix of a surface's component names; empty for the ``/rebalance`` routes."""
    return "" if type(envelope) is Envelope else type(envelope).__name__.removesuffix("Envelope")


def _refused(ways: list[Way], envelope: Envelope, book: SchemaBook) -> Response:
    if len(ways) == 1 and ways[0].name in SHARED:
        return {"$ref": RESPONSES_REF + _shared_name(ways[0], envelope)}
    return refusal_response(ways, book)


def _shared_name(way: Way, envelope: Envelope) -> str:
    malformed = way.name == "invalid" and way.refusal.status != 422
    return surface(envelope) + (MALFORMED if malformed else SHARED[way.name])


def shared_responses(envelope: Envelope, book: SchemaBook) -> dict[str, Response]:
    """Return the responses that all routes of a surface share."""
    ways = ways_to_be_refused((UNAUTHENTICATED, TOO_SLOW, TOO_LARGE, STORE_AWAY), envelope, None)
    return {_shared_name(way, envelope): refusal_response([way], book) for way in ways if way.name in SHARED}


def refusal_response(ways: list[Way], book: SchemaBook) -> Response:
    """Return the refusals with one status as one response, with an example of each."""
    schema = envelopes.schema_of((way.refusal for way in ways), book)
    examples = {_key(way.name): {"value": way.refusal.body.document()} for way in ways}
    text = "\n".join(dict.fromkeys(way.text for way in ways))
    response = _response(
        text if "\n" in text else text.removeprefix("- "), ways[0].refusal.media_type, schema, examples
    )
    names = sorted({name for way in ways for name in way.refusal.headers})
    return response | {"headers": response["headers"] | _headers(names)}


def _key(code: str) -> str:
    """Return a code with the characters that a component's name may have."""
    return "".join(char if char.isalnum() or char in "_-." else "_" for char in code.partition(":")[0])


def _response(text: str, media_type: str, schema: Schema, examples: dict[str, Any]) -> Response:
    return {
        "description": text,
        "headers": _headers(ON_EVERY_ANSWER),
        "content": {media_type: {"schema": schema, "examples": examples}},
    }


def _headers(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": HEADERS_REF + name} for name in names}
