"""What was escalated on a day, whether it is open still or was decided since: the list behind a bar of the board."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor
from lotus_web.domain.decisions.reason_codes import REASON_CODES, Catalogue
from lotus_web.domain.items.actions import Action
from lotus_web.domain.paging import Page
from lotus_web.models import WorkflowAction, WorkflowItem
from lotus_web.queries import keyset
from lotus_web.queries.inbox.filter import InboxFilter, filter_conditions, on_day
from lotus_web.queries.inbox.listing import COLUMNS, InboxRow, inbox_row, page_with_reasons

_NEWEST = keyset.Order(WorkflowItem.requested_at, WorkflowItem.workflow_id, descending=True)


def escalated_items(
    session: Session,
    filters: InboxFilter,
    *,
    actor: Actor,
    now: datetime,
    soon_minutes: int,
    limit: int,
    cursor: str | None = None,
    codes: Catalogue = REASON_CODES,
) -> Page[InboxRow]:
    """Return a page of the items escalated on the filter's day, the newest request first; raises InvalidInput ``INVALID_CURSOR``."""
    query = select(*COLUMNS).where(*_conditions(filters, actor, now, soon_minutes))
    page = keyset.page(session, query, _NEWEST, row=inbox_row, limit=limit, cursor=cursor)
    return page_with_reasons(session, actor.tenant_id, page, codes)


def escalated_count(session: Session, filters: InboxFilter, *, actor: Actor, now: datetime, soon_minutes: int) -> int:
    """Return how many there are."""
    query = select(func.count()).where(*_conditions(filters, actor, now, soon_minutes))
    return session.scalars(query).one()


def _conditions(filters: InboxFilter, actor: Actor, now: datetime, soon_minutes: int) -> list[ColumnElement[bool]]:
    assert filters.escalated is not None
    return [
        WorkflowItem.tenant_id == actor.tenant_id,
        # By the tenant itself, not by the row's: so the store reads the day's escalations once, and their items by key.
        WorkflowItem.workflow_id.in_(_escalated(actor.tenant_id, filters.escalated)),
        *filter_conditions(replace(filters, escalated=None), as_of=now, soon_minutes=soon_minutes),
    ]


def _escalated(tenant_id: str, day: date) -> Select[str]:
    return select(WorkflowAction.workflow_id).where(
        WorkflowAction.tenant_id == tenant_id,
        WorkflowAction.action_type == Action.ESCALATE.value,
        on_day(WorkflowAction.occurred_at, day),
    )
