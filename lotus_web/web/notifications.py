"""Notifications: the bell on every page, the list, and marking them as read."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from lotus_web.config import current
from lotus_web.domain.paging import Page
from lotus_web.queries.notifications import NoticeRow, ReadState, notice_counts, notification_page, unread_count
from lotus_web.services.notifications.reads import AT_ONCE, mark_all_read, mark_read
from lotus_web.store.session import db, transaction
from lotus_web.web.guard.access import current_actor, signed_in
from lotus_web.web.shell.htmx import is_htmx, page_or_fragment, see_other
from lotus_web.web.shell.links import same_page
from lotus_web.web.shell.query_args import enum_arg

blueprint = Blueprint("notifications", __name__)
PAGE_SIZE = 50
READ_BENEATH = 20
# Tells the bell to count again.
READ_EVENT = "lotus:read"
NOTHING: Page[NoticeRow] = Page((), None)


@blueprint.get("/notifications")
@signed_in
def show() -> ResponseReturnValue:
    """Show unread notifications with the latest read ones below, or a page of one kind."""
    return render_list()


@blueprint.get("/notifications/bell")
@signed_in
def bell() -> ResponseReturnValue:
    """Render the bell alone, for pages that refresh its count."""
    return render_template("notifications/_bell.html") if is_htmx() else see_other(url_for("notifications.show"))


@blueprint.post("/notifications")
@signed_in
def read() -> ResponseReturnValue:
    """Mark one notification as read, or the newest unread ones, ``AT_ONCE`` at most; raises NotFound."""
    actor, now = current_actor(), current.utcnow()
    one = request.form.get("notification_id")
    unread = [one] if one else unread_ids()
    with transaction() as session:
        if one:
            mark_read(session, one, actor=actor, now=now)
        else:
            mark_all_read(session, unread, actor=actor, now=now)
    if is_htmx():
        response = render_list(done=len(unread))
        response.headers["HX-Trigger"] = READ_EVENT
        return response
    flash("Marked as read." if one else f"{len(unread)} marked as read.", "success")
    return see_other(same_page())


def unread_ids() -> list[str]:
    """Return the ids of the newest unread notifications, as many as are marked at once."""
    page = notification_page(db.session(), current_actor(), state=ReadState.UNREAD, limit=AT_ONCE)
    return [row.notification_id for row in page.items]


def render_list(done: int = 0) -> Response:
    """Render the list that the URL asks for; ``done`` is how many a form has just marked."""
    actor, session, cursor = current_actor(), db.session(), request.args.get("cursor") or None
    state = enum_arg("state", ReadState)
    both = state is None and cursor is None
    listing = notification_page(session, actor, state=state or ReadState.UNREAD, limit=PAGE_SIZE, cursor=cursor)
    beneath = notification_page(session, actor, state=ReadState.READ, limit=READ_BENEATH) if both else NOTHING
    return page_or_fragment(
        "notifications/notifications.html",
        "notifications/_notifications.html",
        listing=listing,
        beneath=beneath,
        counts=notice_counts(session, actor),
        state=state,
        cursor=cursor,
        done=done,
        now=current.utcnow(),
        same_page=same_page,
    )


def unread() -> int:
    """Return the count on the bell. One query."""
    return unread_count(db.session(), current_actor()) if current_user.is_authenticated else 0


def init_app(app: Flask) -> None:
    """Give the layout the count on the bell."""
    app.jinja_env.globals["unread"] = unread
