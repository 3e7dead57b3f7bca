"""Signing in with a passkey alone, or with one after the password, or with a recovery code in its place."""

from __future__ import annotations

from functools import partial

import structlog
from flask import Blueprint, Response, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from lotus_web.config import current
from lotus_web.domain.access import DEFAULT_TENANT
from lotus_web.domain.errors import Conflict, TooManyAttempts
from lotus_web.domain.sign_in.methods import Method
from lotus_web.domain.sign_in.passkeys import COUNTER
from lotus_web.queries.accounts.people import Tenants, tenants_of
from lotus_web.services.events.log import lock_tenant
from lotus_web.services.sign_in.attempts import forgive
from lotus_web.services.sign_in.ceremonies import parsed_answer, request_options
from lotus_web.services.sign_in.challenges import spend_challenge
from lotus_web.services.sign_in.passkeys import credential_ids, note_copied_passkey, use_passkey
from lotus_web.services.sign_in.recovery import use_code
from lotus_web.store.session import db, transaction
from lotus_web.web.format.sentences import page_message
from lotus_web.web.guard.access import public
from lotus_web.web.guard.sign_in_page import sign_in_again
from lotus_web.web.shell.htmx import replace_page, see_other
from lotus_web.web.shell.return_path import HOME, safe_path
from lotus_web.web.sign_in.attempt import attempt_here, client_address, counted_attempt
from lotus_web.web.sign_in.challenges import Purpose, check_site, new_challenge, opened, seal, site_here
from lotus_web.web.sign_in.welcome import welcome

blueprint = Blueprint("by_passkey", __name__)
log = structlog.get_logger(__name__)

NO_ROLE = "You have no role here yet. Ask an administrator for one."
NO_SUCH_CODE = "This is none of your recovery codes, or it was used before."
START_AGAIN = "This took too long. Enter your name and password again."


@blueprint.get("/login/challenge")
@public
def ask() -> ResponseReturnValue:
    """Return what the browser is to ask an authenticator for; ``half`` of a sign-in names whose passkeys may answer."""
    site, challenge = check_site(), new_challenge()
    half = request.args.get("half")
    known = credential_ids(db.session(), opened(half, Purpose.SECOND).said[0]) if half else ()
    options = request_options(site, challenge, known=known, verified=not half)
    return jsonify(options=options, sealed=seal(Purpose.SIGN_IN, challenge.hex()))


@blueprint.post("/login/passkey")
@public
def sign_in() -> ResponseReturnValue:
    """Sign in with a passkey alone: it names its person and has verified them."""
    try:
        name = _used(name=None)
    except Conflict as why:
        return sign_in_again(401, page_message(why))
    tenants = tenants_of(db.session(), name)
    if tenants is None:
        return sign_in_again(403, NO_ROLE)
    return welcome(name, tenants, first=_nothing, method=Method.PASSKEY)


def _nothing(_store: object) -> None:
    """Do nothing: a passkey alone is no attempt that was counted."""


def needs_second_factor(name: str) -> bool:
    """Return whether a person has a passkey, without which their password opens nothing."""
    return bool(credential_ids(db.session(), name))


def ask_for_second_factor(name: str, *, status: int = 200, problem: str | None = None) -> Response:
    """Render the page between the password and the session; it is good for five minutes, in this browser."""
    text = render_template(
        "sign_in/second_factor.html",
        half=seal(Purpose.SECOND, name),
        site=site_here(),
        next_path=safe_path(request.form.get("next")) or HOME,
        draft=request.form.get("draft"),
        problem=problem,
    )
    return replace_page(make_response(text, status))


@blueprint.post("/login/second")
@public
def second() -> ResponseReturnValue:
    """Finish a sign-in by password with a passkey or a recovery code."""
    if current_user.is_authenticated:
        return see_other(safe_path(request.form.get("next")) or HOME)
    try:
        name = str(opened(request.form.get("half", ""), Purpose.SECOND).said[0])
    except Conflict:
        return sign_in_again(401, START_AGAIN)
    try:
        method = _second_factor(name)
    except Conflict as why:
        return ask_for_second_factor(name, status=401, problem=page_message(why))
    except TooManyAttempts as slow_down:
        response = ask_for_second_factor(name, status=429, problem=page_message(slow_down))
        response.headers["Retry-After"] = str(slow_down.retry_after)
        return response
    tenants: Tenants | None = tenants_of(db.session(), name)
    if tenants is None:
        return sign_in_again(403, NO_ROLE)
    return welcome(name, tenants, first=partial(forgive, attempt=attempt_here(name)), method=method)


def _second_factor(name: str) -> Method:
    """Return how the person has proved themselves besides their password; raises Conflict, TooManyAttempts."""
    typed = request.form.get("code", "").strip()
    if not typed:
        _used(name=name)
        return Method.PASSWORD_AND_PASSKEY
    counted_attempt(name)
    with transaction() as store:
        lock_tenant(store, DEFAULT_TENANT)
        if not use_code(store, typed, name=name, now=current.utcnow()):
            raise Conflict("RECOVERY_CODE_REFUSED", NO_SUCH_CODE)
    log.warning("recovery_code_used", person=name)
    return Method.PASSWORD_AND_CODE


def _used(*, name: str | None) -> str:
    """Return whose passkey answered; its challenge and its counter are used up with that. Raises Conflict."""
    now = current.utcnow()
    site, answer = check_site(), parsed_answer(request.form.get("answer", ""))
    asked = opened(request.form.get("sealed", ""), Purpose.SIGN_IN)
    try:
        with transaction() as store:
            # Before the passkey: a decision locks in this order too.
            lock_tenant(store, DEFAULT_TENANT)
            spend_challenge(store, asked.challenge, expires_at=asked.expires_at, now=now)
            row, _ = use_passkey(
                store, answer, challenge=asked.challenge, site=site, name=name, verified=name is None, now=now
            )
            return row.name
    except Conflict as why:
        log.warning("passkey_refused", address=client_address(), code=why.code)
        if why.code == COUNTER:
            with transaction(aside=True) as store:
                note_copied_passkey(store, why, now=now)
        raise
