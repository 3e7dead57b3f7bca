"""The lines that changes of people, roles and tokens leave on record: the same words, whoever makes them and from where."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor, Permission
from lotus_web.domain.surface import Surface
from lotus_web.services.audit.records import AuditCategory, record_audit

SENTENCES = {
    "add_person": "{subject} was added as {role}.",
    "grant_role": "{subject} was given the role {role}.",
    "withdraw_role": "{subject} lost the role {role}.",
    "disable_person": "{subject} was disabled and signed out.",
    "enable_person": "{subject} may sign in again.",
    "set_password": "{subject} was given another password and signed out.",
    "issue_token": "A token of {account} for {permissions}{until} was made.",
    "revoke_token": "A token of {account} was revoked.",
}


def record_change(
    session: Session, action: str, *, subject: str, actor: Actor, surface: Surface, now: datetime, **facts: str
) -> None:
    """Put a change on record in the actor's tenant; ``facts`` are what its sentence names."""
    record_audit(
        session,
        AuditCategory.ADMIN,
        actor=actor,
        action=action,
        subject=subject,
        code="done",
        message=SENTENCES[action].format(subject=subject, **facts),
        surface=surface,
        now=now,
    )


def token_facts(account: str, permissions: Iterable[Permission], expires_at: datetime | None) -> dict[str, str]:
    """Return what the line of a new token names."""
    until = f" until {expires_at:%Y-%m-%d %H:%M} UTC" if expires_at else ""
    granted = ", ".join(permission.value for permission in sorted(set(permissions)))
    return {"account": account, "permissions": granted, "until": until}
