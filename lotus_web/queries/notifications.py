"""A person's notifications: their own and those of their roles, with what they have read (workflow.md §4).

A notification to a role counts for people who had the role when it was sent. Once an item is decided, its earlier
notifications are settled, read or not; only the notification of the decision can still be unread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    SQLColumnExpression,
    and_,
    case,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor
from lotus_web.domain.errors import NotFound
from lotus_web.domain.notifications import NoticeCategory, is_recipient, stored_sentence
from lotus_web.domain.paging import Page
from lotus_web.domain.sentences import Sentence
from lotus_web.models import Notification, NotificationRead, PersonRole, WorkflowItem
from lotus_web.queries import keyset

# The bell counts this many of the newest of each recipient: a role may have a million notifications.
BELL_REACH = 300
BELL_MOST = 99
READ_REACH = 2_000
_NEWEST = keyset.Order(Notification.notification_seq, descending=True)


class ReadState(StrEnum):
    """Which notifications to list; what is settled counts as read."""

    ALL = "all"
    UNREAD = "unread"
    READ = "read"


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notification as one account sees it: ``read_at`` is when they read it, ``settled_at`` when a decision settled it."""

    notification_seq: int
    notification_id: str
    tenant_id: str
    workflow_id: str
    trace_id: str
    category: str
    channel: str
    status: str
    message: str
    code: str | None
    params: Mapping[str, Any] | None
    recipient_account_id: str | None
    recipient_role: str | None
    payload: Mapping[str, Any]
    created_at: datetime
    delivered_at: datetime | None
    read_at: datetime | None
    settled_at: datetime | None

    @property
    def sentence(self) -> Sentence:
        """What the notification says, for pages to render with display names."""
        return stored_sentence(self.code, self.params, self.message)


@dataclass(frozen=True, slots=True)
class NoticeCounts:
    """Totals over the newest ``BELL_REACH`` of each recipient; ``capped`` means that there may be more."""

    unread: int
    total: int
    capped: bool

    @property
    def read(self) -> int:
        """How many are read or settled."""
        return self.total - self.unread


@dataclass(frozen=True, slots=True)
class _Recipient:
    """One way in which notifications reach the actor: by name, or by a role since they have it (None: always)."""

    named: ColumnElement[bool]
    since: ScalarSelect[Any] | None = None

    def counts(self, created_at: SQLColumnExpression[datetime]) -> ColumnElement[bool]:
        """Return the condition that a notice created at this instant is for the actor; an unknown start of a role means always."""
        return and_(True) if self.since is None else or_(self.since.is_(None), created_at >= self.since)


_PLAIN = tuple(name for name in NoticeRow.__slots__ if name not in ("read_at", "settled_at"))


def notification_page(
    session: Session, actor: Actor, *, state: ReadState = ReadState.ALL, limit: int, cursor: str | None = None
) -> Page[NoticeRow]:
    """Return a page of the actor's notifications, newest first; two queries at most for each recipient they are.

    With ``unread`` or ``read`` a page looks back over ``READ_REACH`` notifications of each recipient and may then hold few
    and still have a next one. Raises InvalidInput ``INVALID_CURSOR``.
    """
    after = keyset.decode_cursor(cursor, _NEWEST.kinds) if cursor else None
    found: list[NoticeRow] = []
    horizons: list[keyset.Place] = []
    for recipient in _recipients(actor):
        query = _in_state(actor, recipient, state)
        if state is not ReadState.ALL or recipient.since is not None:
            end, goes_on = _reach(session, actor, recipient, after)
            horizons += [end] if goes_on else []
            query = query.where(_NEWEST.up_to(end)) if end else query
        found += [NoticeRow(*row) for row in keyset.head(session, query, _NEWEST, limit=limit, after=after)]
    horizon = max(horizons, default=None)
    return keyset.merge(found, place=_NEWEST.place_of, limit=limit, descending=True, horizon=horizon)


def _recipients(actor: Actor) -> Iterator[_Recipient]:
    yield _Recipient(Notification.recipient_account_id == actor.decider_id)
    for role in sorted(actor.roles):
        named = and_(Notification.recipient_role == role.value, Notification.recipient_account_id.is_(None))
        given = select(PersonRole.given_at).where(
            PersonRole.name == actor.decider_id,
            PersonRole.tenant_id == actor.tenant_id,
            PersonRole.role == role.value,
        )
        yield _Recipient(named, given.scalar_subquery())


