"""The schemas and examples of refusals, from the models that the envelopes answer with."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from lotus_web.api.endpoint.auth import not_for_tenant
from lotus_web.api.endpoint.error_bodies import ErrorBody, Problem
from lotus_web.api.endpoint.refusals import Envelope, Refusal
from lotus_web.api.endpoint.routing import PAYLOAD_TOO_LARGE, REQUEST_TIMEOUT, Refuses
from lotus_web.api.openapi.schemas import GIVES, Schema, SchemaBook, tidied
from lotus_web.domain.access import missing_permission
from lotus_web.domain.errors import (
    Conflict,
    Forbidden,
    InProgress,
    InvalidInput,
    LotusError,
    Malformed,
    NotFound,
    StoreUnavailable,
    TooManyExports,
    Unauthenticated,
)
from lotus_web.domain.write_policy import DENIED, denied
from lotus_web.http.export_slots import RETRY_SECONDS
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
PROBLEM_EXAMPLE = Problem.of("missing", ["body", "portfolio_snapshot"], "Field required", {})


def wrapped(envelope: Envelope, schema: Schema) -> Schema:
    """Return the schema of a success whose own schema is ``schema``."""
    if envelope.success is None:
        return schema
    around: Schema = tidied(envelope.success.model_json_schema(mode=GIVES))
    around.pop("description")
    return around | {"properties": around["properties"] | {"data": schema}}


def wrapped_example(envelope: Envelope, example: object) -> Any:
    """Return an example in the shape of this surface."""
    return json.loads(envelope.wrap(json.dumps(example).encode()))


def refusals(envelope: Envelope, refuses: Refuses, *, permission: str | None = None) -> dict[str, Refusal]:
    """Return the responses of a documented refusal by name: one, but two for FORBIDDEN."""
    if refuses.code == Forbidden.code:
        example = Forbidden(message=missing_permission(str(permission)), details={"permission": permission})
        return {"FORBIDDEN": envelope.refuse(example), "FORBIDDEN_TENANT": envelope.refuse(not_for_tenant("other"))}
    if refuses.code == DENIED:
        return {refuses.code: envelope.refuse(denied("missing_headers:x-actor-id,x-role"))}
    if refuses.code in (PAYLOAD_TOO_LARGE, REQUEST_TIMEOUT):
        return {refuses.code: envelope.plain(refuses.status, refuses.code)}
    if refuses.status == 429:
        return {refuses.code: envelope.refuse(TooManyExports(retry_after=RETRY_SECONDS))}
    message = STORE_AWAY if refuses.code == StoreUnavailable.code else refuses.when[:1].upper() + refuses.when[1:] + "."
    kind = InProgress if refuses.code.upper().endswith(IN_PROGRESS) else ERRORS.get(refuses.status, LotusError)
    return {refuses.code: envelope.refuse(kind(refuses.code, message))}


def invalid(envelope: Envelope) -> Refusal:
    """Return the answer to a request that does not validate."""
    return envelope.invalid([PROBLEM_EXAMPLE])


def unexpected(envelope: Envelope) -> Refusal:
    """Return the response to an unexpected error."""
    return envelope.unexpected(path="/api/v1/rebalance/runs", correlation_id=current_ids().correlation_id)


def schema_of(refused: Iterable[Refusal], book: SchemaBook) -> Schema:
    """Return the schema of answers with one status: the models that they are sent as, each with the codes it may name."""
    codes: dict[type[ErrorBody], dict[str, None]] = {}
    for refusal in refused:
        named = codes.setdefault(type(refusal.body), {})
        code = refusal.body.code()
        if code is not None:
            named[code] = None
    schemas = [book.ref(model, GIVES) | _naming(model.code_at, list(named)) for model, named in codes.items()]
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _naming(path: tuple[str, ...], codes: list[str]) -> Schema:
    """Return a schema that limits the member at ``path`` to these codes."""
    schema: Schema = {"enum": codes}
    for name in reversed(path):
        schema = {"properties": {name: schema}}
    return schema if path else {}
