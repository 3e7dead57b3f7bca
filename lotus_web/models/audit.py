"""Lines of the audit log that are neither events nor actions: refusals, exemptions, failures and changes by administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lotus_web.store.types import Base, Json, UtcDateTime


class AuditRecord(Base):
    """One line of the audit log, append-only; ``subject`` is the item, person, account or token that it is about."""

    __tablename__ = "dg_audit_records"

    audit_seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    record_id: Mapped[str]
    tenant_id: Mapped[str]
    category: Mapped[str]
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_type: Mapped[str]
    actor_id: Mapped[str]
    on_behalf_of: Mapped[str | None]
    surface: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    code: Mapped[str]
    message: Mapped[str]
    request_id: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(Json)

    __table_args__ = (
        UniqueConstraint("tenant_id", "record_id"),
        CheckConstraint("category IN ('refused', 'exempted', 'failed', 'admin')", name="category"),
        # The audit explorer reads newest first.
        Index("ix_dg_audit_records_newest", "tenant_id", "occurred_at", "audit_seq"),
        {"sqlite_autoincrement": True},
    )
