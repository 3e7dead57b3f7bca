"""Lines of the audit log that are neither events nor actions: refusals, exemptions, failures, administration and chain checks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor, Permission, check_permission
from lotus_web.domain.audit import VERIFY_CHAIN
from lotus_web.domain.surface import Surface
from lotus_web.models import AuditRecord
from lotus_web.store.new_ids import new_id

TEXT_MAX = 500
CHAIN = "chain"


class AuditCategory(StrEnum):
    """What kind of line it is."""

    REFUSED = "refused"
    EXEMPTED = "exempted"
    FAILED = "failed"
    ADMIN = "admin"


def record_audit(
    session: Session,
    category: AuditCategory,
    *,
    actor: Actor,
    action: str,
    subject: str,
    code: str,
    message: str,
    surface: Surface,
    now: datetime,
    request_id: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add one line; long texts are cut to ``TEXT_MAX`` characters, since a refused caller chose them."""
    session.add(
        AuditRecord(
            record_id=new_id("aud_", 16),
            tenant_id=actor.tenant_id,
            category=category.value,
            occurred_at=now,
            actor_type=actor.actor_type.value,
            actor_id=actor.actor_id,
            on_behalf_of=actor.on_behalf_of,
            surface=surface.value,
            action=action,
            subject=subject[:TEXT_MAX],
            code=code,
            message=message[:TEXT_MAX],
            request_id=request_id,
            details=dict(details or {}),
        )
    )
    session.flush()


def record_chain_check(session: Session, *, code: str, message: str, actor: Actor, now: datetime) -> None:
    """Add the line of a verification of the chain; ``code`` is ``intact`` or ``broken``. Raises Forbidden."""
    check_permission(actor, Permission.WORKFLOW_EXPORT)
    record_audit(
        session,
        AuditCategory.ADMIN,
        actor=actor,
        action=VERIFY_CHAIN,
        subject=CHAIN,
        code=code,
        message=message,
        surface=Surface.FORM,
        now=now,
    )
