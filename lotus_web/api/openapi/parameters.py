"""Parameters: of the path, of the query, and the headers that all routes share."""

from __future__ import annotations

import re
from typing import Any

from lotus_web.api.endpoint.inputs import HeaderParam
from lotus_web.api.openapi.bodies import CORRELATION_ID, KEY
from lotus_web.api.openapi.samples import SAMPLES
from lotus_web.api.openapi.schemas import Schema, without_null
from lotus_web.domain.access import DEFAULT_TENANT
from lotus_web.domain.accounts.names import NAME_MAX
from lotus_web.domain.identifiers import CORRELATION_MAX, KEY_MAX
from lotus_web.domain.policy_packs import PACK_HEADER, PACK_ID_MAX
from lotus_web.http.path_ids import MAX_PATH_ID

Parameter = dict[str, Any]

REF = "#/components/parameters/"
PATH_PARAMETER = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")
# Any printable characters with no space at either end; in headers beyond ASCII they are sent as UTF-8.
VISIBLE = r"^\S(.*\S)?$"
HEADER_SCHEMAS: dict[str, Schema] = {
    "Idempotency-Key": {"type": "string", "minLength": 1, "maxLength": KEY_MAX, "pattern": VISIBLE},
    PACK_HEADER: {"type": "string", "maxLength": PACK_ID_MAX},
}
HEADER_EXAMPLES = {"Idempotency-Key": KEY, PACK_HEADER: "low-turnover"}

ENTERPRISE = {
    "X-Actor-Id": "The actor, as asserted by the gateway in front.",
    "X-Role": "In which role.",
    "X-Service-Identity": "Which service sends it; `Authorization` is accepted instead.",
    "X-Capabilities": "What the service may do, separated by commas, where a rule of `ENTERPRISE_CAPABILITY_RULES_JSON` fits.",
}

SHARED: dict[str, Parameter] = {
    "CorrelationId": {
        "name": "X-Correlation-Id",
        "in": "header",
        "description": "Groups related requests. It may be used again: look-ups answer the latest. Generated when absent.",
        "schema": {"type": "string", "minLength": 1, "maxLength": CORRELATION_MAX, "pattern": VISIBLE},
        "example": CORRELATION_ID,
    },
    "TenantId": {
        "name": "X-Tenant-Id",
        "in": "header",
        "description": "The tenant to work in; the token must be good for it. What belongs to another is not found.",
        "schema": {"type": "string", "minLength": 1, "maxLength": NAME_MAX, "default": DEFAULT_TENANT},
    },
    "RequestId": {
        "name": "X-Request-Id",
        "in": "header",
        "description": "Names this one request in answers and logs. Generated when absent or not printable.",
        "schema": {"type": "string"},
        "example": "req_5a1c7e90b2d4",
    },
    **{
        name.removeprefix("X-").replace("-", ""): {
            "name": name,
            "in": "header",
            "description": f"{what} Writes must name it where `ENTERPRISE_ENFORCE_AUTHZ` is on; nothing else reads it.",
            "schema": {"type": "string"},
        }
        for name, what in ENTERPRISE.items()
    },
    "TraceParent": {
        "name": "traceparent",
        "in": "header",
        "description": "W3C trace context; its trace id is taken over.",
        "schema": {"type": "string"},
        "example": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    },
}
ANYONE = ("CorrelationId", "RequestId", "TraceParent")
KNOWN_CALLERS = ("TenantId", *ANYONE)
WRITERS = ("ActorId", "Role", "ServiceIdentity", "Capabilities")


def shared_headers(*, public: bool, writes: bool) -> list[Parameter]:
    """Return references to the headers that all routes of this kind read."""
    names = (*(ANYONE if public else KNOWN_CALLERS), *(WRITERS if writes else ()))
    return [{"$ref": REF + name} for name in names]


def path_template(rule: str) -> str:
    """Return a Flask rule as an OpenAPI path."""
    return PATH_PARAMETER.sub(r"{\1}", rule)


def path_parameters(rule: str) -> list[Parameter]:
    """Return the ids in a path: opaque, any printable characters."""
    return [_path_id(name) for name in PATH_PARAMETER.findall(rule)]


# Path parameters that are no ids.
NUMBERS = frozenset({"version_no"})


def _path_id(name: str) -> Parameter:
    if name in NUMBERS:
        schema = {"type": "integer", "minimum": 1}
        return {"name": name, "in": "path", "required": True, "description": "From 1.", "schema": schema, "example": 1}
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": "Any printable characters; `/`, `:` and spaces are percent-encoded.",
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_PATH_ID},
        "example": SAMPLES.get(name, name),
    }


def query_parameters(schema: Schema) -> list[Parameter]:
    """Return the members of a query model as parameters."""
    required = schema.get("required", ())
    return [_query(name, member, name in required) for name, member in schema.get("properties", {}).items()]


def _query(name: str, member: Schema, required: bool) -> Parameter:
    given = without_null(member)
    described = {"description": given.pop("description")} if "description" in given else {}
    return {"name": name, "in": "query", "required": required, **described, "schema": given}


def header_parameters(headers: tuple[HeaderParam, ...]) -> list[Parameter]:
    """Return the headers that a route declares for itself."""
    return [_header(header) for header in headers]


def _header(header: HeaderParam) -> Parameter:
    example = {"example": HEADER_EXAMPLES[header.name]} if header.name in HEADER_EXAMPLES else {}
    return {
        "name": header.name,
        "in": "header",
        "required": header.required,
        "description": header.description[:1].upper() + header.description[1:] + ".",
        "schema": HEADER_SCHEMAS.get(header.name, {"type": "string"}),
        **example,
    }
