"""Canonical JSON and content hashes: the one place where a value becomes bytes that can be compared or proved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from json.encoder import encode_basestring_ascii
from math import isfinite
from typing import Any

HASH_PREFIX = "sha256:"
LARGEST_EXPONENT = 400


def canonical_decimal(value: Decimal) -> str:
    """Return the shortest plain text of a number: 0.5, 0.50 and 5E-1 all give ``0.5``; any zero gives ``0``."""
    if not value.is_finite():
        raise ValueError("a canonical number is finite")
    if value == 0:
        return "0"
    if abs(value.adjusted()) > LARGEST_EXPONENT:
        raise ValueError("a canonical number has a sane exponent")
    text = format(value, "f")  # not normalize(), which rounds to the precision of the context
    return text.rstrip("0").rstrip(".") if "." in text else text


def json_number(value: Decimal) -> float | str:
    """Return a number for JSON: as a number where a double has just this value, else as text, so that no digit is lost."""
    nearest = float(value)
    return nearest if isfinite(nearest) and Decimal(repr(nearest)) == value else str(value)


_AS_IT_IS = frozenset({str, int, bool, type(None)})


def plain(value: Any) -> Any:
    """Turn decimals, aware datetimes, enums and tuples into JSON's own kinds; exact types first, they are nearly all."""
    kind = type(value)
    if kind in _AS_IT_IS:
        return value
    if kind is dict:
        return {key if type(key) is str else str(key): plain(item) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [plain(item) for item in value]
    return _unusual(value)


def _unusual(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return canonical_decimal(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a canonical time is aware")
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, Mapping):
        return plain(dict(value))
    if isinstance(value, list | tuple):
        return plain(list(value))
    if isinstance(value, float):
        raise TypeError("floats have no canonical form; use Decimal")
    return value


# Made once: ``json.dumps`` with options makes an encoder for every call.
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode


def canonical_json(value: Any) -> str:
    """Serialise with keys sorted by code point, no spaces and non-ASCII escaped (dpm-api §1.6)."""
    kind = type(value)
    if kind is str:
        return encode_basestring_ascii(value)
    if kind is datetime:
        return f'"{_unusual(value)}"'
    return "null" if value is None else _encode(plain(value))


def is_same_json(one: Any, other: Any) -> bool:
    """Return whether two values have the same canonical JSON; texts and times, which are nearly all, are compared as they are."""
    kind = type(one)
    if kind is type(other) and (kind is str or kind is datetime):
        return bool(one == other)
    return canonical_json(one) == canonical_json(other)


def canonical_object(members: Mapping[str, str]) -> str:
    """Return the canonical JSON of an object from the canonical JSON of its members, as they are stored."""
    return "{" + ",".join([f"{encode_basestring_ascii(key)}:{members[key]}" for key in sorted(members)]) + "}"


def content_hash(value: Any) -> str:
    """Return ``sha256:`` and 64 lower-case hex digits over the canonical JSON of ``value``."""
    return text_hash(canonical_json(value))


def text_hash(canonical_text: str) -> str:
    """Return the content hash of a value that is canonical JSON already."""
    return HASH_PREFIX + hashlib.sha256(canonical_text.encode("ascii")).hexdigest()
