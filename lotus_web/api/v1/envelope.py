"""What every ``/api/v1`` answer but ``/rebalance`` has in common: ``data`` or ``error``, the request's id, the codes (workflow.md §6)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lotus_web.api.endpoint.error_bodies import ErrorBody, Problem
from lotus_web.api.endpoint.refusals import Envelope, Refusal, fault, headers_of, problem_of, sentence_of
from lotus_web.api.endpoint.routing import Refuses
from lotus_web.domain.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    LotusError,
    NotFound,
    StoreUnavailable,
    TooManyAttempts,
    Unauthenticated,
)
from lotus_web.domain.surface import Surface
from lotus_web.domain.write_policy import DENIED
from lotus_web.http.request_ids import current_ids
from lotus_web.http.statuses import status_of

INVALID_CODE = "invalid_argument"
_CODES: tuple[tuple[type[LotusError], str], ...] = (
    (InvalidInput, INVALID_CODE),
    (Unauthenticated, "unauthenticated"),
    (NotFound, "not_found"),
    (StoreUnavailable, "store_unavailable"),
    (TooManyAttempts, "too_many_attempts"),
)
_PLAIN_CODES = {404: "not_found", 405: "method_not_allowed", 408: "request_timeout", 413: "payload_too_large"}
_MESSAGES = {"unauthenticated": "A valid bearer token is needed.", "not_found": "There is nothing here by that id."}

# What routes refuse, for their declarations.
TOO_MANY_EXPORTS = Refuses(
    429,
    "too_many_attempts",
    "as many exports as there may be at once are being sent; `Retry-After` says when to try again",
)
NOT_FOUND = Refuses(404, "not_found", "nothing of this tenant has this id")
INVALID = Refuses(422, "invalid_argument", "a reason, note or target is missing, or the override phrase is wrong")
MALFORMED = Refuses(400, "invalid_argument", "the event is malformed")
UNKNOWN_ACTION = Refuses(400, "invalid_argument", "the action is unknown")
INVALID_TRANSITION = Refuses(409, "invalid_transition", "the item's status does not allow the action")
VERSION_CONFLICT = Refuses(409, "version_conflict", "the item changed; the details name who, what and when")
FOUR_EYES = Refuses(
    403,
    "four_eyes",
    "the submitter of the run or the requester of the review may not approve or override it; `LOTUS_FOUR_EYES=false`, or a tenant"
    " in `LOTUS_FOUR_EYES_EXEMPT_TENANTS`, lifts this rule",
)
EVIDENCE_REQUIRED = Refuses(
    409, "evidence_required", "`LOTUS_REQUIRE_EVIDENCE` is on and the decision names no evidence"
)
EVIDENCE_CHANGED = Refuses(409, "evidence_changed", "the evidence is not, or no longer, the one with this digest")
SIGNATURE_REQUIRED = Refuses(
    409, "signature_required", "`LOTUS_SIGN_DECISIONS` has a person sign such a decision, on the page of its item"
)
EVIDENCE_MISMATCH = Refuses(409, "evidence_mismatch", "what is stored is not what the log records")
NOT_SIGNED = Refuses(409, "not_signed_yet", "no checkpoint covers this yet; one is signed within a minute")
LOG_MISMATCH = Refuses(409, "log_mismatch", "the log as it is stored does not give the root that was signed")
LOG_KEY_UNKNOWN = Refuses(409, "log_key_unknown", "the public key of the log is not known to this process")
TRACE_SEQ_CONFLICT = Refuses(409, "trace_seq_conflict", "trace_seq is not the next of its trace")
IDEMPOTENCY_CONFLICT = Refuses(409, "idempotency_conflict", "the key was used for another event")


def code_of(error: LotusError) -> str:
    """Return the code that this surface gives a refusal; conflicts and prohibitions keep their own in lower case."""
    if isinstance(error, Forbidden) and error.code not in ("four_eyes", DENIED):
        return "forbidden"
    if isinstance(error, (Forbidden, Conflict)):
        return error.code.lower()
    return next((code for kind, code in _CODES if isinstance(error, kind)), error.code.lower())


class V1ErrorDetails(BaseModel):
    """The facts that fit the case, such as the missing ``permission``; ``problems`` where the request does not validate."""

    model_config = ConfigDict(extra="allow", frozen=True)

    problems: list[Problem] = Field(default_factory=list)


class V1Error(BaseModel):
    """A stable code, a sentence for a person, and the facts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    message: str
    details: V1ErrorDetails


class V1ErrorBody(ErrorBody):
    """A refusal or a fault on our side."""

    code_at = ("error", "code")

    error: V1Error
    request_id: str

    @classmethod
    def of(cls, code: str, message: str, details: Mapping[str, Any]) -> V1ErrorBody:
        """Return the refusal of the current request."""
        facts = V1ErrorDetails.model_construct(**details)
        error = V1Error.model_construct(code=code, message=message, details=facts)
        return cls.model_construct(error=error, request_id=current_ids().request_id)


class V1Body(BaseModel):
    """What a route gives."""

    data: Any
    request_id: str


class V1Envelope(Envelope):
    """Wraps successes and refusals alike; ``malformed_status`` answers a body that does not validate."""

    surface = Surface.API
    errors = (V1ErrorBody,)
    success = V1Body

    def __init__(self, malformed_status: int = 422):
        self.malformed_status = malformed_status

    def wrap(self, document: bytes) -> bytes:
        """Return ``{"data": …, "request_id": …}``."""
        return b'{"data":' + document + b',"request_id":' + json.dumps(current_ids().request_id).encode() + b"}"

    def refuse(self, error: LotusError) -> Refusal:
        """Return the answer to a refusal of the domain."""
        code = code_of(error)
        message = _MESSAGES.get(code, error.message) if error.message == error.code else error.message
        details = dict(error.details)
        status = status_of(error)
        if isinstance(error, InvalidInput):
            details["problems"] = [problem_of(error)]
            status = self.malformed_status if status == 422 else status
        return Refusal(status, V1ErrorBody.of(code, message, details), headers_of(error))

    def invalid(self, problems: list[Problem]) -> Refusal:
        """Return the answer to a request that does not validate: the first problem as the sentence, all in the details."""
        return Refusal(
            self.malformed_status, V1ErrorBody.of(INVALID_CODE, sentence_of(problems), {"problems": problems})
        )

    def plain(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> Refusal:
        """Return an answer that HTTP itself asks for."""
        return Refusal(status, V1ErrorBody.of(_PLAIN_CODES.get(status, "http_error"), detail, {}), headers or {})

    def unexpected(self, *, path: str, correlation_id: str) -> Refusal:
        """Return the answer to a fault of ours: nothing of the cause."""
        details = {"path": path, "correlation_id": correlation_id}
        return Refusal(500, V1ErrorBody.of("internal", fault(), details))
