"""The queue of deliveries: each is claimed, sent and marked in transactions of their own.

A claim is a lease by the store's clock. A worker that dies while it sends lets the lease run out, and what it sent is sent
again: at least once, never by two workers at the same time while the lease holds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session

from lotus_web.domain.deliveries.states import MAX_ATTEMPTS, DeliveryStatus, failure_reason, retry_delay
from lotus_web.models import Delivery
from lotus_web.models.deliveries import OPEN
from lotus_web.services.deliveries.pace import receiver_of, turn_of
from lotus_web.store.clock import store_now
from lotus_web.store.new_ids import new_id

LEASE = timedelta(minutes=5)
WORKER_LOST = "WorkerLost"


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """Proof that one worker has the delivery; ``owner`` is new with each claim."""

    tenant_id: str
    delivery_id: str
    kind: str
    subject_id: str
    channel: str
    target: str | None
    attempts: int
    owner: str

    @property
    def receiver(self) -> str:
        """Who takes it."""
        return receiver_of(self.channel, self.target)


def is_due(session: Session, channels: Collection[str]) -> bool:
    """Return whether a delivery of one of these channels is due, or its worker's lease has run out. Writes nothing."""
    return session.scalar(select(Delivery.delivery_seq).where(*_due(session, channels)).limit(1)) is not None


def claim_delivery(
    session: Session, channels: Collection[str], slow: Mapping[str, int] = MappingProxyType({})
) -> ClaimedDelivery | None:
    """Claim the delivery of these channels that has been due longest; None when nothing is due.

    Those of slow receivers come after all others (services/deliveries/pace.py). Deliveries whose worker was lost at the last attempt end dead on the way.
    """
    now, due = store_now(session), _due(session, channels)
    lost_at_last = (*due, Delivery.attempts >= MAX_ATTEMPTS)
    session.execute(
        update(Delivery)
        .where(*lost_at_last)
        .values(_ended(DeliveryStatus.DEAD) | {"finished_at": now, "last_error": WORKER_LOST})
    )
    first = (
        select(Delivery.delivery_seq)
        .where(*due)
        .order_by(turn_of(slow), Delivery.due_at, Delivery.delivery_seq)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    owner = new_id("own_")
    sending = {"status": DeliveryStatus.SENDING.value, "due_at": now + LEASE, "lease_owner": owner, "attempted_at": now}
    claimed = (
        update(Delivery)
        .where(Delivery.delivery_seq == first, *due)
        .values(sending | {"attempts": Delivery.attempts + 1})
        .returning(
            Delivery.tenant_id,
            Delivery.delivery_id,
            Delivery.kind,
            Delivery.subject_id,
            Delivery.channel,
            Delivery.target,
            Delivery.attempts,
        )
    )
    row = session.execute(claimed).one_or_none()
    return None if row is None else ClaimedDelivery(*row, owner=owner)


def mark_delivered(session: Session, claim: ClaimedDelivery) -> bool:
    """Note that a delivery was taken; False if the lease ran out and another worker has it now."""
    return _mark(
        session, claim, _ended(DeliveryStatus.DELIVERED) | {"finished_at": store_now(session), "last_error": None}
    )


def mark_failed(session: Session, claim: ClaimedDelivery, error: BaseException) -> DeliveryStatus:
    """Note that a delivery was not taken: it is tried again later, or given up after ``MAX_ATTEMPTS``."""
    now, delay, reason = store_now(session), retry_delay(claim.attempts), failure_reason(error)
    if delay is None:
        _mark(session, claim, _ended(DeliveryStatus.DEAD) | {"finished_at": now, "last_error": reason})
        return DeliveryStatus.DEAD
    status = DeliveryStatus.PENDING
    again = {"status": status.value, "due_at": now + delay, "lease_owner": None, "last_error": reason}
    _mark(session, claim, again)
    return status


def _due(session: Session, channels: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    return (and_(OPEN), Delivery.channel.in_(sorted(channels)), Delivery.due_at <= store_now(session))


def _ended(status: DeliveryStatus) -> dict[str, Any]:
    return {"status": status.value, "due_at": None, "lease_owner": None}


def _mark(session: Session, claim: ClaimedDelivery, values: dict[str, Any]) -> bool:
    own = (Delivery.delivery_id == claim.delivery_id, Delivery.lease_owner == claim.owner)
    marked = update(Delivery).where(*own, Delivery.status == DeliveryStatus.SENDING.value).values(values)
    return session.execute(marked.returning(Delivery.delivery_seq)).one_or_none() is not None
