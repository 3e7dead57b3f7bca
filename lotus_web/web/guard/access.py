"""Deny by default: each view declares whether it is public, for signed-in people, or needs a permission.

The JSON routes declare and check permissions in ``lotus_web.api``; their blueprints' names start with ``api``.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any, NoReturn, TypeVar

from flask import Flask, current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.orm import Session

from lotus_web.config import current
from lotus_web.domain.access import Actor, ActorType, Permission, check_permission, check_still_held, permissions_of
from lotus_web.domain.accounts.credentials import secret_hash
from lotus_web.domain.errors import Forbidden, Unauthenticated
from lotus_web.domain.sign_in.methods import lacks_second_factor
from lotus_web.domain.surface import Surface
from lotus_web.http.command import request_context
from lotus_web.http.refusal_log import LOOKING
from lotus_web.queries.accounts.people import find_session
from lotus_web.services.command import CommandContext
from lotus_web.store.session import recheck_under_lock
from lotus_web.telemetry.logs import name_actor
from lotus_web.web.guard.drafts import sealed_draft
from lotus_web.web.guard.sign_in_page import sign_in_page
from lotus_web.web.guard.user import stay_awake
from lotus_web.web.shell.htmx import go_to, is_htmx, see_other
from lotus_web.web.shell.return_path import here, page_of_form

View = TypeVar("View", bound=Callable[..., Any])
MARK = "lotus_access"
# The page that is open to who needs a second factor and has none yet, next to the one of tenants, where their roles may not need it.
ADDS_PASSKEYS, TENANT = "passkeys", "tenant"
csrf = CSRFProtect()


class OpenTo(Enum):
    """Access that needs no particular permission."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"


Access = OpenTo | Permission


def public(view: View) -> View:
    """Mark a view as public."""
    return _mark(view, OpenTo.PUBLIC)


def signed_in(view: View) -> View:
    """Mark a view for anyone who is signed in, whatever their roles."""
    return _mark(view, OpenTo.SIGNED_IN)


def requires(permission: Permission) -> Callable[[View], View]:
    """Mark a view for people with ``permission`` in their current tenant."""
    return lambda view: _mark(view, permission)


def _mark(view: View, access: Access) -> View:
    setattr(view, MARK, access)
    return view


def access_of(app: Flask, endpoint: str) -> Access | None:
    """Return the access of an endpoint; None for an unmarked view. Static files are public."""
    if endpoint == "static":
        return OpenTo.PUBLIC
    found: Access | None = getattr(app.view_functions[endpoint], MARK, None)
    return found


def is_json_blueprint(name: str | None) -> bool:
    """Return whether a blueprint belongs to the JSON routes, which check access themselves."""
    return (name or "").split(".")[0].startswith("api")


def current_actor() -> Actor:
    """Return the signed-in person as an actor; raises Unauthenticated."""
    if not current_user.is_authenticated:
        raise Unauthenticated(message="Sign in first.")
    return Actor(
        actor_type=ActorType.PERSON,
        actor_id=current_user.name,
        tenant_id=current_user.tenant_id,
        permissions=current_user.permissions,
        roles=current_user.roles,
        credential=current_user.credential,
    )


def form_context() -> CommandContext:
    """Return the context of the command that the signed-in person sends with a form; raises Unauthenticated."""
    return request_context(
        current_actor(),
        Surface.FORM,
        session_hash=secret_hash(current_user.session_id),
        method=current_user.method,
    )


def guard() -> ResponseReturnValue | None:
    """Let a request for a page through, or answer it: sign in first, bad CSRF token, permission missing, unmarked view."""
    if request.endpoint is None or request.endpoint == "static" or is_json_blueprint(request.blueprint):
        return None
    access = access_of(current_app, request.endpoint)
    if access is None:
        _refuse_unmarked(request.endpoint)
    if access is not OpenTo.PUBLIC:
        if not current_user.is_authenticated:
            return ask_to_sign_in()
        name_actor(current_actor())
        stay_awake()
        if request.blueprint not in (ADDS_PASSKEYS, TENANT) and _must_add_passkey():
            return go_to(url_for(f"{ADDS_PASSKEYS}.show"))
    csrf.protect()
    if isinstance(access, Permission):
        check_permission(current_actor(), access)
    if current_user.is_authenticated and request.method not in LOOKING:
        recheck_under_lock(partial(_check_still_here, current_user.session_id, current_actor()))
    return None


def _must_add_passkey() -> bool:
    """Return whether the person needs a second factor and signed in without one: they add one before anything else."""
    return lacks_second_factor(current_user.method, current_user.roles, current.settings().second_factor)


def _check_still_here(session_id: str, actor: Actor, session: Session) -> None:
    """Raise Unauthenticated if the person was signed out or disabled meanwhile, Forbidden if they lost a role."""
    found = find_session(session, session_id)
    if found is None or not found.holds(current.utcnow()):
        raise Unauthenticated(message="You were signed out meanwhile.")
    check_still_held(actor, permissions_of(found.roles.get(actor.tenant_id, frozenset())))


def _refuse_unmarked(endpoint: str) -> NoReturn:
    if current_app.testing:
        raise RuntimeError(f"the view {endpoint} says neither @public nor @signed_in nor @requires(…)")
    raise Forbidden(message="Nobody may see this page.")


def ask_to_sign_in() -> ResponseReturnValue:
    """Redirect a GET to the sign-in page; answer a POST with it and keep what was typed (console.md, lost session)."""
    if request.method in LOOKING:
        path = here()
        return sign_in_page(401, next_path=path, session_lost=True) if is_htmx() else see_other(sign_in_url(path))
    return sign_in_page(401, next_path=page_of_form(), draft=sealed_draft(), session_lost=True)


def sign_in_url(next_path: str) -> str:
    """Return the URL of the sign-in page that continues to ``next_path``."""
    url = current_app.url_for("sign_in.show", next=None if next_path == "/" else next_path)
    return str(url)


def init_app(app: Flask) -> None:
    """Check access before every page. CSRF tokens are checked here too, for every HTML route."""
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    # A token is useless without the session cookie, so a form may stay open as long as a session.
    app.config["WTF_CSRF_TIME_LIMIT"] = app.extensions["lotus_settings"].session_hours * 3600
    csrf.init_app(app)
    app.before_request(guard)
    app.context_processor(lambda: {"tenant": current_user.tenant_id, "may": current_user.may})
