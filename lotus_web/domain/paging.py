"""A page of a list, and the refusal of a cursor; ``queries/keyset.py`` makes pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from lotus_web.domain.errors import InvalidInput

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list; ``next_cursor`` is None on the last."""

    items: tuple[T, ...]
    next_cursor: str | None


def invalid_cursor() -> InvalidInput:
    """Return the refusal of a cursor that this list did not make."""
    return InvalidInput("INVALID_CURSOR", "The cursor was not issued by this list.", loc=("query", "cursor"))
