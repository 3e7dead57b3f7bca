"""From a request to validated values: headers, query and body, with all problems reported together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import request
from pydantic import BaseModel, ValidationError

from lotus_web.api.endpoint.error_bodies import Problem
from lotus_web.api.endpoint.json_body import read_json
from lotus_web.api.endpoint.refusals import InvalidRequest, problem_of, shown_input
from lotus_web.domain.errors import InvalidInput
from lotus_web.http.request_ids import CORRELATION_HEADER, current_ids, sent_header

OBJECT_EXPECTED = "Input should be a valid dictionary"


@dataclass(frozen=True, slots=True)
class HeaderParam:
    """A header that a route reads; ``check`` gets None when it is absent, and raises InvalidInput.

    An empty header counts as absent, unless ``tells_empty``: then ``check`` gets the empty text.
    """

    name: str
    check: Callable[[str | None], str | None]
    description: str
    required: bool = True
    tells_empty: bool = False


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a request says, validated."""

    headers: Mapping[str, str | None]
    query: BaseModel | None
    body: BaseModel | None


def read_inputs(
    *,
    headers: tuple[HeaderParam, ...],
    query: type[BaseModel] | None,
    body: type[BaseModel] | None,
) -> Inputs:
    """Validate everything; raises InvalidRequest with all problems together."""
    problems = _correlation_problems()
    read = {header.name: _header(header, problems) for header in headers}
    asked = None if query is None else _validated(query, last_values, "query", problems)
    sent = None if body is None else _validated(body, read_json, "body", problems)
    if problems:
        raise InvalidRequest(problems)
    return Inputs(read, asked, sent)


def _correlation_problems() -> list[Problem]:
    refused = current_ids().refused
    return [] if refused is None else [problem_of(refused, sent_header(CORRELATION_HEADER))]


def _header(header: HeaderParam, problems: list[Problem]) -> str | None:
    sent = sent_header(header.name)
    if sent is None and header.tells_empty and header.name in request.headers:
        sent = ""
    try:
        return header.check(sent)
    except InvalidInput as error:
        problems.append(problem_of(error, sent))
        return None


def last_values() -> dict[str, str]:
    """Return the query parameters; of a repeated one the last counts (dpm-api §1.1)."""
    return {name: values[-1] for name, values in request.args.lists()}


def _validated(
    model: type[BaseModel], read: Callable[[], object], place: str, problems: list[Problem]
) -> BaseModel | None:
    try:
        return model.model_validate(read())
    except ValidationError as error:
        problems += [_problem(place, found) for found in error.errors(include_url=False)]
    except InvalidRequest as error:
        problems += error.problems
    return None


def _problem(place: str, found: Any) -> Problem:
    # The validator's own words for this one name the class that it expected.
    unnamed = found["type"] == "model_type"
    bounds = None if unnamed else found.get("ctx")
    return Problem.of(
        found["type"],
        [place, *found["loc"]],
        OBJECT_EXPECTED if unnamed else found["msg"],
        shown_input(found["input"]),
        None if bounds is None else {name: shown_input(value) for name, value in bounds.items()},
    )
