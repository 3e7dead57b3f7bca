"""Changing the key that signs checkpoints: the statement of both keys, and a line in the audit log of each tenant."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor
from lotus_web.domain.surface import Surface
from lotus_web.domain.transparency.notes import encode
from lotus_web.models import TenantRuntime
from lotus_web.services.audit.records import AuditCategory, record_audit
from lotus_web.services.transparency.keys import newest_key, replace_key
from lotus_web.store.ed25519 import SigningKey

ROTATE_LOG_KEY = "rotate_log_key"


def rotate_key(session: Session, old: SigningKey, new: SigningKey, *, actor: Actor, now: datetime) -> None:
    """Record that ``new`` signs from now on; done once, however often it is asked for. Raises Conflict for an unknown old key."""
    newest = newest_key(session)
    if newest is not None and newest.public_key == encode(new.public):
        return
    replace_key(session, old, new, now=now)
    for tenant_id in session.scalars(select(TenantRuntime.tenant_id).order_by(TenantRuntime.tenant_id)).all():
        record_audit(
            session,
            AuditCategory.ADMIN,
            actor=replace(actor, tenant_id=tenant_id),
            action=ROTATE_LOG_KEY,
            subject=encode(new.public),
            code="done",
            message=f"Checkpoints of the log are signed with another key, {encode(new.public)}.",
            surface=Surface.CLI,
            now=now,
        )
