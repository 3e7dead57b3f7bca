"""What someone was told: their own notifications and those of their roles, with what they have read (workflow.md §4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, union_all
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor
from lotus_web.domain.errors import NotFound
from lotus_web.domain.notices import is_recipient
from lotus_web.domain.paging import Page, decode_cursor, encode_cursor
from lotus_web.models import Notification, NotificationRead

# The bell looks at this many of the newest of each recipient: a role may have been told a million things.
BELL_REACH = 200
BELL_MOST = 99
READ_REACH = 2_000


class ReadState(StrEnum):
    """Which notifications to list."""

    ALL = "all"
    UNREAD = "unread"
    READ = "read"


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notification as one account sees it; ``read_at`` is theirs."""

    notification_seq: int
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
    payload: Mapping[str, Any]
    created_at: datetime
    delivered_at: datetime | None
    read_at: datetime | None


_PLAIN = tuple(name for name in NoticeRow.__slots__ if name != "read_at")


def notification_page(
    session: Session, actor: Actor, *, state: ReadState = ReadState.ALL, limit: int, cursor: str | None = None
) -> Page[NoticeRow]:
    """Return a page of the actor's notifications, newest first; one query for each recipient they are.

    With ``unread`` or ``read`` a page looks back over ``READ_REACH`` notifications of each recipient and may then hold few
    and still have a next one. Raises InvalidInput ``INVALID_CURSOR``.
    """
    before = int(decode_cursor(cursor, kinds=(int,))[0]) if cursor else None
    found: list[NoticeRow] = []
    horizon = 0
    for recipient in _recipients(actor):
        lowest = 0 if state is ReadState.ALL else _lowest_in_reach(session, actor, recipient, before)
        horizon = max(horizon, lowest)
        found += _newest(session, actor, recipient, state, before=before, lowest=lowest, limit=limit + 1)
    found = sorted((row for row in found if row.notification_seq >= horizon), key=_seq, reverse=True)
    if len(found) > limit:
        return Page(tuple(found[:limit]), encode_cursor((found[limit - 1].notification_seq,)))
    return Page(tuple(found), encode_cursor((horizon,)) if horizon else None)


def _seq(row: NoticeRow) -> int:
    return row.notification_seq


def _recipients(actor: Actor) -> Iterator[ColumnElement[bool]]:
    """Yield one condition for each recipient the actor is: each reads one index in its order."""
    yield Notification.recipient_account_id == actor.decider_id
    for role in sorted(actor.roles):
        yield and_(Notification.recipient_role == role.value, Notification.recipient_account_id.is_(None))


def _lowest_in_reach(session: Session, actor: Actor, recipient: ColumnElement[bool], before: int | None) -> int:
    query = select(Notification.notification_seq).where(Notification.tenant_id == actor.tenant_id, recipient)
    if before is not None:
        query = query.where(Notification.notification_seq < before)
    newest = query.order_by(Notification.notification_seq.desc()).offset(READ_REACH - 1).limit(1)
    return session.scalar(newest) or 0


def _newest(
    session: Session,
    actor: Actor,
    recipient: ColumnElement[bool],
    state: ReadState,
    *,
    before: int | None,
    lowest: int,
    limit: int,
) -> list[NoticeRow]:
    own_read = and_(
        NotificationRead.tenant_id == Notification.tenant_id,
        NotificationRead.account_id == actor.decider_id,
        NotificationRead.notification_id == Notification.notification_id,
    )
    query = (
        select(*(getattr(Notification, name) for name in _PLAIN), NotificationRead.read_at)
        .outerjoin(NotificationRead, own_read)
        .where(Notification.tenant_id == actor.tenant_id, recipient, Notification.notification_seq >= lowest)
    )
    if before is not None:
        query = query.where(Notification.notification_seq < before)
    if state is ReadState.UNREAD:
        query = query.where(NotificationRead.read_at.is_(None))
    elif state is ReadState.READ:
        query = query.where(NotificationRead.read_at.is_not(None))
    rows = session.execute(query.order_by(Notification.notification_seq.desc()).limit(limit))
    return [NoticeRow(**row._mapping) for row in rows]


def unread_count(session: Session, actor: Actor) -> int:
    """Return how many of the actor's newest notifications are unread: ``BELL_MOST`` + 1 means that there are more. One query."""
    counts = [_unread_of(actor, recipient) for recipient in _recipients(actor)]
    return min(sum(session.scalars(union_all(*counts))), BELL_MOST + 1)


def _unread_of(actor: Actor, recipient: ColumnElement[bool]) -> Select[int]:
    newest = (
        select(Notification.tenant_id, Notification.notification_id)
        .where(Notification.tenant_id == actor.tenant_id, recipient)
        .order_by(Notification.notification_seq.desc())
        .limit(BELL_REACH)
        .subquery()
    )
    own_read = and_(
        NotificationRead.tenant_id == newest.c.tenant_id,
        NotificationRead.account_id == actor.decider_id,
        NotificationRead.notification_id == newest.c.notification_id,
    )
    return (
        select(func.count())
        .select_from(newest)
        .outerjoin(NotificationRead, own_read)
        .where(NotificationRead.read_at.is_(None))
    )


def own_notification(session: Session, actor: Actor, notification_id: str) -> NoticeRow:
    """Return one notification of the actor; raises NotFound, also for someone else's."""
    own_read = and_(
        NotificationRead.tenant_id == Notification.tenant_id,
        NotificationRead.account_id == actor.decider_id,
        NotificationRead.notification_id == Notification.notification_id,
    )
    query = (
        select(*(getattr(Notification, name) for name in _PLAIN), NotificationRead.read_at)
        .outerjoin(NotificationRead, own_read)
        .where(Notification.tenant_id == actor.tenant_id, Notification.notification_id == notification_id)
    )
    row = session.execute(query).one_or_none()
    if row is None or not is_recipient(actor, row.recipient_account_id, row.recipient_role):
        raise NotFound("not_found", "There is no such notification of yours.")
    return NoticeRow(**row._mapping)
