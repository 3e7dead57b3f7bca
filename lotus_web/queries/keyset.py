"""Keyset paging: the one module that cuts a list into pages and that writes and reads cursors (delta 14).

A cursor is an opaque text that carries the sort position of the last row of a page. The next page starts after that position,
so rows that are added or removed between two pages make no other row appear twice or get lost.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.orm import Session

from lotus_web.domain.identifiers import is_storable
from lotus_web.domain.paging import Page, invalid_cursor
from lotus_web.store.types import UtcDateTime

T = TypeVar("T")

# The values of the sort columns of one row: texts, whole numbers and aware instants.
Place = tuple[Any, ...]


class Order:
    """The columns that a list is sorted by, all in one direction; together they are unique.

    The rows of the list have attributes named like the columns.
    """

    def __init__(self, *columns: Any, descending: bool = False) -> None:
        self.columns = columns
        self.descending = descending
        self.kinds = tuple(_kind(column) for column in columns)
        self._sorted = tuple(column.desc() if descending else column for column in columns)

    def reversed(self) -> Order:
        """Return the same order read from its end."""
        return Order(*self.columns, descending=not self.descending)

    def sort(self, query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
        """Return a query with its rows in this order."""
        return query.order_by(*self._sorted)

    def after(self, place: Place) -> ColumnElement[bool]:
        """Return the condition that a row comes after a place."""
        position = tuple_(*self.columns)
        return position < place if self.descending else position > place

    def up_to(self, place: Place) -> ColumnElement[bool]:
        """Return the condition that a row comes before a place or is at it."""
        position = tuple_(*self.columns)
        return position >= place if self.descending else position <= place

    def place_of(self, row: object) -> Place:
        """Return the place of a row."""
        return tuple(getattr(row, column.key) for column in self.columns)


@dataclass(frozen=True, slots=True)
class Reach:
    """How many rows one page looks through at most, of those that meet ``conditions``.

    It bounds a filter that no index serves and that few rows may meet. A page may then hold few rows and still have a next one.
    """

    rows: int
    conditions: Sequence[ColumnElement[bool]]


def page(
    session: Session,
    query: Select[*tuple[Any, ...]],
    order: Order,
    *,
    row: Callable[[Any], T],
    limit: int,
    cursor: str | None,
    reach: Reach | None = None,
) -> Page[T]:
    """Return the page of a query (which has no order of its own) that follows a cursor; None or "" begins at the first row.

    ``row`` makes a list's row of a found one. One query, two with a ``reach``. Raises InvalidInput ``INVALID_CURSOR``.
    """
    after = decode_cursor(cursor, order.kinds) if cursor else None
    end = None
    if reach is not None:
        end = horizon(session, select(*order.columns).where(*reach.conditions), order, reach=reach.rows, after=after)
        query = query if end is None else query.where(order.up_to(end))
    rows = [row(found) for found in head(session, query, order, limit=limit, after=after)]
    return cut(rows, place=order.place_of, limit=limit, horizon=end)


def head(
    session: Session,
    query: Select[*tuple[Any, ...]],
    order: Order,
    *,
    limit: int | None,
    after: Place | None = None,
) -> Sequence[Any]:
    """Return the first rows after a place, and one more than ``limit``, which tells that there is a next page."""
    if after is not None:
        query = query.where(order.after(after))
    return session.execute(order.sort(query).limit(None if limit is None else limit + 1)).all()


def horizon(
    session: Session,
    query: Select[*tuple[Any, ...]],
    order: Order,
    *,
    reach: int,
    after: Place | None = None,
) -> tuple[Any, ...] | None:
    """Return row number ``reach`` of a query after a place, where a bounded search ends; None if there are fewer rows."""
    if after is not None:
        query = query.where(order.after(after))
    found = session.execute(order.sort(query).offset(reach - 1).limit(1)).one_or_none()
    return None if found is None else tuple(found)


def cut(rows: Sequence[T], *, place: Callable[[T], Place], limit: int | None, horizon: Place | None = None) -> Page[T]:
    """Return the page that the head of a list makes; where a search ended at a ``horizon``, the next page begins there."""
    if limit is not None and len(rows) > limit:
        return Page(tuple(rows[:limit]), encode_cursor(place(rows[limit - 1])))
    return Page(tuple(rows), None if horizon is None else encode_cursor(horizon))


def merge(
    rows: Iterable[T],
    *,
    place: Callable[[T], Place],
    limit: int | None,
    descending: bool = False,
    horizon: Place | None = None,
) -> Page[T]:
    """Return the page that the heads of several sources make together.

    ``horizon`` is the place up to which all sources were searched; rows beyond it wait for the next page.
    """
    known = [row for row in rows if horizon is None or _is_within(place(row), horizon, descending)]
    return cut(sorted(known, key=place, reverse=descending), place=place, limit=limit, horizon=horizon)


def all_rows(session: Session, page_after: Callable[[str | None], Page[T]]) -> Iterator[T]:
    """Yield the rows of every page for an export; between pages no transaction is open, however slowly they are taken."""
    cursor: str | None = None
    while True:
        found = page_after(cursor)
        session.rollback()
        yield from found.items
        if found.next_cursor is None:
            return
        cursor = found.next_cursor


def encode_cursor(place: Place) -> str:
    """Return the opaque text of a place."""
    parts = [_instant_text(value) if isinstance(value, datetime) else value for value in place]
    return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, kinds: tuple[type, ...]) -> Place:
    """Return the place in a cursor if its parts are of these kinds (str, int, datetime); raises InvalidInput ``INVALID_CURSOR``."""
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        parts = json.loads(raw)
    except (ValueError, binascii.Error, RecursionError):
        raise invalid_cursor() from None
    stored = tuple(str if kind is datetime else kind for kind in kinds)
    if not isinstance(parts, list) or tuple(type(part) for part in parts) != stored:
        raise invalid_cursor()
    if not all(_is_comparable(part) for part in parts):
        raise invalid_cursor()
    return tuple(_instant(part) if kind is datetime else part for part, kind in zip(parts, kinds, strict=True))


def _kind(column: Any) -> type:
    kind: type = datetime if isinstance(column.type, UtcDateTime) else column.type.python_type
    return kind


def _is_within(place: Place, horizon: Place, descending: bool) -> bool:
    return place >= horizon if descending else place <= horizon


def _is_comparable(part: str | int) -> bool:
    """Return whether a store can compare with this part: a text it could hold, a number within 64 bits."""
    return is_storable(part) if isinstance(part, str) else -(2**63) <= part < 2**63


def _instant_text(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def _instant(part: str) -> datetime:
    try:
        value = datetime.fromisoformat(part)
        if value.tzinfo is None:
            raise invalid_cursor()
        return value.astimezone(UTC)
    except (ValueError, OverflowError):
        raise invalid_cursor() from None
