"""Deliveries: what leaves Lotus Web by itself, one row for a thing to tell and a channel (ADR 0014)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lotus_web.domain.deliveries.states import DeliveryKind, DeliveryStatus
from lotus_web.store.new_ids import new_id
from lotus_web.store.types import Base, Json, UtcDateTime

# Deliveries that are due, being sent or given up: on most days none, in a table with a row for all that was ever sent.
OPEN = text("status <> 'delivered'")
DONE = text("status = 'delivered'")


class Delivery(Base):
    """The delivery of one thing by one channel; ``kind`` says what ``subject_id`` names: a notice or an operation.

    ``target`` and ``content`` are the address and the document of a callback: they outlive its operation. ``due_at`` is when to
    try next, or when the lease of a worker that is sending ends; null once delivered or dead. ``last_error`` is the reason of
    the last failure and ``attempted_at`` the time of the last attempt.
    """

    __tablename__ = "deliveries"

    delivery_seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    delivery_id: Mapped[str] = mapped_column(unique=True)
    tenant_id: Mapped[str]
    kind: Mapped[str]
    subject_id: Mapped[str]
    channel: Mapped[str]
    target: Mapped[str | None]
    content: Mapped[dict[str, Any] | None] = mapped_column(Json)
    status: Mapped[str]
    attempts: Mapped[int]
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_owner: Mapped[str | None]
    last_error: Mapped[str | None]
    attempted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("tenant_id", "kind", "subject_id", "channel", name="uq_deliveries_subject"),
        CheckConstraint("status IN ('pending', 'sending', 'delivered', 'dead')", name="status"),
        CheckConstraint("kind IN ('notice', 'operation_callback')", name="kind"),
        CheckConstraint("(kind = 'operation_callback') = (target IS NOT NULL AND content IS NOT NULL)", name="carried"),
        # The worker and doctor read what is not delivered (services/deliveries/queue.py), a tenant's page its own.
        Index("ix_deliveries_open", "channel", "due_at", sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_deliveries_undelivered", "tenant_id", "delivery_seq", sqlite_where=OPEN, postgresql_where=OPEN),
        # Housekeeping removes the oldest that were delivered.
        Index("ix_deliveries_done", "finished_at", sqlite_where=DONE, postgresql_where=DONE),
        {"sqlite_autoincrement": True},
    )


def planned_delivery(
    kind: DeliveryKind,
    subject_id: str,
    channel: str,
    *,
    tenant_id: str,
    now: datetime,
    target: str | None = None,
    content: dict[str, Any] | None = None,
) -> Delivery:
    """Return the row of a delivery that is due at once; it is added in the transaction of what it tells."""
    return Delivery(
        delivery_id=new_id("dlv_", 16),
        tenant_id=tenant_id,
        kind=kind.value,
        subject_id=subject_id,
        channel=channel,
        target=target,
        content=content,
        status=DeliveryStatus.PENDING.value,
        attempts=0,
        due_at=now,
        created_at=now,
    )
