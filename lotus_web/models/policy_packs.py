"""The catalogue of policy packs, a tenant's own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from lotus_web.store.types import Base, Json, UtcDateTime


class StoredPolicyPack(Base):
    """A pack as it is now; what a run was computed under is stored with the run."""

    __tablename__ = "dpm_policy_packs"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    policy_pack_id: Mapped[str] = mapped_column(primary_key=True)
    overrides: Mapped[dict[str, Any]] = mapped_column(Json)
    replay_enabled: Mapped[bool | None]
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_by: Mapped[str]
