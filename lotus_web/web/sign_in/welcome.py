"""What follows once a person has proved who they are, in whichever way."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from flask import Response, flash, request, session, url_for
from flask_login import current_user, login_user
from sqlalchemy.orm import Session

from lotus_web.config import current
from lotus_web.domain.sign_in.methods import Method
from lotus_web.queries.accounts.people import Tenants
from lotus_web.services.sign_in.sessions import close_session, open_session
from lotus_web.store.session import transaction
from lotus_web.web.guard.drafts import opened_draft
from lotus_web.web.guard.user import SEEN, minute_of, person_of_new_session
from lotus_web.web.shell.htmx import see_other
from lotus_web.web.shell.return_path import HOME, safe_path
from lotus_web.web.sign_in.device import remember_device

log = structlog.get_logger(__name__)

KEPT = "You are signed in again. What you wrote is still in the form; nothing was sent yet."


def welcome(name: str, tenants: Tenants, *, first: Callable[[Session], None], method: Method) -> Response:
    """Open a session under a new id; the id, the CSRF token and all else that the old cookie held is gone.

    ``first`` is done in the same transaction. The form may hold ``draft`` and ``next``.
    """
    now = current.utcnow()
    draft = opened_draft(request.form.get("draft"), name=name)
    with transaction() as store:
        first(store)
        if current_user.is_authenticated:
            close_session(store, session_id=current_user.session_id, now=now)
        session_id = open_session(
            store,
            name=name,
            tenant_id=tenants.first,
            draft=draft,
            now=now,
            hours=current.settings().session_hours,
            method=method.value,
        )
    session.clear()
    session[SEEN] = minute_of(now)
    login_user(person_of_new_session(session_id))
    log.info("signed_in", person=name, tenant=tenants.first, method=method.value)
    if draft is not None:
        flash(KEPT, "info")
    next_path = safe_path(request.form.get("next")) or HOME
    response = see_other(next_path if tenants.known else _tenant_url(next_path))
    remember_device(response, name)
    return response


def _tenant_url(next_path: str) -> str:
    return url_for("tenant.choose", next=None if next_path == HOME else next_path)
