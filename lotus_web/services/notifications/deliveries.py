"""The deliveries of notices: one row for a notice and a channel, claimed, sent and marked in transactions of their own.

A claim is a lease by the store's clock. A worker that dies while it sends lets the lease run out, and the notice is sent
again: at least once, never by two workers at the same time while the lease holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session

from lotus_web.domain.notifications import MAX_ATTEMPTS, DeliveryStatus, Notice, retry_delay, stored_sentence
from lotus_web.models import Notification
from lotus_web.models import NotificationDelivery as Delivery
from lotus_web.models.notifications import OPEN
from lotus_web.services.notifications.senders import SENDERS, OutgoingNotice
from lotus_web.store.clock import store_now
from lotus_web.store.new_ids import new_id

LEASE = timedelta(minutes=5)
WORKER_LOST = "WorkerLost"


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """Proof that one worker has the delivery; ``owner`` is new with each claim."""

    tenant_id: str
    delivery_id: str
    notification_id: str
    channel: str
    attempts: int
    owner: str


def plan_deliveries(session: Session, notice: Notice) -> None:
    """Add a delivery for each channel with a sender, in the transaction that stores the notice."""
    for channel in sorted(SENDERS):
        session.add(
            Delivery(
                delivery_id=new_id("dlv_", 16),
                tenant_id=notice.tenant_id,
                notification_id=notice.notification_id,
                channel=channel,
                status=DeliveryStatus.PENDING.value,
                attempts=0,
                due_at=notice.created_at,
                created_at=notice.created_at,
            )
        )


def is_due(session: Session) -> bool:
    """Return whether a delivery of a known channel is due, or its worker's lease has run out. Writes nothing."""
    return session.scalar(select(Delivery.delivery_seq).where(*_due(session)).limit(1)) is not None


def claim_delivery(session: Session) -> ClaimedDelivery | None:
    """Claim the delivery that has been due longest; None when nothing is due.

    Deliveries whose worker was lost at the last attempt end dead on the way.
    """
    now, due = store_now(session), _due(session)
    lost_at_last = (*due, Delivery.attempts >= MAX_ATTEMPTS)
    session.execute(
        update(Delivery)
        .where(*lost_at_last)
        .values(_ended(DeliveryStatus.DEAD) | {"finished_at": now, "last_error": WORKER_LOST})
    )
    first = (
        select(Delivery.delivery_seq)
        .where(*due)
        .order_by(Delivery.due_at, Delivery.delivery_seq)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    owner = new_id("own_")
    sending = {"status": DeliveryStatus.SENDING.value, "due_at": now + LEASE, "lease_owner": owner}
    claimed = (
        update(Delivery)
        .where(Delivery.delivery_seq == first, *due)
        .values(sending | {"attempts": Delivery.attempts + 1})
        .returning(
            Delivery.tenant_id, Delivery.delivery_id, Delivery.notification_id, Delivery.channel, Delivery.attempts
        )
    )
    row = session.execute(claimed).one_or_none()
    return None if row is None else ClaimedDelivery(*row, owner=owner)


def outgoing(session: Session, claim: ClaimedDelivery) -> OutgoingNotice:
    """Return what to send."""
    query = select(Notification).where(
        Notification.tenant_id == claim.tenant_id, Notification.notification_id == claim.notification_id
    )
    row = session.scalars(query).one()
    return OutgoingNotice(
        delivery_id=claim.delivery_id,
        tenant_id=row.tenant_id,
        notification_id=row.notification_id,
        workflow_id=row.workflow_id,
        category=row.category,
        sentence=stored_sentence(row.code, row.params, row.message),
        recipient_account_id=row.recipient_account_id,
        recipient_role=row.recipient_role,
        created_at=row.created_at,
    )


def mark_delivered(session: Session, claim: ClaimedDelivery) -> bool:
    """Note that a notice was sent; False if the lease ran out and another worker has the delivery now."""
    return _mark(
        session, claim, _ended(DeliveryStatus.DELIVERED) | {"finished_at": store_now(session), "last_error": None}
    )


def mark_failed(session: Session, claim: ClaimedDelivery, error: BaseException) -> DeliveryStatus:
    """Note that a channel did not take a notice: it is tried again later, or given up after ``MAX_ATTEMPTS``."""
    now, delay, kind = store_now(session), retry_delay(claim.attempts), type(error).__name__
    if delay is None:
        _mark(session, claim, _ended(DeliveryStatus.DEAD) | {"finished_at": now, "last_error": kind})
        return DeliveryStatus.DEAD
    status = DeliveryStatus.PENDING
    again = {"status": status.value, "due_at": now + delay, "lease_owner": None, "last_error": kind}
    _mark(session, claim, again)
    return status


def resend_dead(session: Session, delivery_id: str | None = None) -> int:
    """Make dead deliveries, or the one with this id, due now with all attempts before them; returns how many."""
    dead: list[ColumnElement[bool]] = [Delivery.status == DeliveryStatus.DEAD.value]
    if delivery_id is not None:
        dead.append(Delivery.delivery_id == delivery_id)
    again = {"status": DeliveryStatus.PENDING.value, "attempts": 0, "due_at": store_now(session), "finished_at": None}
    return len(session.execute(update(Delivery).where(*dead).values(again).returning(Delivery.delivery_seq)).all())


def _due(session: Session) -> tuple[ColumnElement[bool], ...]:
    return (and_(OPEN), Delivery.channel.in_(sorted(SENDERS)), Delivery.due_at <= store_now(session))


def _ended(status: DeliveryStatus) -> dict[str, Any]:
    return {"status": status.value, "due_at": None, "lease_owner": None}


def _mark(session: Session, claim: ClaimedDelivery, values: dict[str, Any]) -> bool:
    own = (Delivery.delivery_id == claim.delivery_id, Delivery.lease_owner == claim.owner)
    marked = update(Delivery).where(*own, Delivery.status == DeliveryStatus.SENDING.value).values(values)
    return session.execute(marked.returning(Delivery.delivery_seq)).one_or_none() is not None
