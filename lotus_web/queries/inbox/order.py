"""The order of the inbox, its pages and its cursors: overdue items first, then priority, time of request and id (workflow.md §6).

What counts as overdue is settled on the first page and carried by the cursor, so that no item moves past a reader between two
pages. Rows of a list have the attributes ``priority_rank``, ``requested_at`` and ``workflow_id``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from lotus_web.domain.items.values import Priority
from lotus_web.domain.paging import Page, invalid_cursor
from lotus_web.models import WorkflowItem
from lotus_web.queries import keyset
from lotus_web.queries.items.open import not_late

T = TypeVar("T")
Items = Select[*tuple[Any, ...]]

OVERDUE, REST = 0, 1
ORDER = keyset.Order(WorkflowItem.priority_rank, WorkflowItem.requested_at, WorkflowItem.workflow_id)
_KINDS = (int, datetime, *ORDER.kinds)
_RANKS = frozenset(map(int, Priority))
# Filters count days from the instant of a cursor, so it cannot be at the ends of the calendar.
_YEARS = range(1970, 9999)


@dataclass(frozen=True, slots=True)
class InboxPlace:
    """A place in the list as it was ordered at ``as_of``: OVERDUE or REST, then priority, time of request and id."""

    part: int
    as_of: datetime
    place: keyset.Place


class Placed(Protocol):
    """An item that has a place in the inbox."""

    @property
    def priority_rank(self) -> int: ...
    @property
    def requested_at(self) -> datetime: ...
    @property
    def workflow_id(self) -> str: ...
    @property
    def sla_due_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class ClosedItems:
    """Closed items listed among the open ones; a page looks through at most ``reach`` of them (None: all)."""

    tenant_id: str
    reach: int | None


def inbox_page(
    session: Session,
    items: Callable[[datetime], Items],
    *,
    row: Callable[[Any], T],
    now: datetime,
    limit: int,
    cursor: str | None,
    only_overdue: bool = False,
    closed: ClosedItems | None = None,
) -> Page[T]:
    """Return the page that follows a cursor, of the open items and, with ``closed``, of the closed ones too.

    ``items`` selects what to list as of an instant, ``row`` makes a list's row of a found one. At most two queries, four with
    ``closed``. Raises InvalidInput ``INVALID_CURSOR``.
    """
    start = decode_place(cursor) if cursor else None
    as_of = start.as_of if start else now
    listed = items(as_of)
    rows: list[T] = []
    if start is None or start.part == OVERDUE:
        late = listed.where(WorkflowItem.resolved_at.is_(None), WorkflowItem.sla_due_at < as_of)
        rows = [
            row(one) for one in keyset.head(session, late, ORDER, limit=limit, after=start.place if start else None)
        ]
    part = OVERDUE if len(rows) >= limit else REST
    horizon = None
    if len(rows) <= limit and not only_overdue:
        after = start.place if start and start.part == REST else None
        rest = [listed.where(WorkflowItem.resolved_at.is_(None), *not_late(as_of))]
        if closed:
            horizon = _horizon(session, closed, after)
            rest.append(listed.where(WorkflowItem.resolved_at.is_not(None)))
        rows += _merged(session, rest, row, limit=limit - len(rows), after=after, horizon=horizon)
    return keyset.cut(
        rows,
        place=lambda last: (part, as_of, *ORDER.place_of(last)),
        limit=limit,
        horizon=None if horizon is None else (REST, as_of, *horizon),
    )


def _merged(
    session: Session,
    sources: list[Items],
    row: Callable[[Any], T],
    *,
    limit: int,
    after: keyset.Place | None,
    horizon: keyset.Place | None,
) -> list[T]:
    """Return the first rows of all sources in their common order, each source read by its own index."""
    rows: list[T] = []
    for source in sources:
        query = source if horizon is None else source.where(ORDER.up_to(horizon))
        rows += [row(one) for one in keyset.head(session, query, ORDER, limit=limit, after=after)]
    return sorted(rows, key=ORDER.place_of)


def _horizon(session: Session, closed: ClosedItems, after: keyset.Place | None) -> keyset.Place | None:
    if closed.reach is None:
        return None
    every = (WorkflowItem.tenant_id == closed.tenant_id, WorkflowItem.resolved_at.is_not(None))
    return keyset.horizon(session, select(*ORDER.columns).where(*every), ORDER, reach=closed.reach, after=after)


def row_before(
    session: Session, items: Callable[[datetime], Items], *, row: Callable[[Any], T], cursor: str
) -> T | None:
    """Return the open item before the one that a cursor follows; at most two queries. Raises InvalidInput ``INVALID_CURSOR``."""
    at, backwards = decode_place(cursor), ORDER.reversed()
    listed = items(at.as_of).where(WorkflowItem.resolved_at.is_(None))
    late = listed.where(WorkflowItem.sla_due_at < at.as_of)
    rest = listed.where(WorkflowItem.sla_due_at >= at.as_of)
    nearer = backwards.after(at.place)
    for query in [rest.where(nearer), late] if at.part == REST else [late.where(nearer)]:
        found = session.execute(backwards.sort(query).limit(1)).one_or_none()
        if found is not None:
            return row(found)
    return None


def cursor_after(item: Placed, as_of: datetime) -> str:
    """Return the cursor of the page that begins after an item that is open, or was, in the order of an instant."""
    part = OVERDUE if item.sla_due_at < as_of else REST
    return keyset.encode_cursor((part, as_of, *ORDER.place_of(item)))


def decode_place(cursor: str) -> InboxPlace:
    """Return the place that a cursor names.

    Raises InvalidInput ``INVALID_CURSOR``, also for numbers that no part and no priority has: their columns are small.
    """
    part, as_of, *place = keyset.decode_cursor(cursor, _KINDS)
    if part not in (OVERDUE, REST) or place[0] not in _RANKS or as_of.year not in _YEARS:
        raise invalid_cursor()
    return InboxPlace(part, as_of, tuple(place))
