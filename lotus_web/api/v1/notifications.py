"""The caller's notifications, and marking them as read (workflow.md §4, §6)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from lotus_web.api.endpoint.params import QueryParams
from lotus_web.api.endpoint.routing import AnyToken, ApiBlueprint, Call, endpoint
from lotus_web.api.v1.envelope import NOT_FOUND, V1Envelope
from lotus_web.api.v1.schemas.notifications import NotificationAnswer, NotificationListAnswer
from lotus_web.queries.notifications import ReadState, notification_page, own_notification, unread_count
from lotus_web.services.notifications.reads import mark_read
from lotus_web.store.session import db, transaction

routes = ApiBlueprint("notifications", __name__, envelope=V1Envelope())


class NotificationListParams(QueryParams):
    """``state`` all, unread or read; what was told of an item before its decision counts as read with it."""

    state: ReadState = ReadState.ALL
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str | None, Field(description="next_cursor of the page before")] = None


@routes.get("/notifications")
@endpoint(
    "List the caller's own notifications",
    permission=AnyToken.ANY,
    query=NotificationListParams,
    response=NotificationListAnswer,
)
def list_notifications(call: Call, query: NotificationListParams) -> NotificationListAnswer:
    """Return a page, newest first."""
    session = db.session()
    page = notification_page(session, call.actor, state=query.state, limit=query.limit, cursor=query.cursor)
    return NotificationListAnswer.of(page.items, page.next_cursor, unread_count(session, call.actor))


@routes.post("/notifications/<ident:notification_id>/read")
@endpoint("Mark a notification as read", permission=AnyToken.ANY, response=NotificationAnswer, refuses=(NOT_FOUND,))
def read(call: Call, notification_id: str) -> NotificationAnswer:
    """Mark it as read; repeating this changes nothing."""
    with transaction() as session:
        mark_read(session, notification_id, actor=call.actor, now=call.now)
        return NotificationAnswer.model_validate(own_notification(session, call.actor, notification_id))
