"""Signing in and out, and moving between tenants."""

from __future__ import annotations

import ipaddress

import structlog
from flask import Blueprint, Response, flash, make_response, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user

from lotus_web.config import current
from lotus_web.domain.errors import TooManyAttempts
from lotus_web.queries.accounts.people import Tenants, tenants_of
from lotus_web.services.sign_in.attempts import Attempt, begin_attempt, forgive, password_matches
from lotus_web.services.sign_in.sessions import close_session, enter_tenant, open_session
from lotus_web.store.session import db, transaction
from lotus_web.web.format.sentences import page_message
from lotus_web.web.guard.access import public, signed_in
from lotus_web.web.guard.drafts import opened_draft
from lotus_web.web.guard.sign_in_page import Problem, sign_in_again, sign_in_page
from lotus_web.web.guard.user import SEEN, minute_of, person_of_new_session
from lotus_web.web.shell.htmx import see_other
from lotus_web.web.shell.return_path import HOME, safe_path

blueprint = Blueprint("sign_in", __name__)
log = structlog.get_logger(__name__)

REFUSED = "The username or the password is wrong."
NO_ROLE = "You have no role here yet. Ask an administrator for one."
KEPT = "You are signed in again. What you wrote is still in the form; nothing was sent yet."
IPV6_PREFIX = 64


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
        with transaction() as store:
            attempt = begin_attempt(store, name=name, address=client_address(), now=current.utcnow())
    except TooManyAttempts as slow_down:
        log.warning("sign_in_throttled", address=client_address())
        response = sign_in_again(429, page_message(slow_down))
        response.headers["Retry-After"] = str(slow_down.retry_after)
        return response
    if not password_matches(db.session(), name=name, password=password):
        # Without the name: people type their password there.
        log.warning("sign_in_refused", address=attempt.address)
        return sign_in_again(401, REFUSED)
    tenants = tenants_of(db.session(), name)
    if tenants is None:
        return sign_in_again(403, NO_ROLE)
    return _welcome(attempt, tenants)


def _missing(name: str, password: str) -> tuple[Problem, ...]:
    required = (("name", name, "Enter your name."), ("password", password, "Enter your password."))
    return tuple((field, sentence) for field, value, sentence in required if not value)


def _welcome(attempt: Attempt, tenants: Tenants) -> Response:
    """Open a session under a new id; the id, the CSRF token and all else that the old cookie held is gone."""
    now, name = current.utcnow(), attempt.name
    draft = opened_draft(request.form.get("draft"), name=name)
    with transaction() as store:
        forgive(store, attempt)
        if current_user.is_authenticated:
            close_session(store, session_id=current_user.session_id, now=now)
        session_id = open_session(
            store, name=name, tenant_id=tenants.first, draft=draft, now=now, hours=current.settings().session_hours
        )
    session.clear()
    session[SEEN] = minute_of(now)
    login_user(person_of_new_session(session_id))
    log.info("signed_in", person=name, tenant=tenants.first)
    if draft is not None:
        flash(KEPT, "info")
    next_path = safe_path(request.form.get("next")) or HOME
    return see_other(next_path if tenants.known else _tenant_url(next_path))


def client_address() -> str:
    """Return the client's address; of an IPv6 address its /64, since one line has 2^64 of them."""
    text = request.remote_addr or "unknown"
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text[:64]
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))


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


@blueprint.get("/tenant")
@signed_in
def choose_tenant() -> ResponseReturnValue:
    """Show the tenants in which the person has a role."""
    next_path = safe_path(request.args.get("next")) or HOME
    return make_response(render_template("sign_in/tenant.html", next_path=next_path))


@blueprint.post("/tenant")
@signed_in
def change_tenant() -> ResponseReturnValue:
    """Work in another tenant from now on."""
    tenant_id = request.form.get("tenant", "")
    with transaction() as store:
        enter_tenant(store, session_id=current_user.session_id, name=current_user.name, tenant_id=tenant_id)
    flash(f"You work in the tenant {tenant_id} now.", "success")
    return see_other(safe_path(request.form.get("next")) or HOME)


def _tenant_url(next_path: str) -> str:
    return url_for("sign_in.choose_tenant", next=None if next_path == HOME else next_path)
