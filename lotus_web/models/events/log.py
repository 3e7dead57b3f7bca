"""The append-only event log with its hash chain, and how far each tenant's log has been applied (workflow.md §1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lotus_web.store.types import Base, Json, UtcDateTime

# Written out, as a partial index needs it: entries that are events, not facts (domain/events/facts.py).
OF_TRACES = text("trace_id <> ''")


class EventLogEntry(Base):
    """One event as it was appended, or a fact, which is of no trace; a trigger refuses UPDATE and DELETE.

    ``applied_defaults`` holds the workflow settings in force at the append, so that a rebuild gives the same items later.
    ``posted_by`` and ``posted_with`` are the account and token that sent an event of another system; null for events of Lotus Web itself.
    """

    __tablename__ = "dg_event_log"

    log_seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    tenant_id: Mapped[str]
    event_id: Mapped[str]
    trace_id: Mapped[str]
    trace_seq: Mapped[int]
    event_type: Mapped[str]
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    producer_id: Mapped[str]
    source: Mapped[dict[str, Any]] = mapped_column(Json)
    actor: Mapped[dict[str, Any]] = mapped_column(Json)
    idempotency_key: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    correlation_id: Mapped[str | None]
    causation_event_id: Mapped[str | None]
    schema_version: Mapped[int]
    tags: Mapped[list[str]] = mapped_column(Json)
    applied_defaults: Mapped[dict[str, Any]] = mapped_column(Json)
    posted_by: Mapped[str | None]
    posted_with: Mapped[str | None]
    payload_hash: Mapped[str]
    prev_hash: Mapped[str]
    entry_hash: Mapped[str]

    __table_args__ = (
        UniqueConstraint("tenant_id", "event_id"),
        UniqueConstraint("tenant_id", "trace_id", "trace_seq"),
        UniqueConstraint("tenant_id", "producer_id", "idempotency_key"),
        # The chain is read in this order by the verification and the projection.
        Index("ix_dg_event_log_chain", "tenant_id", "log_seq"),
        # The audit explorer reads events newest first (queries/audit/explorer.py).
        Index(
            "ix_dg_event_log_recorded",
            "tenant_id",
            "recorded_at",
            "log_seq",
            sqlite_where=OF_TRACES,
            postgresql_where=OF_TRACES,
        ),
        {"sqlite_autoincrement": True},
    )


class TenantRuntime(Base):
    """One row a tenant: the lock that serialises its writers, the projection's cursor and the head of its chain."""

    __tablename__ = "dg_workflow_runtime"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    last_log_seq: Mapped[int] = mapped_column(BigInteger)
    head_hash: Mapped[str]
    entry_count: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
