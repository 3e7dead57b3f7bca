"""Putting on record what is no event and no action: refusals, exemptions, failures, changes by administrators."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor
from lotus_web.domain.surface import Surface
from lotus_web.models import AuditRecord
from lotus_web.store.new_ids import new_id

TEXT_MAX = 500


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
