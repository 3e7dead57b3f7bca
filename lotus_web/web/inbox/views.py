"""The inbox: lists of items by tab, and claiming an item of a row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, flash, request, url_for
from flask.typing import ResponseReturnValue

from lotus_web.config import current
from lotus_web.domain.access import Actor, Permission
from lotus_web.domain.errors import Conflict, InvalidInput
from lotus_web.domain.items.actions import Action
from lotus_web.domain.items.values import OPEN, ItemStatus
from lotus_web.domain.sla.ageing import Age
from lotus_web.queries.inbox.counts import CLOSED_CAP, InboxCounts, inbox_counts
from lotus_web.queries.inbox.escalated import escalated_items
from lotus_web.queries.inbox.filter import Tab
from lotus_web.queries.inbox.listing import InboxRow, closed_items, open_items
from lotus_web.services.audit.transaction import AuditedAction, audited_transaction
from lotus_web.services.items.action_records import ReviewAction
from lotus_web.services.items.actions import Reviewed, apply_action
from lotus_web.services.items.next_item import NEXT, claim_next_item
from lotus_web.store.session import db
from lotus_web.web.format.sentences import page_message
from lotus_web.web.guard.access import current_actor, form_context, requires, signed_in
from lotus_web.web.guard.invalid_filters import redisplay_invalid_filters
from lotus_web.web.inbox.saved_view_links import view_links
from lotus_web.web.items.choices import refusals, waits_for_others
from lotus_web.web.items.form import seen_version
from lotus_web.web.items.list_args import filter_from_query
from lotus_web.web.items.queue import ORDERED, row_url, work_url
from lotus_web.web.shell.htmx import go_to, is_htmx, page_or_fragment, see_other
from lotus_web.web.shell.links import with_query

blueprint = Blueprint("inbox", __name__)
PAGE_SIZE = 50

TAB_WORDS = {
    Tab.MINE: "Mine",
    Tab.ROLES: "My roles",
    Tab.UNASSIGNED: "Unassigned",
    Tab.OPEN: "All open",
    Tab.CLOSED: "Closed",
    Tab.ALL: "Open and closed",
}


@blueprint.get("/")
@signed_in
def home() -> ResponseReturnValue:
    """Redirect to the inbox."""
    return see_other(url_for("inbox.show"))


@blueprint.get("/inbox")
@requires(Permission.RUNS_READ)
@redisplay_invalid_filters
def show() -> ResponseReturnValue:
    """Show one page of one tab."""
    return render_inbox()


@blueprint.post("/inbox")
@requires(Permission.WORKFLOW_REVIEW)
def claim() -> ResponseReturnValue:
    """Claim the item of a row; the address says which page of the inbox to show afterwards."""
    try:
        taken = _claim(request.form.get("claim", ""))
    except Conflict as conflict:
        return render_inbox(status=409, refused=page_message(conflict))
    if is_htmx():
        return render_inbox(taken=taken)
    flash(f"{taken.item.title} is yours now.", "success")
    return see_other(inbox_page())


def _claim(row: str) -> Reviewed:
    """Apply the claim of a row's button, whose value is ``version:workflow_id``; raises InvalidInput."""
    version, _, workflow_id = row.partition(":")
    if not workflow_id:
        raise InvalidInput("invalid_argument", "Choose the item to claim.", loc=("body", "claim"))
    asked = ReviewAction(action=Action.CLAIM, version=seen_version(version))
    context = form_context()
    with audited_transaction(AuditedAction(context, asked.action.value, workflow_id)) as session:
        return apply_action(session, workflow_id, asked, context)


@blueprint.post("/inbox/next")
@requires(Permission.WORKFLOW_REVIEW)
def take_next() -> ResponseReturnValue:
    """Claim the most urgent item that the person may take, and open it."""
    context = form_context()
    with audited_transaction(AuditedAction(context, Action.CLAIM.value, NEXT)) as session:
        taken = claim_next_item(session, context, skip=request.form.get("skip") or None)
    if taken is None:
        flash("Nothing is free for your roles now.", "info")
        return go_to(url_for("inbox.show"))
    flash(f"{taken.item.title} is yours now.", "success")
    return go_to(url_for("items.show", workflow_id=taken.item.workflow_id))


def render_inbox(*, status: int = 200, **outcome: Any) -> Response:
    """Render the inbox that the address names; five queries at most."""
    filters, actor, now = filter_from_query(), current_actor(), current.utcnow()
    soon, codes = current.settings().deadline_risk_warning_minutes, current.settings().reason_codes
    session, cursor, refused_view = db.session(), request.args.get("cursor"), outcome.get("refused_view")
    counts = inbox_counts(session, filters, actor=actor, now=now, soon_minutes=soon)
    tab = filters.tab or counts.first_filled
    about: dict[str, Any] = {"actor": actor, "now": now, "soon_minutes": soon, "limit": PAGE_SIZE, "cursor": cursor}
    match tab:
        case Tab.CLOSED:
            listing = closed_items(session, filters, **about, codes=codes)
        case Tab.ALL:
            listing = escalated_items(session, filters, **about, codes=codes)
        case _:
            listing = open_items(session, filters, tab, **about)
    return page_or_fragment(
        "inbox/inbox.html",
        "inbox/_inbox.html",
        status,
        listing=listing,
        tab=tab,
        tabs=tab_links(tab, counts),
        filters=filters,
        cursor=cursor,
        claimable={row.workflow_id for row in listing.items if _offers_claim(row, actor)},
        total=counts.of(tab),
        work_url=work_url(listing.items[0], tab, counts.of(tab), now) if listing.items and tab in ORDERED else None,
        row_url=lambda row: row_url(row, tab),
        me=actor.decider_id,
        now=now,
        soon_minutes=soon,
        outcome=outcome,
        views=None if is_htmx() else view_links(session, actor, replace(filters, tab=tab), refused_view),
        same_page=inbox_page,
        ages=[(age.value, age.label) for age in Age],
        statuses=[one.value for one in ItemStatus if tab is Tab.ALL or (one in OPEN) == (tab is not Tab.CLOSED)],
    )


def _offers_claim(row: InboxRow, actor: Actor) -> bool:
    return not waits_for_others(row, actor) and Action.CLAIM not in refusals(row.facts, actor)


def inbox_page(**changes: str | None) -> str:
    """Return the address of the present inbox with some changes, from its first page on."""
    return with_query(url_for("inbox.show"), **changes)


def tab_links(shown: Tab, counts: InboxCounts) -> list[dict[str, Any]]:
    """Return the tabs with their counts under the same filters."""
    links = []
    for tab, label in TAB_WORDS.items():
        count = counts.of(tab)
        if tab is Tab.ALL and count is None:
            continue
        capped = tab is Tab.CLOSED and count is not None and count > CLOSED_CAP
        links.append(
            {
                "label": label,
                "url": inbox_page(tab=tab.value),
                "active": tab is shown,
                "count": f"{CLOSED_CAP:,}+" if capped else count,
                "tone": "alert" if tab is Tab.OPEN and counts.overdue else None,
            }
        )
    return links
