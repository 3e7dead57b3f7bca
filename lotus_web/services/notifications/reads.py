"""Marking notifications as read. The notifications themselves never change (workflow.md §4)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor
from lotus_web.domain.errors import NotFound
from lotus_web.domain.notifications import is_recipient
from lotus_web.models import Notification, NotificationRead
from lotus_web.store.upserts import insert_into

AT_ONCE = 500


def mark_read(session: Session, notification_id: str, *, actor: Actor, now: datetime) -> None:
    """Mark one notification as read by the actor; marking it again changes nothing. Raises NotFound, also for another person's."""
    if mark_all_read(session, [notification_id], actor=actor, now=now) == 0:
        raise NotFound("not_found", "You have no such notification.")


def mark_all_read(session: Session, notification_ids: Iterable[str], *, actor: Actor, now: datetime) -> int:
    """Mark these as read by the actor, ``AT_ONCE`` at most; returns how many of them are the actor's."""
    ids = list(notification_ids)[:AT_ONCE]
    query = select(Notification).where(Notification.tenant_id == actor.tenant_id, Notification.notification_id.in_(ids))
    own = [
        row.notification_id
        for row in session.scalars(query)
        if is_recipient(actor, row.recipient_account_id, row.recipient_role)
    ]
    if own:
        key = {"tenant_id": actor.tenant_id, "account_id": actor.decider_id, "read_at": now}
        rows = insert_into(session, NotificationRead).values([key | {"notification_id": one} for one in own])
        session.execute(rows.on_conflict_do_nothing())
    return len(own)
