"""Reading JSON within bounds: its depth, the length of its lists, the size of its numbers, the characters of its texts (delta 21)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import reduce
from operator import getitem
from typing import Any, NoReturn

from lotus_web.domain.canonical import LARGEST_EXPONENT
from lotus_web.domain.identifiers import unstorable_place
from lotus_web.domain.json_members import RepeatedMember, each_once

MAX_DEPTH = 32
MAX_ENTRIES = 10_000
# What a field takes is far less, and says so at its place; Python reads no integer of more than 4300 digits.
MAX_DIGITS = 4_000
UNSTORABLE = "Text must not hold NUL characters or halves of surrogate pairs"


class UnreadableJson(Exception):
    """A text that is not JSON within the bounds: the kind of fault, a sentence, its place, what stands there, and details."""

    def __init__(
        self,
        kind: str,
        sentence: str,
        *,
        loc: tuple[str | int, ...] = (),
        sent: object = None,
        ctx: Mapping[str, Any] | None = None,
    ):
        super().__init__(sentence)
        self.kind, self.sentence, self.loc, self.sent, self.ctx = kind, sentence, loc, sent, ctx


def parse_json(raw: bytes) -> Any:
    """Return the value of a text, numbers with a fraction as Decimal.

    Raises UnreadableJson for what is not JSON, too deep, names a member twice in one object, or holds a text that no store takes: what is sent may be stored.
    """
    if not raw.strip():
        raise UnreadableJson("missing", "Field required")
    try:
        value = json.loads(
            raw,
            object_pairs_hook=each_once,
            parse_float=_exact,
            parse_int=_whole,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        raise _malformed(error.pos, error.msg) from None
    except RecursionError:
        raise _too_deep() from None
    except RepeatedMember as twice:
        raise UnreadableJson("duplicate_member", str(twice)) from None
    except _TooLarge as error:
        raise _malformed(max(0, raw.find(error.written.encode())), error.expected) from None
    except ValueError:  # bytes that are no text, NaN
        raise _malformed(0, "Expecting UTF-8 text with finite numbers") from None
    _check_bounds(value)
    # Such a text is written with an escape or in bytes that no proper UTF-8 has, so nearly no text need be looked through.
    if any(sign in raw for sign in (b"\\u", b"\xed", b"\x00")):
        _check_texts(value)
    return value


def _check_texts(value: Any) -> None:
    place = unstorable_place(value)
    if place is not None:
        sent: Any = reduce(getitem, place, value)
        raise UnreadableJson("value_error", UNSTORABLE, loc=place, sent=sent)


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
    raise _too_deep()


def _entries(container: Any) -> Any:
    if not isinstance(container, (dict, list)):
        return ()
    if len(container) > MAX_ENTRIES:
        message = f"Lists and objects have at most {MAX_ENTRIES} entries, this one has {len(container)}"
        raise UnreadableJson("too_long", message)
    return container.values() if isinstance(container, dict) else container


def _malformed(position: int, reason: str) -> UnreadableJson:
    return UnreadableJson("json_invalid", "JSON decode error", loc=(position,), sent={}, ctx={"error": reason})


def _too_deep() -> UnreadableJson:
    return UnreadableJson("too_deep", f"JSON is nested more than {MAX_DEPTH} levels deep")
