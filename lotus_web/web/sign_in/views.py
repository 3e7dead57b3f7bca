"""Signing in by name and password, and out."""

from __future__ import annotations

from functools import partial

import structlog
from flask import Blueprint, flash, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from lotus_web.config import current
from lotus_web.domain.errors import TooManyAttempts
from lotus_web.domain.sign_in.methods import Method
from lotus_web.queries.accounts.people import tenants_of
from lotus_web.services.sign_in.attempts import forgive, password_matches
from lotus_web.services.sign_in.sessions import close_session
from lotus_web.store.session import db, transaction
from lotus_web.web.format.sentences import page_message
from lotus_web.web.guard.access import public
from lotus_web.web.guard.sign_in_page import Problem, sign_in_again, sign_in_page
from lotus_web.web.shell.htmx import see_other
from lotus_web.web.shell.return_path import HOME, safe_path
from lotus_web.web.sign_in.attempt import client_address, counted_attempt
from lotus_web.web.sign_in.by_passkey import ask_for_second_factor, needs_second_factor
from lotus_web.web.sign_in.welcome import welcome

blueprint = Blueprint("sign_in", __name__)
log = structlog.get_logger(__name__)

REFUSED = "The username or the password is wrong, or you have no role here yet."


@blueprint.get("/login")
@public
def show() -> ResponseReturnValue:
    """Show the form, or lead on whoever is signed in already."""
    next_path = safe_path(request.args.get("next")) or HOME
    return see_other(next_path) if current_user.is_authenticated else sign_in_page(next_path=next_path)


@blueprint.post("/login")
@public
def sign_in() -> ResponseReturnValue:
    """Sign in and return to where the person was going."""
    name, password = request.form.get("name", "").strip(), request.form.get("password", "")
    missing = _missing(name, password)
    if missing:
        return sign_in_again(422, fields=missing)
    try:
        attempt = counted_attempt(name)
    except TooManyAttempts as slow_down:
        response = sign_in_again(429, page_message(slow_down))
        response.headers["Retry-After"] = str(slow_down.retry_after)
        return response
    right, tenants = password_matches(db.session(), name=name, password=password), tenants_of(db.session(), name)
    # A right password of somebody without a role is answered like a wrong one: the answer tells nobody which it was.
    if not right or tenants is None:
        # Without the name: people type their password there.
        log.warning("sign_in_refused", address=client_address(), without_role=right)
        return sign_in_again(401, REFUSED)
    if needs_second_factor(name):
        return ask_for_second_factor(name)
    return welcome(name, tenants, first=partial(forgive, attempt=attempt), method=Method.PASSWORD)


def _missing(name: str, password: str) -> tuple[Problem, ...]:
    required = (("name", name, "Enter your name."), ("password", password, "Enter your password."))
    return tuple((field, sentence) for field, value, sentence in required if not value)


@blueprint.post("/logout")
@public
def sign_out() -> ResponseReturnValue:
    """End the session; whoever has none is shown the same page."""
    if current_user.is_authenticated:
        with transaction() as store:
            close_session(store, session_id=current_user.session_id, now=current.utcnow())
        log.info("signed_out", person=current_user.name)
    session.clear()
    flash("You are signed out.", "success")
    return see_other(url_for("sign_in.show"))
