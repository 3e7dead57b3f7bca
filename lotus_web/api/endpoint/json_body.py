"""Reading a JSON body within bounds: its size in bytes, chunked too, its depth and the length of its lists (delta 21)."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from functools import reduce
from operator import getitem
from typing import Any, NoReturn

from flask import request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from lotus_web.api.endpoint.error_bodies import Problem
from lotus_web.api.endpoint.refusals import InvalidRequest, shown_input
from lotus_web.domain.canonical import LARGEST_EXPONENT
from lotus_web.domain.identifiers import unstorable_place
from lotus_web.http.body_limit import MIB, longest_body

MAX_DEPTH = 32
MAX_ENTRIES = 10_000
# What a field takes is far less, and says so at its place; Python reads no integer of more than 4300 digits.
MAX_DIGITS = 4_000
DRAINED_AT_MOST = 8 * MIB
BLOCK = 64 * 1024
UNSTORABLE = "Text must not hold NUL characters or halves of surrogate pairs"


def check_declared_size() -> None:
    """Raise RequestEntityTooLarge for a body that says itself that it is beyond the limit; reads nothing."""
    longest = longest_body()
    # One byte more than is allowed, so that a body of exactly the limit can be told from a longer one.
    request.max_content_length = longest + 1
    if (request.content_length or 0) > longest:
        raise RequestEntityTooLarge


def has_undeclared_size() -> bool:
    """Return whether only reading the body tells how long it is."""
    return request.content_length is None and request.method != "GET"


def check_sent_size() -> None:
    """Read a body of undeclared size; raises RequestEntityTooLarge when it is beyond the limit, RequestTimeout when slow.

    Only for known callers: anyone else could keep a thread waiting for a body that never arrives.
    """
    if has_undeclared_size() and len(request.get_data()) > longest_body():
        raise RequestEntityTooLarge


def drain() -> None:
    """Read on for a while: a client that is still sending would otherwise see a reset connection, not the answer."""
    stream = request.environ["wsgi.input"]
    left = min(request.content_length or DRAINED_AT_MOST, DRAINED_AT_MOST)
    with suppress(HTTPException):  # too slow, or gone: nobody waits for the answer
        while left > 0 and (block := stream.read(min(BLOCK, left))):
            left -= len(block)


def read_json() -> Any:
    """Return the parsed body, numbers with a fraction as Decimal; what is declared as another type than JSON is a text.

    Raises InvalidRequest for what is not JSON, too deep, or holds a text that no store takes: what is sent may be stored.
    """
    raw = request.get_data()
    if not raw.strip():
        raise InvalidRequest([problem("missing", "Field required", None)])
    if request.mimetype and not request.is_json:
        return raw.decode(errors="replace")
    try:
        value = json.loads(raw, parse_float=_exact, parse_int=_whole, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise InvalidRequest([_malformed(error.pos, error.msg)]) from None
    except RecursionError:
        raise InvalidRequest([_too_deep()]) from None
    except _TooLarge as error:
        place = max(0, raw.find(error.written.encode()))
        raise InvalidRequest([_malformed(place, error.expected)]) from None
    except ValueError:  # bytes that are no text, NaN
        raise InvalidRequest([_malformed(0, "Expecting UTF-8 text with finite numbers")]) from None
    _check_bounds(value)
    # Such a text is written with an escape or in bytes that no proper UTF-8 has, so nearly no body need be looked through.
    if any(sign in raw for sign in (b"\\u", b"\xed", b"\x00")):
        _check_texts(value)
    return value


def _check_texts(value: Any) -> None:
    place = unstorable_place(value)
    if place is not None:
        sent: Any = reduce(getitem, place, value)
        raise InvalidRequest([problem("value_error", UNSTORABLE, shown_input(sent), *place)])


class _TooLarge(ValueError):
    """A number that is longer, larger or smaller than any that can be meant."""

    def __init__(self, written: str, expected: str):
        self.written, self.expected = written, expected
        super().__init__(written)


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise _TooLarge(text, f"Expecting integers of at most {MAX_DIGITS} digits")
    return int(text)


def _exact(text: str) -> Decimal:
    """Return a number as it is written; one of a few characters may have a million digits once it is made an integer."""
    try:
        number = Decimal(text)
        if abs(number.adjusted()) <= LARGEST_EXPONENT:
            return number
    except InvalidOperation:  # an exponent of twenty digits
        pass
    raise _TooLarge(text, f"Expecting numbers within 1E±{LARGEST_EXPONENT}")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _check_bounds(value: Any) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [item for container in level for item in _entries(container) if isinstance(item, (dict, list))]
        if not level:
            return
    raise InvalidRequest([_too_deep()])


def _entries(container: Any) -> Any:
    if not isinstance(container, (dict, list)):
        return ()
    if len(container) > MAX_ENTRIES:
        message = f"Lists and objects have at most {MAX_ENTRIES} entries, this one has {len(container)}"
        raise InvalidRequest([problem("too_long", message, None)])
    return container.values() if isinstance(container, dict) else container


def problem(kind: str, message: str, sent: object, *loc: str | int) -> Problem:
    """Return a problem of the body."""
    return Problem.of(kind, ["body", *loc], message, sent)


def _malformed(position: int, reason: str) -> Problem:
    return Problem.of("json_invalid", ["body", position], "JSON decode error", {}, {"error": reason})


def _too_deep() -> Problem:
    return problem("too_deep", f"JSON is nested more than {MAX_DEPTH} levels deep", None)
