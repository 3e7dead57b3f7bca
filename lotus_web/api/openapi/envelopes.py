"""The shape of a surface's answers, learnt from its envelope: what it sends is what the document says it sends."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from lotus_web.api.endpoint.auth import not_for_tenant
from lotus_web.api.endpoint.refusals import Envelope, Problem, Refusal
from lotus_web.api.endpoint.routing import PAYLOAD_TOO_LARGE, REQUEST_TIMEOUT, Refuses
from lotus_web.api.openapi.schemas import REF, Schema
from lotus_web.domain.errors import (
    Conflict,
    Forbidden,
    InProgress,
    InvalidInput,
    LotusError,
    Malformed,
    NotFound,
    StoreUnavailable,
    Unauthenticated,
)
from lotus_web.domain.write_policy import DENIED, denied
from lotus_web.http.request_ids import current_ids
from lotus_web.store.failures import STORE_AWAY

ERRORS: dict[int, type[LotusError]] = {
    400: Malformed,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    422: InvalidInput,
    503: StoreUnavailable,
}
IN_PROGRESS = "IN_PROGRESS"
# Members that name the refusal, so that every value they may have is listed.
CODES = frozenset({"code", "detail"})
# Members that hold whatever fits the case.
FREE = frozenset({"details"})
PROBLEM = "Problem"
PROBLEM_SCHEMA: Schema = {
    "type": "object",
    "description": "One thing that is wrong with a request, and where.",
    "required": ["type", "loc", "msg", "input"],
    "properties": {
        "type": {"type": "string", "description": "the kind of fault, stable"},
        "loc": {
            "type": "array",
            "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            "description": "where: header, query, path or body, then names and positions",
        },
        "msg": {"type": "string", "description": "the fault in a sentence"},
        "input": {"description": "what was sent"},
        "ctx": {"type": "object", "description": "the bounds that were crossed"},
    },
}
MARK = "the answer itself"
PROBLEM_EXAMPLE: Problem = {
    "type": "missing",
    "loc": ["body", "portfolio_snapshot"],
    "msg": "Field required",
    "input": {},
}


def wrapped(envelope: Envelope, schema: Schema) -> Schema:
    """Return the schema of a success whose own schema is ``schema``."""
    return _around(json.loads(envelope.wrap(json.dumps(MARK).encode())), schema)


def _around(document: Any, schema: Schema) -> Schema:
    if document == MARK:
        return schema
    if isinstance(document, dict):
        return {
            "type": "object",
            "required": list(document),
            "properties": {key: _around(value, schema) for key, value in document.items()},
        }
    return schema_of([document])


def wrapped_example(envelope: Envelope, example: object) -> Any:
    """Return an example as this surface sends it."""
    return json.loads(envelope.wrap(json.dumps(example).encode()))


def refusals(envelope: Envelope, refuses: Refuses, *, permission: str | None = None) -> dict[str, Refusal]:
    """Return the answers that a documented refusal gives, each under a name: one, but for two ways to be forbidden."""
    if refuses.code == Forbidden.code:
        lacking = Forbidden(message=f"This needs the permission {permission}.", details={"permission": permission})
        return {"FORBIDDEN": envelope.refuse(lacking), "FORBIDDEN_TENANT": envelope.refuse(not_for_tenant("other"))}
    if refuses.code == DENIED:
        return {refuses.code: envelope.refuse(denied("missing_headers:x-actor-id,x-role"))}
    if refuses.code in (PAYLOAD_TOO_LARGE, REQUEST_TIMEOUT):
        return {refuses.code: envelope.plain(refuses.status, refuses.code)}
    message = STORE_AWAY if refuses.code == StoreUnavailable.code else refuses.when[:1].upper() + refuses.when[1:] + "."
    kind = InProgress if refuses.code.upper().endswith(IN_PROGRESS) else ERRORS.get(refuses.status, LotusError)
    return {refuses.code: envelope.refuse(kind(refuses.code, message))}


def invalid(envelope: Envelope) -> Refusal:
    """Return the answer to a request that does not validate."""
    return envelope.invalid([PROBLEM_EXAMPLE])


def unexpected(envelope: Envelope) -> Refusal:
    """Return the answer to a fault of ours."""
    return envelope.unexpected(path="/api/v1/rebalance/runs", correlation_id=current_ids().correlation_id)


def code_in(document: Mapping[str, Any]) -> str:
    """Return the code that a refusal's document names."""
    held = next((value for value in document.values() if isinstance(value, dict)), document)
    return next(str(held[name]) for name in ("code", "detail") if name in held)


def schema_of(documents: Iterable[Any], name: str = "") -> Schema:
    """Return a schema that these documents fit: members that all have are required, codes are listed."""
    kinds: dict[type, list[Any]] = {}
    for document in documents:
        kinds.setdefault(type(document), []).append(document)
    schemas = [_of_kind(kind, found, name) for kind, found in kinds.items()]
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _of_kind(kind: type, found: list[Any], name: str) -> Schema:
    if kind is dict:
        return _of_objects(found, name)
    if kind is list:
        items = [item for one in found for item in one]
        return {"type": "array"} | ({"items": schema_of(items)} if items else {})
    if kind is str and name in CODES:
        return {"type": "string", "enum": list(dict.fromkeys(found))}
    return {"type": {str: "string", int: "integer", bool: "boolean", float: "number"}.get(kind, "null")}


def _of_objects(found: list[dict[str, Any]], name: str) -> Schema:
    if all(one.keys() >= {"type", "loc", "msg"} for one in found):
        return {"$ref": REF + PROBLEM}
    if name in FREE:
        return {"type": "object"}
    members = dict.fromkeys(key for one in found for key in one)
    return {
        "type": "object",
        "required": [key for key in members if all(key in one for one in found)],
        "properties": {key: schema_of([one[key] for one in found if key in one], key) for key in members},
    }
