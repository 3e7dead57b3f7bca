"""Refusals as JSON: ``{"detail": …}``, but a problem document for an unexpected error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from flask import Response
from pydantic import BaseModel

from lotus_web.api.endpoint.error_bodies import ErrorBody, FaultBody, ForbiddenBody, InvalidBody, Problem, RefusalBody
from lotus_web.domain.canonical import json_number
from lotus_web.domain.errors import Forbidden, InvalidInput, LotusError, Unauthenticated
from lotus_web.domain.surface import Surface
from lotus_web.http.statuses import retry_after, status_of
from lotus_web.store.session import nothing_recorded

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
CHALLENGE = 'Bearer realm="lotus-web"'
MOST_PROBLEMS = 200
LONGEST_INPUT = 2_000
FAULT = "An unexpected error occurred."
MAYBE_RECORDED = "What was sent may have been recorded: check before you send it again."


class InvalidRequest(Exception):
    """Everything that is wrong with a request's path, headers, query and body, in that order."""

    def __init__(self, problems: list[Problem]):
        super().__init__(f"{len(problems)} problems")
        self.problems = problems[:MOST_PROBLEMS]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A response that refuses the request or reports a fault."""

    status: int
    body: ErrorBody
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = JSON

    def response(self) -> Response:
        """Return it as Flask sends it."""
        answer = Response(json.dumps(self.body.document()), status=self.status, content_type=self.media_type)
        answer.headers.update(self.headers)
        return answer


def fault() -> str:
    """Return the sentence for an unexpected error; its cause is never disclosed."""
    return FAULT if nothing_recorded() else f"{FAULT} {MAYBE_RECORDED}"


class Envelope:
    """The shape of answers on the ``/rebalance`` routes (dpm-api §1.2); another surface overrides what differs.

    ``surface`` is what the audit log calls it, ``errors`` are the models of its refusals, ``success`` is the model around
    what a route gives, None where that is sent as it is.
    """

    surface = Surface.RFC
    errors: tuple[type[ErrorBody], ...] = (RefusalBody, ForbiddenBody, InvalidBody, FaultBody)
    success: type[BaseModel] | None = None

    def wrap(self, document: bytes) -> bytes:
        """Return the JSON text of a success."""
        return document

    def refuse(self, error: LotusError) -> Refusal:
        """Return the answer to a refusal of the domain. A 422 with a lower-case code is a validator's, so it is listed."""
        if isinstance(error, InvalidInput) and not error.code.partition(":")[0].isupper():
            return self.invalid([problem_of(error)])
        body: ErrorBody = RefusalBody.model_construct(detail=error.code)
        if isinstance(error, Forbidden):
            facts = {name: fact for name, fact in error.details.items() if name in ForbiddenBody.model_fields}
            body = ForbiddenBody.model_construct(detail=error.code, **facts)
        return Refusal(status_of(error), body, headers_of(error))

    def invalid(self, problems: list[Problem]) -> Refusal:
        """Return the answer to a request that does not validate."""
        return Refusal(422, InvalidBody.model_construct(detail=problems))

    def plain(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> Refusal:
        """Return an answer that HTTP itself asks for: 404, 405, 413."""
        return Refusal(status, RefusalBody.model_construct(detail=detail), headers or {})

    def unexpected(self, *, path: str, correlation_id: str) -> Refusal:
        """Return the response to an unexpected error: the correlation id and nothing of the cause (delta 33)."""
        body = FaultBody.model_construct(
            type="about:blank",
            title="Internal Server Error",
            status=500,
            detail=fault(),
            instance=path,
            correlation_id=correlation_id,
        )
        return Refusal(500, body, media_type=PROBLEM_JSON)


def sentence_of(problems: list[Problem]) -> str:
    """Return the first of the problems as a sentence: where, and what."""
    first = problems[0]
    if first.type == "json_invalid":
        return f"The body is not JSON: {first.ctx['error']} at character {first.loc[-1]}."
    place = ".".join(str(part) for part in first.loc[1:])
    return f"{place or first.loc[0]}: {first.msg}"


def headers_of(error: LotusError) -> dict[str, str]:
    """Return the headers that go with a refusal, whatever its shape."""
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": CHALLENGE}
    seconds = retry_after(error)
    return {} if seconds is None else {"Retry-After": str(seconds)}


def problem_of(error: InvalidInput, sent: object = None) -> Problem:
    """Return a refusal of one input as the validator would list it."""
    return Problem.of(error.code, list(error.loc), error.message, shown_input(sent))


def shown_input(sent: object) -> object:
    """Return what was sent, shortened where echoing it would make the answer many times the request."""
    text = json.dumps(sent, default=_plain)
    return json.loads(text) if len(text) <= LONGEST_INPUT else text[:LONGEST_INPUT] + "…"


def _plain(value: object) -> object:
    return json_number(value) if isinstance(value, Decimal) and value.is_finite() else str(value)