def _reach(
    session: Session, actor: Actor, recipient: _Recipient, after: keyset.Place | None
) -> tuple[keyset.Place, bool]:
    """Return how far back a page looks (nothing: to the end), and whether anything older may be for the actor still."""
    query = select(Notification.notification_seq, recipient.counts(Notification.created_at)).where(
        Notification.tenant_id == actor.tenant_id, recipient.named
    )
    found = keyset.horizon(session, query, _NEWEST, reach=READ_REACH, after=after)
    return ((), False) if found is None else (found[:1], bool(found[1]))


def _in_state(actor: Actor, recipient: _Recipient, state: ReadState) -> Select[*tuple[Any, ...]]:
    """Return the notifications of one recipient that are in a state of reading."""
    query = _as_seen(actor).where(recipient.named, recipient.counts(Notification.created_at))
    if state is ReadState.ALL:
        return query
    unread = _unread(Notification.category)
    return query.where(unread if state is ReadState.UNREAD else ~unread)


def _as_seen(actor: Actor) -> Select[*tuple[Any, ...]]:
    """Return the query of the tenant's notifications with the columns of ``NoticeRow``."""
    settled_at = case((_settles(Notification.category), WorkflowItem.resolved_at))
    return (
        select(
            *(getattr(Notification, name) for name in _PLAIN), NotificationRead.read_at, settled_at.label("settled_at")
        )
        .outerjoin(NotificationRead, _own_read(actor, Notification))
        .outerjoin(WorkflowItem, _its_item(Notification))
        .where(Notification.tenant_id == actor.tenant_id)
    )


def _own_read(actor: Actor, notice: Any) -> ColumnElement[bool]:
    return and_(
        NotificationRead.tenant_id == notice.tenant_id,
        NotificationRead.account_id == actor.decider_id,
        NotificationRead.notification_id == notice.notification_id,
    )


def _its_item(notice: Any) -> ColumnElement[bool]:
    return and_(WorkflowItem.tenant_id == notice.tenant_id, WorkflowItem.workflow_id == notice.workflow_id)


def _settles(category: SQLColumnExpression[str]) -> ColumnElement[bool]:
    """Return the condition that a decision on the item settles the notification: all but that of the decision itself."""
    return category != NoticeCategory.APPROVAL.value


def _unread(category: SQLColumnExpression[str]) -> ColumnElement[bool]:
    return and_(NotificationRead.read_at.is_(None), or_(WorkflowItem.resolved_at.is_(None), ~_settles(category)))


def unread_count(session: Session, actor: Actor) -> int:
    """Return how many of the actor's newest notifications are unread, ``BELL_MOST`` + 1 at most. One query."""
    return min(notice_counts(session, actor).unread, BELL_MOST + 1)


def notice_counts(session: Session, actor: Actor) -> NoticeCounts:
    """Count the actor's newest notifications. One query."""
    rows = session.execute(union_all(*(_counts_of(actor, recipient) for recipient in _recipients(actor)))).all()
    return NoticeCounts(
        unread=sum(row[0] for row in rows),
        total=sum(row[1] for row in rows),
        capped=any(row[1] >= BELL_REACH for row in rows),
    )


def _counts_of(actor: Actor, recipient: _Recipient) -> Select[*tuple[int, int]]:
    newest = (
        select(
            Notification.tenant_id,
            Notification.notification_id,
            Notification.workflow_id,
            Notification.category,
            Notification.created_at,
        )
        .where(Notification.tenant_id == actor.tenant_id, recipient.named)
        .order_by(Notification.notification_seq.desc())
        .limit(BELL_REACH)
        .subquery()
    )
    unread = func.coalesce(func.sum(case((_unread(newest.c.category), 1), else_=0)), 0)
    return (
        select(unread, func.count())
        .select_from(newest)
        .outerjoin(NotificationRead, _own_read(actor, newest.c))
        .outerjoin(WorkflowItem, _its_item(newest.c))
        .where(recipient.counts(newest.c.created_at))
    )


def own_notification(session: Session, actor: Actor, notification_id: str) -> NoticeRow:
    """Return one notification of the actor; raises NotFound, also for another person's."""
    row = session.execute(_as_seen(actor).where(Notification.notification_id == notification_id)).one_or_none()
    if row is None or not is_recipient(actor, row.recipient_account_id, row.recipient_role):
        raise NotFound("not_found", "You have no such notification.")
    return NoticeRow(**row._mapping)
