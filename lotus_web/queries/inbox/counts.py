"""How many items each tab of the inbox holds, and the summary of the JSON list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor
from lotus_web.domain.items.values import OPEN, Priority
from lotus_web.models import WorkflowItem
from lotus_web.queries.inbox.escalated import escalated_count
from lotus_web.queries.inbox.filter import InboxFilter, Tab, WorkflowFilter, filter_conditions, tab_condition
from lotus_web.queries.items.open import all_open

CLOSED_CAP = 1_000


@dataclass(frozen=True, slots=True)
class InboxCounts:
    """Items in each tab under the same filters; ``closed`` stops at ``CLOSED_CAP`` + 1 and is None where it is not cheap.

    ``all`` is None without a day of escalation.
    """

    mine: int
    roles: int
    unassigned: int
    open: int
    overdue: int
    closed: int | None
    all: int | None

    def of(self, tab: Tab) -> int | None:
        """Return one tab's count."""
        count: int | None = getattr(self, tab.value)
        return count

    @property
    def first_filled(self) -> Tab:
        """The tab to open on: the first that holds something to do."""
        return next((tab for tab in (Tab.MINE, Tab.ROLES, Tab.OPEN) if self.of(tab)), Tab.MINE)


def inbox_counts(
    session: Session, filters: InboxFilter, *, actor: Actor, now: datetime, soon_minutes: int
) -> InboxCounts:
    """Count the tabs in one pass over the index of open items, the closed ones up to a bound, and a day's escalations."""
    conditions = filter_conditions(filters, as_of=now, soon_minutes=soon_minutes)
    tabs = (Tab.MINE, Tab.ROLES, Tab.UNASSIGNED, Tab.OPEN)
    query = select(
        *(_count_if(tab_condition(tab, actor)).label(tab.value) for tab in tabs),
        _count_if(WorkflowItem.sla_due_at < now).label("overdue"),
    ).where(*all_open(actor.tenant_id), *conditions)
    found = session.execute(query).one()
    everything = None
    if filters.escalated:
        everything = escalated_count(session, filters, actor=actor, now=now, soon_minutes=soon_minutes)
    return InboxCounts(**found._mapping, closed=_closed_count(session, actor.tenant_id, filters), all=everything)


def _count_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _closed_count(session: Session, tenant_id: str, filters: InboxFilter) -> int | None:
    if filters.is_filtered:
        return None
    newest = (
        select(WorkflowItem.workflow_id)
        .where(WorkflowItem.tenant_id == tenant_id, WorkflowItem.resolved_at.is_not(None))
        .order_by(WorkflowItem.resolved_at.desc())
        .limit(CLOSED_CAP + 1)
    )
    return session.scalar(select(func.count()).select_from(newest.subquery()))


@dataclass(frozen=True, slots=True)
class WorkflowSummary:
    """The open items under a filter, counted."""

    open: int
    overdue: int
    due_soon: int
    unassigned: int
    by_status: Mapping[str, int]
    by_priority: Mapping[str, int]


def workflow_summary(
    session: Session, tenant_id: str, filters: WorkflowFilter, *, now: datetime, soon_minutes: int
) -> WorkflowSummary:
    """Count the open items under a filter in one pass over their index."""
    soon = WorkflowItem.sla_due_at.between(now, now + timedelta(minutes=soon_minutes))
    overdue = WorkflowItem.sla_due_at < now
    conditions = filters.conditions(as_of=now, soon_minutes=soon_minutes)
    if filters.only_overdue:
        conditions.append(overdue)
    query = (
        select(
            WorkflowItem.status,
            WorkflowItem.priority_rank,
            func.count(),
            func.sum(case((overdue, 1), else_=0)),
            func.sum(case((soon, 1), else_=0)),
            func.sum(case((WorkflowItem.assigned_account_id.is_(None), 1), else_=0)),
        )
        .where(*all_open(tenant_id), *conditions)
        .group_by(WorkflowItem.status, WorkflowItem.priority_rank)
    )
    by_status = {status.value: 0 for status in sorted(OPEN)}
    by_priority = {priority.word: 0 for priority in Priority}
    totals = [0, 0, 0, 0]
    for status, rank, *counts in session.execute(query):
        by_status[status] += counts[0]
        by_priority[Priority(rank).word] += counts[0]
        totals = [total + int(count) for total, count in zip(totals, counts, strict=True)]
    total, late, near, unowned = totals
    return WorkflowSummary(total, late, near, unowned, by_status, by_priority)
