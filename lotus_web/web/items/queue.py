"""The list that an item was opened from: previous and next item, and progress while someone works through it.

The address of an item names its list by the filter of the inbox. While someone works through the list, the address also holds
the number of items at the start and the place of this item in the order of that moment. The next item is looked for after that
place, so no item comes up twice, whether it was decided or skipped.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from flask import Response, request, url_for
from sqlalchemy.orm import Session

from lotus_web.config import current
from lotus_web.domain.access import Actor
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.items.state import ItemState
from lotus_web.queries.inbox.filter import InboxFilter, Tab
from lotus_web.queries.inbox.listing import InboxRow, open_before, open_items
from lotus_web.queries.inbox.order import cursor_after, decode_place
from lotus_web.web.items.list_args import filter_from_query
from lotus_web.web.shell.htmx import is_htmx, see_other
from lotus_web.web.shell.links import with_query

# Lists of open items have an order to go on in; the others only have a way back.
ORDERED = frozenset(Tab) - {Tab.CLOSED, Tab.ALL}
AT, OF, PLACE = "at", "of", "place"


@dataclass(frozen=True, slots=True)
class Work:
    """Progress through a list: item number ``at`` of ``of``, whose place in the order is the cursor ``place``."""

    at: int
    of: int
    place: str


@dataclass(frozen=True, slots=True)
class Queue:
    """The neighbours of an item in its list, None at its ends; ``work`` is None unless someone works through the list."""

    work: Work | None
    next: InboxRow | None
    next_url: str | None
    previous: InboxRow | None
    previous_url: str | None


def work_url(row: InboxRow, tab: Tab, of: int | None, now: datetime) -> str:
    """Return the address at which someone begins to work through the list of this page, at its first row."""
    begin = {"tab": tab.value, AT: "1", OF: str(of or 1), PLACE: cursor_after(row, now)}
    return with_query(url_for("items.show", workflow_id=row.workflow_id), **begin)


def row_url(row: InboxRow, tab: Tab) -> str:
    """Return the address of an item in the list of this page."""
    return with_query(url_for("items.show", workflow_id=row.workflow_id), tab=tab.value)


@dataclass(frozen=True, slots=True)
class QueueAddress:
    """The list that the address of an item names; ``filters`` is None where its filter is not valid."""

    filters: InboxFilter | None
    work: Work | None


def queue_address() -> QueueAddress | None:
    """Return the list that the address of this item's page names, None where it names none. No query."""
    at, of, place = _number(AT), _number(OF), request.args.get(PLACE)
    work = Work(at, max(of, at), place) if at and of and place else None
    if work is None and {AT, OF, PLACE} & set(request.args):
        return None
    try:
        filters = filter_from_query()
        if work is not None:
            decode_place(work.place)
    except InvalidInput:
        # The address was cut short or edited.
        return QueueAddress(None, work)
    return QueueAddress(filters, work) if filters.tab in ORDERED else None


def list_url() -> str | None:
    """Return the address of the list in the inbox that this item was opened from, None where it was not opened from one."""
    try:
        named = filter_from_query().tab is not None
    except InvalidInput:
        return None
    return with_query(url_for("inbox.show"), at=None, of=None, place=None, do=None) if named else None


def act_url(item: ItemState) -> str:
    """Return where the forms of an item are sent: its own address, with its list."""
    return with_query(url_for("items.act", workflow_id=item.workflow_id), do=None)


def queue_here(session: Session, item: ItemState, actor: Actor, address: QueueAddress | None) -> Queue | None:
    """Return the neighbours of an item in the list that an address names, None where it names no valid one. At most four queries."""
    if address is None or address.filters is None or address.filters.tab is None:
        return None
    filters, tab, work = address.filters, address.filters.tab, address.work
    place = work.place if work else cursor_after(item, current.utcnow())
    onward = None if work and work.at >= work.of else _next(session, item, actor, filters, tab, place)
    soon = current.settings().deadline_risk_warning_minutes
    before = open_before(session, filters, tab, actor=actor, soon_minutes=soon, cursor=place)
    return Queue(
        work=work,
        next=onward,
        next_url=_url_of(onward, work, 1) if onward else None,
        previous=before,
        previous_url=_url_of(before, work, -1) if before else None,
    )


def _url_of(row: InboxRow, work: Work | None, step: int) -> str:
    """Return the address of a neighbour; the order of the list stays that of the moment when the work began."""
    path = url_for("items.show", workflow_id=row.workflow_id)
    if work is None:
        return with_query(path, do=None)
    at, place = str(max(work.at + step, 1)), cursor_after(row, decode_place(work.place).as_of)
    return with_query(path, do=None, at=at, place=place)


def _number(name: str) -> int | None:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else None


def _next(
    session: Session, item: ItemState, actor: Actor, filters: InboxFilter, tab: Tab, place: str
) -> InboxRow | None:
    """Return the first item after a place of the list."""
    page = open_items(
        session,
        filters,
        tab,
        actor=actor,
        now=current.utcnow(),
        soon_minutes=current.settings().deadline_risk_warning_minutes,
        limit=2,
        cursor=place,
    )
    return next((row for row in page.items if row.workflow_id != item.workflow_id), None)


def move_on(url: str) -> Response:
    """Go to the next item: 303 for a form; htmx loads it in place of this one and changes the address."""
    if not is_htmx():
        return see_other(url)
    where = {"path": url, "target": "#item", "swap": "outerHTML show:window:top"}
    return Response(status=204, headers={"HX-Location": json.dumps(where)})
