"""Working through a list: the address of an item says which list it is of, its place there and how many there were."""

from __future__ import annotations

import json
from dataclasses import dataclass

from flask import Response, request, url_for
from sqlalchemy.orm import Session

from lotus_web import current
from lotus_web.domain.access import Actor
from lotus_web.domain.items import ItemState
from lotus_web.domain.workflow import Action
from lotus_web.queries.inbox import InboxRow, cursor_after, open_items
from lotus_web.queries.inbox_filter import Tab
from lotus_web.web.htmx import is_htmx, see_other
from lotus_web.web.inbox_args import wanted_items
from lotus_web.web.links import with_query

AT, OF = "at", "of"
# After these the item needs its reviewer no more.
ONWARD = frozenset({Action.APPROVE, Action.REJECT, Action.REQUEST_CHANGE, Action.ESCALATE, Action.OVERRIDE})


@dataclass(frozen=True, slots=True)
class Queue:
    """A list as someone works through it: item ``at`` of ``of``; ``next`` None once nothing else is in it."""

    at: int
    of: int
    list_url: str
    act_url: str
    next: InboxRow | None
    next_url: str | None


def work_url(row: InboxRow, tab: Tab, of: int | None) -> str:
    """Return the address at which the list of the present page is worked through from its first row on."""
    return with_query(url_for("items.show", workflow_id=row.workflow_id), tab=tab.value, at="1", of=str(of or 1))


def queue_here(session: Session, item: ItemState, actor: Actor) -> Queue | None:
    """Return the list that the address of this item's page names; None where it names none. Two queries or three."""
    at, of = _number(AT), _number(OF)
    wanted = wanted_items()
    if not at or not of or wanted.tab is None or wanted.tab is Tab.CLOSED:
        return None
    onward = _next(session, item, actor)
    place = {AT: str(at + 1), OF: str(max(of, at + 1))}
    return Queue(
        at=at,
        of=max(of, at),
        list_url=with_query(url_for("inbox.show"), at=None, of=None, do=None),
        act_url=with_query(url_for("items.act", workflow_id=item.workflow_id), do=None),
        next=onward,
        next_url=with_query(url_for("items.show", workflow_id=onward.workflow_id), do=None, **place)
        if onward
        else None,
    )


def _number(name: str) -> int | None:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else None


def _next(session: Session, item: ItemState, actor: Actor) -> InboxRow | None:
    """Return what follows the item in its list; after the last of it, what was passed over."""
    wanted, now = wanted_items(), current.utcnow()
    assert wanted.tab is not None
    for cursor in (cursor_after(item, now), None):
        page = open_items(
            session,
            wanted,
            wanted.tab,
            actor=actor,
            now=now,
            soon_minutes=current.settings().deadline_risk_warning_minutes,
            limit=2,
            cursor=cursor,
        )
        found = next((row for row in page.items if row.workflow_id != item.workflow_id), None)
        if found is not None:
            return found
    return None


def move_on(url: str) -> Response:
    """Go to the next item: 303 for a form; htmx fetches it in place of this one and notes its address."""
    if not is_htmx():
        return see_other(url)
    where = {"path": url, "target": "#item", "swap": "outerHTML show:window:top"}
    return Response(status=204, headers={"HX-Location": json.dumps(where)})
