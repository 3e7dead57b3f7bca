"""The person behind a request: Flask-Login's user, loaded from the session row, and the idle timer in the cookie (ADR 0005)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, g, request, session
from flask_login import AnonymousUserMixin, LoginManager, UserMixin, current_user

from lotus_web.config import current
from lotus_web.domain.access import Permission, Role, permissions_of
from lotus_web.domain.errors import Unauthenticated
from lotus_web.domain.sign_in.methods import Method
from lotus_web.queries.accounts.people import FoundSession, find_session
from lotus_web.services.sign_in.sessions import touch_session
from lotus_web.store.session import db, transaction
from lotus_web.web.shell.htmx import is_live

SEEN = "seen"
TOUCH_EVERY = timedelta(minutes=5)


class SignedInPerson(UserMixin):  # type: ignore[misc]
    """The signed-in person with their present roles in the current tenant."""

    def __init__(self, session_id: str, found: FoundSession):
        self.session_id = session_id
        self.name = found.name
        self.display_name = found.display_name
        self.tenant_id = found.tenant_id
        self.tenants: tuple[str, ...] = tuple(found.roles)
        self.roles: frozenset[Role] = found.roles.get(found.tenant_id, frozenset())
        self.permissions: frozenset[Permission] = permissions_of(self.roles)
        self.last_seen_at = found.last_seen_at
        self.draft: Mapping[str, Any] | None = found.draft
        self.signed_in_at = found.created_at
        self.method = found.method or Method.PASSWORD.value
        self.credential = found.credential(current.utcnow())

    def get_id(self) -> str:
        """Return what the cookie holds: the session id, never the username."""
        return self.session_id

    def may(self, permission: Permission | str) -> bool:
        """Return whether the person has ``permission`` in the current tenant; templates pass its id."""
        return permission in self.permissions


class AnonymousUser(AnonymousUserMixin):  # type: ignore[misc]
    """No one is signed in."""

    name = display_name = tenant_id = ""
    tenants: tuple[str, ...] = ()
    roles: frozenset[Role] = frozenset()
    permissions: frozenset[Permission] = frozenset()
    draft = None

    def may(self, permission: Permission | str) -> bool:
        """Return False: a guest has no permissions."""
        return False


class SessionLoginManager(LoginManager):  # type: ignore[misc]
    """Flask-Login without the remember-me cookie, which would open the session on every response, static files included."""

    def _update_remember_cookie(self, response: Any) -> Any:
        return response


def init_app(app: Flask) -> None:
    """Load the person when a request asks for them."""
    manager = SessionLoginManager(app)
    manager.session_protection = None
    manager.anonymous_user = AnonymousUser
    manager.user_loader(load_person)


def load_person(session_id: str) -> SignedInPerson | None:
    """Return the person of a session that is valid and not idle for too long; None otherwise."""
    now = current.utcnow()
    found = find_session(db.session(), session_id)
    if found is None:
        return None
    if not found.holds(now) or is_idle(session.get(SEEN), now):
        g.lost_name = found.name
        return None
    return SignedInPerson(session_id, found)


def person_of_new_session(session_id: str) -> SignedInPerson:
    """Return the person of a new session; raises Unauthenticated if they were disabled meanwhile."""
    person = load_person(session_id)
    if person is None:
        raise Unauthenticated(message="This account was disabled.")
    return person


def lost_name() -> str | None:
    """Return the username of this request's session if that has ended."""
    name: str | None = g.get("lost_name")
    return name


def is_idle(seen: object, now: datetime) -> bool:
    """Return whether the cookie's last-seen minute is further back than the idle limit."""
    return not isinstance(seen, int) or minute_of(now) - seen > current.settings().session_idle_minutes


def minute_of(now: datetime) -> int:
    """Return minutes since 1970-01-01 UTC."""
    return int(now.timestamp() // 60)


def stay_awake() -> None:
    """Restart the idle timer in the cookie; a POST also stores it in the session row, at most every five minutes."""
    if is_live() and request.method != "POST":
        return
    now = current.utcnow()
    if session.get(SEEN) != minute_of(now):
        session[SEEN] = minute_of(now)
    if request.method == "POST" and now - current_user.last_seen_at >= TOUCH_EVERY:
        with transaction(aside=True) as store:
            touch_session(store, session_id=current_user.session_id, now=now)


def forget_person() -> None:
    """Treat the request as a guest's without asking the store, for answers while the store is unavailable."""
    if "_login_user" not in g:
        g._login_user = AnonymousUser()
