"""Putting on record that someone verified the chain, and how it came out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor, Permission, check_permission
from lotus_web.domain.audit import VERIFY_CHAIN
from lotus_web.domain.surface import Surface
from lotus_web.services.audit.records import AuditCategory, record_audit

SUBJECT = "chain"


def record_chain_check(session: Session, *, code: str, message: str, actor: Actor, now: datetime) -> None:
    """Add a line to the record: ``code`` is ``intact`` or ``broken``. Raises Forbidden."""
    check_permission(actor, Permission.WORKFLOW_EXPORT)
    record_audit(
        session,
        AuditCategory.ADMIN,
        actor=actor,
        action=VERIFY_CHAIN,
        subject=SUBJECT,
        code=code,
        message=message,
        surface=Surface.FORM,
        now=now,
    )
