"""What was escalated on a day, whether it is open still or was decided since: the list behind a bar of the board."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor
from lotus_web.domain.decisions.reason_codes import REASON_CODES, Catalogue
from lotus_web.domain.items.transitions import Action
from lotus_web.domain.paging import Page, decode_cursor, encode_cursor, instant_part, part_instant
from lotus_web.models import WorkflowAction, WorkflowItem
from lotus_web.queries.inbox.filter import InboxFilter, filter_conditions, on_day
from lotus_web.queries.inbox.listing import COLUMNS, InboxRow, rows_with_reasons

_KINDS = (str, str)


def escalated_items(
    session: Session,
    wanted: InboxFilter,
    *,
    actor: Actor,
    now: datetime,
    soon_minutes: int,
    limit: int,
    cursor: str | None = None,
    codes: Catalogue = REASON_CODES,
) -> Page[InboxRow]:
    """Return a page of the items escalated on the filter's day, the newest request first; raises InvalidInput ``INVALID_CURSOR``."""
    conditions = _conditions(wanted, actor, now, soon_minutes)
    if cursor:
        requested_at, workflow_id = decode_cursor(cursor, kinds=_KINDS)
        place = (part_instant(requested_at), workflow_id)
        conditions.append(tuple_(WorkflowItem.requested_at, WorkflowItem.workflow_id) < place)
    newest = (WorkflowItem.requested_at.desc(), WorkflowItem.workflow_id.desc())
    query = select(*COLUMNS).where(*conditions).order_by(*newest).limit(limit + 1)
    rows = rows_with_reasons(
        session, actor.tenant_id, [InboxRow(**row._mapping) for row in session.execute(query)], codes
    )
    if len(rows) <= limit:
        return Page(tuple(rows), None)
    last = rows[limit - 1]
    return Page(tuple(rows[:limit]), encode_cursor((instant_part(last.requested_at), last.workflow_id)))


def escalated_count(session: Session, wanted: InboxFilter, *, actor: Actor, now: datetime, soon_minutes: int) -> int:
    """Return how many there are."""
    query = select(func.count()).where(*_conditions(wanted, actor, now, soon_minutes))
    return session.scalars(query).one()


def _conditions(wanted: InboxFilter, actor: Actor, now: datetime, soon_minutes: int) -> list[ColumnElement[bool]]:
    assert wanted.escalated is not None
    return [
        WorkflowItem.tenant_id == actor.tenant_id,
        # By the tenant itself, not by the row's: so the store reads the day's escalations once, and their items by key.
        WorkflowItem.workflow_id.in_(_escalated(actor.tenant_id, wanted.escalated)),
        *filter_conditions(replace(wanted, escalated=None), as_of=now, soon_minutes=soon_minutes),
    ]


def _escalated(tenant_id: str, day: date) -> Select[str]:
    return select(WorkflowAction.workflow_id).where(
        WorkflowAction.tenant_id == tenant_id,
        WorkflowAction.action_type == Action.ESCALATE.value,
        on_day(WorkflowAction.occurred_at, day),
    )
