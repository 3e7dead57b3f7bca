"""Saving the inbox's filter under a name, and changing saved views. The address holds the filter, as the inbox's does."""

from __future__ import annotations

from flask import Blueprint, Response, flash, make_response, render_template, request
from flask.typing import ResponseReturnValue

from lotus_web.config import current
from lotus_web.domain.access import Permission
from lotus_web.domain.errors import InvalidInput
from lotus_web.services.inbox import delete_view, rename_view, save_view
from lotus_web.store.session import db, transaction
from lotus_web.web.format.sentences import page_message
from lotus_web.web.guard.access import current_actor, requires
from lotus_web.web.guard.refusal_log import logging_refusals
from lotus_web.web.inbox.saved_view_links import ViewRefusal, view_links
from lotus_web.web.inbox.views import inbox_page, render_inbox
from lotus_web.web.items.list_args import filter_from_query, filter_query
from lotus_web.web.shell.htmx import is_htmx, see_other

blueprint = Blueprint("saved_views", __name__)


@blueprint.post("/inbox/views")
@requires(Permission.RUNS_READ)
def save() -> ResponseReturnValue:
    """Save the filter of the address under the submitted name."""
    query, name = filter_query(filter_from_query()), _typed_name()
    try:
        with logging_refusals(), transaction() as session:
            save_view(session, name=name, query=query, actor=current_actor(), now=current.utcnow())
    except InvalidInput as wrong:
        return _refused(ViewRefusal(page_message(wrong), name))
    return _done(f"This view is saved as {name}.")


@blueprint.post("/inbox/views/<ident:view_id>")
@requires(Permission.RUNS_READ)
def alter(view_id: str) -> ResponseReturnValue:
    """Rename or delete a view, as the pressed button says; raises NotFound, also for another person's view."""
    name = _typed_name()
    try:
        with logging_refusals():
            done = _altered(view_id, request.form.get("change", ""), name)
    except InvalidInput as wrong:
        return _refused(ViewRefusal(page_message(wrong), name, view_id))
    return _done(done)


def _altered(view_id: str, what: str, name: str) -> str:
    """Change a view and return a sentence that says so; raises what the service raises."""
    with transaction() as session:
        match what:
            case "rename":
                before = rename_view(session, view_id, name=name, actor=current_actor())
                return f"{before} is now called {name}."
            case "delete":
                return f"The view {delete_view(session, view_id, actor=current_actor())} is deleted."
    raise InvalidInput("invalid_argument", "Choose what to change.", loc=("body", "change"))


def _typed_name() -> str:
    return request.form.get("name", "").strip()


def _refused(refusal: ViewRefusal) -> Response:
    return _fragment(422, refused=refusal) if is_htmx() else render_inbox(status=422, refused_view=refusal)


def _done(done: str) -> Response:
    if is_htmx():
        return _fragment(done=done)
    flash(done, "success")
    return see_other(inbox_page())


def _fragment(status: int = 200, *, done: str | None = None, refused: ViewRefusal | None = None) -> Response:
    views = view_links(db.session(), current_actor(), filter_from_query(), refused)
    text = render_template("inbox/_saved_views.html", views=views, done=done)
    return make_response(text, status)
