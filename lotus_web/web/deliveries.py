"""Deliveries that have not arrived: callbacks and notifications that wait, are sent again or were given up (ADR 0014, 0020)."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request, url_for
from flask.typing import ResponseReturnValue

from lotus_web.config import current
from lotus_web.domain.access import Permission
from lotus_web.domain.errors import Conflict
from lotus_web.queries.deliveries.undelivered import undelivered_page
from lotus_web.services.deliveries.resend import resend_here
from lotus_web.store.session import db, transaction
from lotus_web.web.guard.access import current_actor, requires
from lotus_web.web.guard.refusal_log import logging_refusals
from lotus_web.web.shell.htmx import page_or_fragment, see_other
from lotus_web.web.shell.links import same_page

blueprint = Blueprint("deliveries", __name__)
PAGE_SIZE = 50


@blueprint.get("/deliveries")
@requires(Permission.RUNS_READ)
def listing() -> ResponseReturnValue:
    """Show what has not arrived, newest first."""
    return _page()


def _page(*, status: int = 200, conflict: Conflict | None = None) -> Response:
    cursor = request.args.get("cursor")
    page = undelivered_page(db.session(), current_actor().tenant_id, limit=PAGE_SIZE, cursor=cursor or None)
    return page_or_fragment(
        "deliveries/deliveries.html",
        "deliveries/_deliveries.html",
        status,
        listing=page,
        cursor=cursor,
        conflict=conflict,
        now=current.utcnow(),
        same_page=same_page,
    )


@blueprint.post("/deliveries/<ident:delivery_id>/resend")
@requires(Permission.OPERATIONS_EXECUTE)
def resend(delivery_id: str) -> ResponseReturnValue:
    """Make a delivery that was given up due again, or show why not."""
    try:
        with logging_refusals(), transaction() as session:
            resend_here(session, delivery_id, actor=current_actor(), now=current.utcnow())
    except Conflict as conflict:
        return _page(status=409, conflict=conflict)
    flash("The delivery is sent again shortly.", "success")
    return see_other(url_for("deliveries.listing"))
