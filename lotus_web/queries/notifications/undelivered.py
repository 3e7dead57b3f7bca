"""How many notices wait for their channel (workflow.md §4)."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lotus_web.models import Notification
from lotus_web.models.notifications import UNDELIVERED


def undelivered_by_channel(session: Session) -> dict[str, int]:
    """Return how many notices of all tenants wait, by channel, those of channels that are not known here too. One query."""
    query = select(Notification.channel, func.count()).where(UNDELIVERED).group_by(Notification.channel)
    return dict(session.execute(query).all())
