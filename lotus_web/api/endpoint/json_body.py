"""Reading a JSON body within bounds: its size in bytes, chunked too, its depth and the length of its lists (delta 21)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from lotus_web.api.endpoint.error_bodies import Problem
from lotus_web.api.endpoint.refusals import InvalidRequest, shown_input
from lotus_web.http.body_limit import MIB, longest_body
from lotus_web.wire.json_text import UnreadableJson, parse_json

DRAINED_AT_MOST = 8 * MIB
BLOCK = 64 * 1024


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

    Raises InvalidRequest for what cannot be read.
    """
    raw = request.get_data()
    if raw.strip() and request.mimetype and not request.is_json:
        return raw.decode(errors="replace")
    try:
        return parse_json(raw)
    except UnreadableJson as wrong:
        loc = ["body", *wrong.loc]
        ctx = None if wrong.ctx is None else dict(wrong.ctx)
        raise InvalidRequest([Problem.of(wrong.kind, loc, wrong.sentence, shown_input(wrong.sent), ctx)]) from None
