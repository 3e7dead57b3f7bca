"""Deliveries: those that their receiver does not have yet or that were given up, and the callback of an operation (ADR 0014)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lotus_web.domain.deliveries.states import DeliveryKind, DeliveryStatus
from lotus_web.domain.paging import Page
from lotus_web.models import Delivery
from lotus_web.models.deliveries import OPEN
from lotus_web.queries import keyset

MOST_ROWS = 200
_NEWEST = keyset.Order(Delivery.delivery_seq, descending=True)


@dataclass(frozen=True, slots=True)
class UndeliveredCounts:
    """How many deliveries of all tenants wait, by channel, and how many of each channel were given up."""

    waiting: dict[str, int]
    dead: dict[str, int]


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery; ``kind`` says what ``subject_id`` names, ``due_at`` is None for one that has arrived or was given up."""

    delivery_seq: int
    delivery_id: str
    tenant_id: str
    kind: str
    subject_id: str
    channel: str
    status: str
    attempts: int
    due_at: datetime | None
    attempted_at: datetime | None
    last_error: str | None
    created_at: datetime


COLUMNS = [getattr(Delivery, name) for name in DeliveryRow.__slots__]


def undelivered_counts(session: Session) -> UndeliveredCounts:
    """Count by channel, channels that are not known here included. One query."""
    query = select(Delivery.channel, Delivery.status, func.count()).where(OPEN)
    counts = UndeliveredCounts({}, {})
    for channel, status, count in session.execute(query.group_by(Delivery.channel, Delivery.status)):
        by_channel = counts.dead if status == DeliveryStatus.DEAD.value else counts.waiting
        by_channel[channel] = by_channel.get(channel, 0) + count
    return counts


def undelivered(session: Session) -> list[DeliveryRow]:
    """Return the oldest deliveries of all tenants that are not done, ``MOST_ROWS`` at most."""
    rows = session.execute(select(*COLUMNS).where(OPEN).order_by(Delivery.delivery_seq).limit(MOST_ROWS))
    return [DeliveryRow(**row._mapping) for row in rows]


def undelivered_page(session: Session, tenant_id: str, *, limit: int, cursor: str | None) -> Page[DeliveryRow]:
    """Return a page of a tenant's deliveries that are not done, newest first; raises InvalidInput ``INVALID_CURSOR``."""
    query = select(*COLUMNS).where(OPEN, Delivery.tenant_id == tenant_id)
    return keyset.page(
        session, query, _NEWEST, row=lambda found: DeliveryRow(**found._mapping), limit=limit, cursor=cursor
    )


def dead_here(session: Session, tenant_id: str) -> int:
    """Return how many deliveries of a tenant were given up."""
    dead = (Delivery.tenant_id == tenant_id, OPEN, Delivery.status == DeliveryStatus.DEAD.value)
    return session.scalar(select(func.count()).select_from(Delivery).where(*dead)) or 0


def callback_of(session: Session, tenant_id: str, operation_id: str) -> DeliveryRow | None:
    """Return the delivery that says that an operation has ended; None before that, and after it was removed."""
    own = (Delivery.kind == DeliveryKind.OPERATION_CALLBACK.value, Delivery.subject_id == operation_id)
    row = session.execute(select(*COLUMNS).where(Delivery.tenant_id == tenant_id, *own)).one_or_none()
    return None if row is None else DeliveryRow(**row._mapping)
