"""Deliveries of notices that their channel does not have yet, or that were given up (ADR 0014)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lotus_web.domain.notifications import DeliveryStatus
from lotus_web.models import NotificationDelivery as Delivery
from lotus_web.models.notifications import OPEN

MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class UndeliveredCounts:
    """How many deliveries of all tenants wait, by channel, and how many of each channel were given up."""

    waiting: dict[str, int]
    dead: dict[str, int]


@dataclass(frozen=True, slots=True)
class UndeliveredRow:
    """A delivery that is not done; ``due_at`` is None for a dead one."""

    delivery_id: str
    tenant_id: str
    notification_id: str
    channel: str
    status: str
    attempts: int
    due_at: datetime | None
    last_error: str | None


def undelivered_counts(session: Session) -> UndeliveredCounts:
    """Count by channel, channels that are not known here included. One query."""
    query = select(Delivery.channel, Delivery.status, func.count()).where(OPEN)
    counts = UndeliveredCounts({}, {})
    for channel, status, count in session.execute(query.group_by(Delivery.channel, Delivery.status)):
        by_channel = counts.dead if status == DeliveryStatus.DEAD.value else counts.waiting
        by_channel[channel] = by_channel.get(channel, 0) + count
    return counts


def undelivered(session: Session) -> list[UndeliveredRow]:
    """Return the oldest deliveries that are not done, ``MOST_ROWS`` at most."""
    columns = [getattr(Delivery, name) for name in UndeliveredRow.__slots__]
    rows = session.execute(select(*columns).where(OPEN).order_by(Delivery.delivery_seq).limit(MOST_ROWS))
    return [UndeliveredRow(**row._mapping) for row in rows]
