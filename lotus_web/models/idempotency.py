"""Idempotency keys: a reservation before the engine runs, the mapping after it, and the key's history."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from lotus_web.store.types import Base, UtcDateTime

RESERVED = text("rebalance_run_id IS NULL")


class IdempotencyKey(Base):
    """One row a (tenant, key): reserved while a worker computes, mapped to its run once recorded (delta 2)."""

    __tablename__ = "dpm_idempotency_keys"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    rebalance_run_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reserved_by: Mapped[str | None]
    reserved_until: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        CheckConstraint("rebalance_run_id IS NOT NULL OR reserved_by IS NOT NULL", name="mapped_or_reserved"),
        Index("ix_dpm_idempotency_keys_run", "tenant_id", "rebalance_run_id"),
        # Reservations whose worker died (services/retention/housekeeping.py): a handful among a key for each run.
        Index(
            "ix_dpm_idempotency_keys_reserved",
            "reserved_until",
            sqlite_where=RESERVED,
            postgresql_where=RESERVED,
        ),
    )


class IdempotencyHistoryRow(Base):
    """One row each time a key was recorded or replayed (RFC-0023, delta 4)."""

    __tablename__ = "dpm_idempotency_history"

    history_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    tenant_id: Mapped[str]
    idempotency_key: Mapped[str]
    rebalance_run_id: Mapped[str]
    correlation_id: Mapped[str]
    request_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_dpm_idempotency_history_key", "tenant_id", "idempotency_key", "created_at", "history_id"),
        Index("ix_dpm_idempotency_history_run", "tenant_id", "rebalance_run_id"),
        {"sqlite_autoincrement": True},
    )
