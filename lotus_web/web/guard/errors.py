"""Error pages: what happened and what to do next, as a page or as a fragment for htmx."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import structlog
from flask import Flask, Response, current_app, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from markupsafe import escape
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, InternalServerError

from lotus_web.domain.errors import LotusError, StoreUnavailable, TooManyExports, Unauthenticated
from lotus_web.http import body_limit
from lotus_web.http.request_ids import current_ids
from lotus_web.http.statuses import retry_after, status_of
from lotus_web.store.failures import as_store_unavailable
from lotus_web.store.session import db, nothing_recorded
from lotus_web.telemetry.logs import log_unexpected
from lotus_web.web.format.sentences import page_message, page_text
from lotus_web.web.guard.access import ask_to_sign_in, is_json_blueprint
from lotus_web.web.guard.refusal_log import log_request_refusal
from lotus_web.web.guard.resend import can_be_sent_again, resubmit_page
from lotus_web.web.guard.sign_in_page import sign_in_again
from lotus_web.web.guard.user import forget_person
from lotus_web.web.shell.htmx import is_htmx, is_htmx_navigation, title_element

log = structlog.get_logger(__name__)

# Set by the JSON routes: (error) -> Response, for paths under theirs that no route matches.
JSON_ERRORS = "lotus_json_errors"
JSON_PATHS = ("/api/", "/rebalance", "/health", "/metrics", "/openapi.json")
SIGN_IN = ("sign_in.sign_in", "by_passkey.sign_in", "by_passkey.second")
NO_SEARCH = "Check the address or sign in."
FORM_TOO_OLD = "Nothing was sent yet. You may have signed in or out since the form was opened."


class Words(NamedTuple):
    """The words for a status; ``message`` is used where the error has no sentence of its own."""

    title: str
    message: str
    what_next: str


WORDS = {
    400: Words("This request cannot be read", "The server did not understand what was sent.", "Go back and try again."),
    403: Words(
        "You may not do this", "Your roles in this tenant do not allow it.", "Ask a manager or an administrator."
    ),
    404: Words(
        "Not found", "There is no such page or record, or it belongs to another tenant.", "Check the address or search."
    ),
    405: Words(
        "This address does not accept that request",
        "It accepts other kinds of requests.",
        "Go back to the page before.",
    ),
    408: Words(
        "This took too long to arrive", "The connection is slow, or was cut off. Nothing was recorded.", "Try again."
    ),
    409: Words("Something changed in the meantime", "What you saw is out of date.", "Reload the page and look again."),
    413: Words(
        "This is too large",
        "The form is too large. Nothing was recorded.",
        "Go back and shorten what you wrote.",
    ),
    422: Words("Something is missing or wrong", "What was sent cannot be accepted.", "Go back and correct it."),
    429: Words("Too many attempts", "Wait before trying again.", "Try again in a few minutes."),
    500: Words(
        "Something went wrong here",
        "The fault is ours. Nothing was recorded.",
        "Try again. If the problem persists, contact support.",
    ),
    503: Words(
        "The store cannot be reached",
        "Nothing was recorded.",
        "Wait a moment and try again.",
    ),
}
# The words once the request may already have been recorded.
LATE_WORDS = {
    500: Words(
        "Something went wrong here",
        "The fault is ours. What you sent may have been recorded.",
        "Check whether it was before you send it again. If the problem persists, contact support.",
    ),
    503: Words(
        "The store cannot be reached",
        "What you sent may have been recorded.",
        "Wait a moment, then check whether it was before you send it again.",
    ),
}


def error_page(status: int, message: str | None = None, *, title: str | None = None) -> Response:
    """Render an error as a page, or as a fragment for htmx. Signed-in people keep navigation and search around it."""
    words = words_for(status)
    said = {
        "status": status,
        "title": title or words.title,
        "message": message or (_too_much() if status == 413 else words.message),
        "what_next": words.what_next,
        "correlation_id": current_ids().correlation_id if status >= 500 else None,
    }
    response = make_response(_within_layout(status, said) or _alone(status, said), status)
    response.vary.add("HX-Request")
    return response


def _within_layout(status: int, said: Mapping[str, Any]) -> str | None:
    """Return the page within the layout; None for guests, for status 500 and above, and if the session cannot be read."""
    if status >= 500 or is_htmx() or request.endpoint == "static":
        return None
    try:
        return render_template("errors/error.html", signed_in=True, **said) if current_user.is_authenticated else None
    except (SQLAlchemyError, StoreUnavailable):
        db.session.rollback()
        return None


def _alone(status: int, said: Mapping[str, Any]) -> str:
    """Return the page or fragment without the layout. Does not use the store."""
    forget_person()
    if is_htmx():
        named = title_element(escape(said["title"])) if is_htmx_navigation() else ""
        return named + render_template("errors/_error.html", **said)
    guests = {"what_next": NO_SEARCH} if status == 404 else {}
    return render_template("errors/error.html", **{**said, **guests})


def words_for(status: int) -> Words:
    """Return the words for a status; they say that nothing was recorded only if that is certain."""
    late = {} if nothing_recorded() else LATE_WORDS
    kind = status if status in WORDS else 500 if status >= 500 else 400
    return late.get(kind, WORDS[kind])


def _too_much() -> str:
    return f"A form may contain at most {body_limit.in_words()}. Nothing was recorded."


def for_programs() -> bool:
    """Return whether the caller expects JSON."""
    return is_json_blueprint(request.blueprint) or request.path.startswith(JSON_PATHS)


def _as_json(error: Exception) -> ResponseReturnValue | None:
    answer = current_app.extensions.get(JSON_ERRORS)
    return answer(error) if answer is not None and for_programs() else None


def refused(error: LotusError) -> ResponseReturnValue:
    """Answer an error with its own sentence."""
    as_json = _as_json(error)
    if as_json is not None:
        return as_json
    log_request_refusal(error)
    if isinstance(error, Unauthenticated):
        return ask_to_sign_in()
    if isinstance(error, StoreUnavailable):
        log.error("store_unavailable", cause=type(error.__cause__ or error).__name__)
    response = _answer(error)
    seconds = retry_after(error)
    if seconds is not None:
        response.headers["Retry-After"] = str(seconds)
    return response


def _answer(error: LotusError) -> Response:
    if isinstance(error, StoreUnavailable) and request.endpoint in SIGN_IN and request.method == "POST":
        return sign_in_again(503, f"{WORDS[503].title}. {WORDS[503].what_next}")
    if isinstance(error, StoreUnavailable) and can_be_sent_again():
        return resubmit_page(503, title=WORDS[503].title, reason=page_message(error))
    title = "Too many exports at once" if isinstance(error, TooManyExports) else None
    return error_page(status_of(error), page_text(error.sentence) if error.sentence else None, title=title)


def store_failed(error: SQLAlchemyError) -> ResponseReturnValue:
    """Answer 503 if the store is unavailable; raise any other database error again."""
    away = as_store_unavailable(error)
    if away is None:
        raise error
    away.__cause__ = error
    return refused(away)


def not_served(error: HTTPException) -> ResponseReturnValue:
    """Answer errors of the framework (404, 405, 413, …) with their headers; pass redirects through."""
    as_json = _as_json(error)
    if as_json is not None:
        return as_json
    status = error.code or 500
    if status < 400:
        return error
    response = error_page(status)
    for name, value in error.get_headers(request.environ):
        if name.lower() not in {"content-type", "content-length"}:
            response.headers[name] = value
    return response


def broken(error: InternalServerError) -> ResponseReturnValue:
    """Answer 500 with the correlation id; the cause is only in the log, under that id."""
    log_unexpected(error.original_exception or error)
    return _as_json(error) or error_page(500)


def token_refused(error: CSRFError) -> ResponseReturnValue:
    """Answer 400 with what was typed, a fresh token and a button to send it again; other sites get no button."""
    log.warning("csrf_refused", reason=error.description, path=request.path)
    if request.endpoint in SIGN_IN:
        return sign_in_again(400, "This form was open for too long. Sign in now.")
    if not can_be_sent_again():
        return error_page(400, "This form came from another site, so it was rejected.")
    return resubmit_page(400, title="This form was open for too long", reason=FORM_TOO_OLD)


def init_app(app: Flask) -> None:
    """Register the error handlers. Flask's own exception log is off: it would show data of the request."""
    app.log_exception = lambda exc_info: None  # type: ignore[method-assign]
    app.register_error_handler(LotusError, refused)
    app.register_error_handler(SQLAlchemyError, store_failed)
    app.register_error_handler(CSRFError, token_refused)
    app.register_error_handler(InternalServerError, broken)
    app.register_error_handler(HTTPException, not_served)
