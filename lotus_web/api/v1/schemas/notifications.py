"""What the routes of notifications give."""

from __future__ import annotations

from typing import Any, Self

from lotus_web.api.endpoint.params import Answer, Stamp
from lotus_web.queries.notifications import NoticeRow


class NotificationAnswer(Answer):
    """A notification; ``read_at`` is the caller's own, ``settled_at`` when a decision on its item left nothing of it to be read.

    Both are null in an item's list.
    """

    notification_id: str
    tenant_id: str
    workflow_id: str
    trace_id: str
    category: str
    channel: str
    status: str
    message: str
    recipient_account_id: str | None
    recipient_role: str | None
    payload: dict[str, Any]
    created_at: Stamp
    delivered_at: Stamp | None
    read_at: Stamp | None = None
    settled_at: Stamp | None = None


class NotificationListAnswer(Answer):
    """A page of the caller's notifications, newest first; ``unread`` counts up to 100."""

    items: list[NotificationAnswer]
    next_cursor: str | None
    unread: int

    @classmethod
    def of(cls, rows: tuple[NoticeRow, ...], next_cursor: str | None, unread: int) -> Self:
        """Return the page as it is sent."""
        items = [NotificationAnswer.model_validate(row) for row in rows]
        return cls(items=items, next_cursor=next_cursor, unread=unread)
