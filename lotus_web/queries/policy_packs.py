"""The catalogue of policy packs, for operators and administrators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.models import StoredPolicyPack


@dataclass(frozen=True, slots=True)
class PackRow:
    """A pack of the catalogue and when it was last changed."""

    policy_pack_id: str
    overrides: Mapping[str, Any]
    replay_enabled: bool | None
    updated_at: datetime
    updated_by: str


def list_packs(session: Session, tenant_id: str) -> list[PackRow]:
    """Return a tenant's packs by id."""
    query = select(StoredPolicyPack).where(StoredPolicyPack.tenant_id == tenant_id)
    rows = session.scalars(query.order_by(StoredPolicyPack.policy_pack_id))
    return [PackRow(**{name: getattr(row, name) for name in PackRow.__slots__}) for row in rows]
