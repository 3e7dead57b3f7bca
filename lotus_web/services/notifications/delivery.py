"""Handing notices over to their channels (workflow.md §4): the console's at once, any other by the jobs process.

A channel for mail or webhooks is one more ``Channel`` and its entry in ``CHANNELS``; a notice of theirs is stored ``pending``. It is handed over
under a lock and noted in the same transaction, so two jobs never hand it over twice; a process that dies between the two hands it
over again, so that a channel goes by ``notification_id`` where twice would matter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from lotus_web.domain.notifications import Channel, Delivery
from lotus_web.models import Notification
from lotus_web.models.notifications import UNDELIVERED

PUSH_BACK = timedelta(minutes=15)
NoticeKey = tuple[str, str]
HandOver = Callable[[Notification], None]


def show_on_console(_notice: Notification) -> None:
    """Do nothing more: the console shows what is stored."""


CHANNELS: Mapping[str, HandOver] = {Channel.CONSOLE.value: show_on_console}


def undelivered(session: Session, *, now: datetime, limit: int) -> list[NoticeKey]:
    """Return notices that wait for a channel of this installation, as (tenant, id), the oldest of each channel first."""
    found: list[NoticeKey] = []
    for channel in sorted(CHANNELS):
        rows = session.execute(
            select(Notification.tenant_id, Notification.notification_id)
            .where(
                UNDELIVERED,
                Notification.channel == channel,
                or_(Notification.deliver_not_before.is_(None), Notification.deliver_not_before <= now),
            )
            .order_by(Notification.notification_seq)
            .limit(limit - len(found))
        )
        found += [(row.tenant_id, row.notification_id) for row in rows]
        if len(found) >= limit:
            break
    return found


def deliver(session: Session, key: NoticeKey, *, now: datetime) -> bool:
    """Hand one notice over to its channel; False if someone was faster. Raises what the channel raises."""
    query = select(Notification).where(Notification.tenant_id == key[0], Notification.notification_id == key[1])
    row = session.scalars(query.with_for_update().execution_options(populate_existing=True)).one()
    if row.delivered_at is not None:
        return False
    CHANNELS[row.channel](row)
    row.status, row.delivered_at = Delivery.DELIVERED.value, now
    return True


def push_back(session: Session, key: NoticeKey, *, now: datetime) -> None:
    """Leave a notice that its channel did not take alone for a while, so that it does not hold up the rest."""
    session.execute(
        update(Notification)
        .where(UNDELIVERED, Notification.tenant_id == key[0], Notification.notification_id == key[1])
        .values(deliver_not_before=now + PUSH_BACK)
    )
