"""Sessions: one row per sign-in, found by the hash of a random id that only the person's cookie holds (ADR 0005)."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lotus_web.domain.accounts.credentials import secret_hash
from lotus_web.domain.errors import NotFound
from lotus_web.domain.sign_in.methods import Method
from lotus_web.models import PersonRole, PersonSession

ID_BYTES = 32


def open_session(
    session: Session,
    *,
    name: str,
    tenant_id: str,
    draft: dict[str, Any] | None,
    now: datetime,
    hours: int,
    method: str = Method.PASSWORD.value,
) -> str:
    """Open a session that ends after ``hours`` at the latest and return its id, which is always a new one.

    ``method`` says how the person signed in (``domain/sign_in/methods.py``).
    """
    session_id = secrets.token_urlsafe(ID_BYTES)
    session.add(
        PersonSession(
            session_hash=secret_hash(session_id),
            name=name,
            tenant_id=tenant_id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + timedelta(hours=hours),
            draft=draft,
            method=method,
        )
    )
    session.flush()
    return session_id


def close_session(session: Session, *, session_id: str, now: datetime) -> None:
    """Revoke a session; no error if it is unknown or revoked already."""
    _close(session, now, PersonSession.session_hash == secret_hash(session_id))


def close_sessions_of(session: Session, *, name: str, now: datetime) -> None:
    """Revoke every session of a person."""
    _close(session, now, PersonSession.name == name)


def _close(session: Session, now: datetime, which: Any) -> None:
    open_ones = select(PersonSession).where(which, PersonSession.revoked_at.is_(None)).with_for_update()
    # Row by row: each end is an entry of the log (services/events/facts.py).
    for row in session.scalars(open_ones.execution_options(populate_existing=True)):
        row.revoked_at, row.draft = now, None
    session.flush()


def touch_session(session: Session, *, session_id: str, now: datetime) -> None:
    """Store when the person was last active; the idle limit itself is in the cookie, since reading must not write."""
    _change(session, session_id, last_seen_at=now)


def add_second_factor(session: Session, *, session_id: str) -> None:
    """Note that the person of a session has proved a passkey too since they signed in with their password."""
    row = session.get(PersonSession, secret_hash(session_id), populate_existing=True, with_for_update=True)
    if row is not None and row.method in (None, Method.PASSWORD):
        row.method = Method.PASSWORD_AND_PASSKEY.value
        session.flush()


def drop_draft(session: Session, *, session_id: str) -> None:
    """Delete the draft that was stored during the sign-in."""
    _change(session, session_id, draft=None)


def enter_tenant(session: Session, *, session_id: str, name: str, tenant_id: str) -> None:
    """Move a session to another tenant in which the person has a role; raises NotFound for any other."""
    role = select(PersonRole.role).where(PersonRole.name == name, PersonRole.tenant_id == tenant_id).limit(1)
    if session.scalar(role) is None:
        raise NotFound("TENANT_NOT_FOUND", "You have no role in such a tenant.")
    row = session.get(PersonSession, secret_hash(session_id), populate_existing=True, with_for_update=True)
    if row is not None:
        row.tenant_id, row.draft = tenant_id, None
        session.flush()


def _change(session: Session, session_id: str, **values: Any) -> None:
    session.execute(update(PersonSession).where(PersonSession.session_hash == secret_hash(session_id)).values(**values))
