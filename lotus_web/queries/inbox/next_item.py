"""Where someone who has finished with an item goes next."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor
from lotus_web.queries.inbox.filter import InboxFilter, Tab
from lotus_web.queries.inbox.listing import InboxRow, open_items


def next_in_queue(session: Session, *, actor: Actor, now: datetime, beside: str | None) -> InboxRow | None:
    """Return the most urgent item that the actor holds, else one that waits for their roles; never ``beside`` itself."""
    for tab in (Tab.MINE, Tab.ROLES):
        page = open_items(session, InboxFilter(), tab, actor=actor, now=now, soon_minutes=0, limit=2)
        found = next((row for row in page.items if row.workflow_id != beside), None)
        if found is not None:
            return found
    return None
