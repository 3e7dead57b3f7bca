"""Notices, which are append-only, and which of them each person has read (workflow.md §4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lotus_web.store.types import Base, Json, UtcDateTime


class Notification(Base):
    """One thing told to a person or a role, once for each dedupe key. Triggers refuse UPDATE and DELETE.

    ``channel``, ``status`` and ``delivered_at`` are the console's, which shows what is stored: always delivered when made.
    """

    __tablename__ = "dg_workflow_notifications"

    notification_seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    notification_id: Mapped[str]
    tenant_id: Mapped[str]
    workflow_id: Mapped[str]
    trace_id: Mapped[str]
    category: Mapped[str]
    channel: Mapped[str]
    status: Mapped[str]
    message: Mapped[str]
    # What was told as a code and parameters (domain/notifications.py); null in rows of versions before 0013.
    code: Mapped[str | None]
    params: Mapped[dict[str, Any] | None] = mapped_column(Json)
    recipient_account_id: Mapped[str | None]
    recipient_role: Mapped[str | None]
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    dedupe_key: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("tenant_id", "notification_id"),
        UniqueConstraint("tenant_id", "dedupe_key"),
        Index("ix_dg_workflow_notifications_item", "tenant_id", "workflow_id", "notification_seq"),
        Index("ix_dg_workflow_notifications_account", "tenant_id", "recipient_account_id", "notification_seq"),
        Index("ix_dg_workflow_notifications_role", "tenant_id", "recipient_role", "notification_seq"),
        {"sqlite_autoincrement": True},
    )


class NotificationRead(Base):
    """When one account read one notification."""

    __tablename__ = "dg_workflow_notification_reads"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(primary_key=True)
    notification_id: Mapped[str] = mapped_column(primary_key=True)
    read_at: Mapped[datetime] = mapped_column(UtcDateTime)
