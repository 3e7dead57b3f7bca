"""The deliveries of notices: planned with the notice for each channel that sends, and read again to be sent."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.deliveries.states import DeliveryKind
from lotus_web.domain.notifications import Notice, stored_sentence
from lotus_web.models import Notification
from lotus_web.models.deliveries import planned_delivery
from lotus_web.services.notifications.senders import SENDERS, OutgoingNotice


def plan_deliveries(session: Session, notice: Notice) -> None:
    """Add a delivery for each channel with a sender, in the transaction that stores the notice."""
    for channel in sorted(SENDERS):
        session.add(
            planned_delivery(
                DeliveryKind.NOTICE,
                notice.notification_id,
                channel,
                tenant_id=notice.tenant_id,
                now=notice.created_at,
            )
        )


def outgoing_notice(session: Session, tenant_id: str, notification_id: str, *, delivery_id: str) -> OutgoingNotice:
    """Return what to send."""
    query = select(Notification).where(
        Notification.tenant_id == tenant_id, Notification.notification_id == notification_id
    )
    row = session.scalars(query).one()
    return OutgoingNotice(
        delivery_id=delivery_id,
        tenant_id=row.tenant_id,
        notification_id=row.notification_id,
        workflow_id=row.workflow_id,
        category=row.category,
        sentence=stored_sentence(row.code, row.params, row.message),
        recipient_account_id=row.recipient_account_id,
        recipient_role=row.recipient_role,
        created_at=row.created_at,
    )
