"""Working through a list from its first item to its last, once.

The address of an item says which list it is of, how many there were, and behind which place of it, as it was ordered when
the work began, the next one stands: so nothing comes up again, whatever was done to it or passed over.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from flask import Response, request, url_for
from sqlalchemy.orm import Session

from lotus_web import current
from lotus_web.domain.access import Actor
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.items import ItemState
from lotus_web.domain.workflow import Action
from lotus_web.queries.inbox import InboxRow, cursor_after, cursor_instant, open_items
from lotus_web.queries.inbox_filter import InboxFilter, Tab
from lotus_web.web.htmx import is_htmx, see_other
from lotus_web.web.inbox_args import wanted_items
from lotus_web.web.links import with_query

AT, OF, PLACE = "at", "of", "place"
# After these the item needs its reviewer no more.
ONWARD = frozenset({Action.APPROVE, Action.REJECT, Action.REQUEST_CHANGE, Action.ESCALATE, Action.OVERRIDE})


@dataclass(frozen=True, slots=True)
class Queue:
    """A list as someone works through it: item ``at`` of ``of``; ``next`` None at its end."""

    at: int
    of: int
    list_url: str
    act_url: str
    next: InboxRow | None
    next_url: str | None


def work_url(row: InboxRow, tab: Tab, of: int | None, now: datetime) -> str:
    """Return the address at which the list of the present page is worked through from its first row on."""
    begin = {"tab": tab.value, AT: "1", OF: str(of or 1), PLACE: cursor_after(row, now)}
    return with_query(url_for("items.show", workflow_id=row.workflow_id), **begin)


@dataclass(frozen=True, slots=True)
class QueueAddress:
    """What the address of an item's page says of the list it is of; ``wanted`` None where that cannot be meant."""

    at: int
    of: int
    place: str
    wanted: InboxFilter | None


def queue_address() -> QueueAddress | None:
    """Return which list the address of this item's page names; None where it names none. Asks the store nothing."""
    at, of, place = _number(AT), _number(OF), request.args.get(PLACE)
    if not at or not of or not place:
        return None
    try:
        wanted = wanted_items()
        cursor_instant(place)
    except InvalidInput:
        # An address that was cut short, or typed.
        return QueueAddress(at, of, place, None)
    return None if wanted.tab in (None, Tab.CLOSED, Tab.ALL) else QueueAddress(at, of, place, wanted)


def queue_here(session: Session, item: ItemState, actor: Actor, address: QueueAddress | None) -> Queue | None:
    """Return the list that an address names; None where it names none, or none that can be meant. Two queries at most."""
    if address is None or address.wanted is None:
        return None
    at, of, place = address.at, address.of, address.place
    onward = _next(session, item, actor, address.wanted, place) if at < of else None
    return Queue(
        at=at,
        of=max(of, at),
        list_url=with_query(url_for("inbox.show"), at=None, of=None, place=None, do=None),
        act_url=with_query(url_for("items.act", workflow_id=item.workflow_id), do=None),
        next=onward,
        next_url=_url_of(onward, at + 1, place) if onward else None,
    )


def _url_of(row: InboxRow, at: int, place: str) -> str:
    """Return the address of the next item; what was settled when the work began stays so."""
    behind = cursor_after(row, cursor_instant(place))
    return with_query(url_for("items.show", workflow_id=row.workflow_id), do=None, at=str(at), place=behind)


def _number(name: str) -> int | None:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else None


def _next(session: Session, item: ItemState, actor: Actor, wanted: InboxFilter, place: str) -> InboxRow | None:
    """Return what follows behind a place of the list."""
    assert wanted.tab is not None
    page = open_items(
        session,
        wanted,
        wanted.tab,
        actor=actor,
        now=current.utcnow(),
        soon_minutes=current.settings().deadline_risk_warning_minutes,
        limit=2,
        cursor=place,
    )
    return next((row for row in page.items if row.workflow_id != item.workflow_id), None)


def move_on(url: str) -> Response:
    """Go to the next item: 303 for a form; htmx fetches it in place of this one and notes its address."""
    if not is_htmx():
        return see_other(url)
    where = {"path": url, "target": "#item", "swap": "outerHTML show:window:top"}
    return Response(status=204, headers={"HX-Location": json.dumps(where)})
