"""Opaque keyset cursors: they carry the sort position, so inserts and purges between pages lose nothing (delta 14)."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.identifiers import is_storable

T = TypeVar("T")

Position = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list; ``next_cursor`` is None on the last."""

    items: tuple[T, ...]
    next_cursor: str | None


def encode_cursor(position: Position) -> str:
    """Return the opaque text of a sort position."""
    return base64.urlsafe_b64encode(json.dumps(position, separators=(",", ":")).encode()).decode().rstrip("=")


def invalid_cursor() -> InvalidInput:
    """Return the refusal of a cursor that this list did not make."""
    return InvalidInput("INVALID_CURSOR", "The cursor is not one that this list gave out.", loc=("query", "cursor"))


def decode_cursor(cursor: str, *, kinds: tuple[type, ...]) -> Position:
    """Return the position in a cursor if it has exactly these kinds of parts; raises InvalidInput ``INVALID_CURSOR``."""
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        parts = json.loads(raw)
    except (ValueError, binascii.Error, RecursionError):
        raise invalid_cursor() from None
    if not isinstance(parts, list) or tuple(type(part) for part in parts) != kinds:
        raise invalid_cursor()
    if not all(_comparable(part) for part in parts):
        raise invalid_cursor()
    return tuple(parts)


def _comparable(part: str | int) -> bool:
    """Return whether a store can compare with this part: a text it could hold, a number within 64 bits."""
    return is_storable(part) if isinstance(part, str) else -(2**63) <= part < 2**63


def instant_part(value: datetime) -> str:
    """Return an instant as a cursor part."""
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def part_instant(part: str | int) -> datetime:
    """Return the instant of a cursor part; raises InvalidInput ``INVALID_CURSOR``."""
    try:
        value = datetime.fromisoformat(str(part))
        if value.tzinfo is None:
            raise invalid_cursor()
        return value.astimezone(UTC)
    except (ValueError, OverflowError):
        raise invalid_cursor() from None
