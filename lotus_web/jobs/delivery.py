"""Delivery: notices that wait for their channel are handed over to it, each in a transaction of its own (workflow.md §4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lotus_web.jobs.batches import BATCH, Rows, work_through
from lotus_web.jobs.context import JobContext
from lotus_web.queries.notifications.undelivered import undelivered_by_channel
from lotus_web.services.notifications.delivery import CHANNELS, deliver, push_back, undelivered
from lotus_web.store.session import db

CADENCE_SECONDS = 30
NOTICES = Rows("notice_failed", "notification_id", push_back)


def hand_over(context: JobContext, now: datetime) -> dict[str, Any]:
    """Deliver what waits; returns how many were delivered, how many failed, and how many wait for a channel not known here."""
    delivered, failed = work_through(
        context,
        now,
        lambda session: undelivered(session, now=now, limit=BATCH),
        lambda session, key: deliver(session, key, now=now),
        rows=NOTICES,
    )
    return {"delivered": delivered, "failed": failed, "unknown_channel": _waiting(known=False)}


def preview(context: JobContext, now: datetime) -> dict[str, Any]:
    """Return how many notices wait for a channel, those that were pushed back too, and how many for one not known here."""
    return {"delivered": _waiting(known=True), "unknown_channel": _waiting(known=False)}


def _waiting(*, known: bool) -> int:
    waiting = undelivered_by_channel(db.session())
    return sum(count for channel, count in waiting.items() if (channel in CHANNELS) is known)
