"""Filters of the inbox and of the whole list of items, and their conditions on the table of items."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from lotus_web.domain.access import Actor
from lotus_web.domain.items.actions import Action
from lotus_web.domain.items.values import ItemStatus, Priority
from lotus_web.domain.sla.ageing import Age
from lotus_web.models import WorkflowAction, WorkflowItem

# In place of a role: items that are not assigned to any role.
NO_ROLE = "none"
# Of what is closed: a withdrawn review ended without a decision.
WAS_DECIDED = WorkflowItem.status != ItemStatus.WITHDRAWN.value


class Tab(StrEnum):
    """A part of the inbox; all but the last two hold open items only, and ALL needs a day of escalation."""

    MINE = "mine"
    ROLES = "roles"
    UNASSIGNED = "unassigned"
    OPEN = "open"
    CLOSED = "closed"
    ALL = "all"


class Due(StrEnum):
    """How close the due time is."""

    OVERDUE = "overdue"
    SOON = "soon"
    TODAY = "today"


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """What to show; a field that is None filters nothing. ``tab`` None means the first tab that holds something.

    ``decided`` and ``escalated`` are UTC days on which that happened.
    """

    tab: Tab | None = None
    status: ItemStatus | None = None
    priority: Priority | None = None
    due: Due | None = None
    role: str | None = None
    person: str | None = None
    portfolio: str | None = None
    text: str | None = None
    age: Age | None = None
    decided: date | None = None
    escalated: date | None = None

    @property
    def is_filtered(self) -> bool:
        """Whether any filter besides the tab is set."""
        return self != InboxFilter(tab=self.tab)


@dataclass(frozen=True, slots=True)
class WorkflowFilter:
    """Which items to list; closed ones are left out unless ``only_open`` is False."""

    criteria: InboxFilter = field(default_factory=InboxFilter)
    trace_id: str | None = None
    only_open: bool = True
    only_overdue: bool = False

    def conditions(self, *, as_of: datetime, soon_minutes: int) -> list[ColumnElement[bool]]:
        """Return what an item must meet besides being open."""
        found = filter_conditions(self.criteria, as_of=as_of, soon_minutes=soon_minutes)
        return found if self.trace_id is None else [*found, WorkflowItem.trace_id == self.trace_id]

    @property
    def needs_reach(self) -> bool:
        """Whether the search must be bounded: a portfolio and a trace have indexes of their own and few items."""
        return not self.only_open and self.criteria.is_filtered and not (self.criteria.portfolio or self.trace_id)


def tab_condition(tab: Tab, actor: Actor) -> ColumnElement[bool]:
    """Return the condition that an item belongs to a tab, besides being open or closed."""
    nobody = WorkflowItem.assigned_account_id.is_(None)
    match tab:
        case Tab.MINE:
            return WorkflowItem.assigned_account_id == actor.decider_id
        case Tab.ROLES:
            return nobody & WorkflowItem.assigned_role.in_(sorted(role.value for role in actor.roles))
        case Tab.UNASSIGNED:
            return nobody
    return WorkflowItem.tenant_id == actor.tenant_id


def filter_conditions(filters: InboxFilter, *, as_of: datetime, soon_minutes: int) -> list[ColumnElement[bool]]:
    """Return the conditions of everything but the tab."""
    found: list[ColumnElement[bool]] = []
    if filters.status:
        found.append(WorkflowItem.status == filters.status.value)
    if filters.priority is not None:
        found.append(WorkflowItem.priority_rank == int(filters.priority))
    if filters.role:
        found.append(WorkflowItem.assigned_role == (None if filters.role == NO_ROLE else filters.role))
    if filters.person:
        found.append(WorkflowItem.assigned_account_id == filters.person)
    if filters.portfolio:
        found.append(WorkflowItem.portfolio_id == filters.portfolio)
    if filters.text:
        found.append(_holds_text(filters.text))
    if filters.due:
        found.append(_due_condition(filters.due, as_of, soon_minutes))
    if filters.age:
        found += _age_conditions(filters.age, as_of)
    if filters.escalated:
        found.append(WorkflowItem.workflow_id.in_(_escalated_on(filters.escalated)))
    return found + decided_conditions(filters)


def decided_conditions(filters: InboxFilter) -> list[ColumnElement[bool]]:
    """Return the condition of the day of the decision, which is a range of the index of closed items."""
    return [on_day(WorkflowItem.resolved_at, filters.decided), WAS_DECIDED] if filters.decided else []


def on_day(
    column: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None], day: date
) -> ColumnElement[bool]:
    """Return the condition that something happened on a UTC day."""
    start = datetime.combine(day, time.min, UTC)
    return (column >= start) & (column < start + timedelta(days=1))


def _age_conditions(age: Age, as_of: datetime) -> list[ColumnElement[bool]]:
    """Return the conditions of a bar of the board, which counts what is as old as its upper end into the next one."""
    found: list[ColumnElement[bool]] = []
    if age.upto_hours is not None:
        found.append(WorkflowItem.requested_at > as_of - timedelta(hours=age.upto_hours))
    if age.from_hours:
        found.append(WorkflowItem.requested_at <= as_of - timedelta(hours=age.from_hours))
    return found


def _escalated_on(day: date) -> Select[str]:
    """Return the items of the same tenant that were escalated on a day."""
    return select(WorkflowAction.workflow_id).where(
        WorkflowAction.tenant_id == WorkflowItem.tenant_id,
        WorkflowAction.action_type == Action.ESCALATE.value,
        on_day(WorkflowAction.occurred_at, day),
    )


def _holds_text(text: str) -> ColumnElement[bool]:
    columns = (
        WorkflowItem.title,
        WorkflowItem.portfolio_id,
        WorkflowItem.request_reason,
        WorkflowItem.workflow_id,
    )
    return or_(*(column.icontains(text, autoescape=True) for column in columns))


def _due_condition(due: Due, as_of: datetime, soon_minutes: int) -> ColumnElement[bool]:
    if due is Due.OVERDUE:
        return WorkflowItem.sla_due_at < as_of
    midnight = as_of.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    until = as_of + timedelta(minutes=soon_minutes) if due is Due.SOON else midnight
    return WorkflowItem.sla_due_at.between(as_of, until)
