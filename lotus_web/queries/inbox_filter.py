"""What an inbox can be narrowed to, and the conditions that this makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, or_

from lotus_web.domain.access import Actor
from lotus_web.domain.workflow import ItemStatus, Priority
from lotus_web.models import WorkflowItem


class Tab(StrEnum):
    """A part of the inbox; all but the last hold open items only."""

    MINE = "mine"
    ROLES = "roles"
    UNASSIGNED = "unassigned"
    OPEN = "open"
    CLOSED = "closed"


class Due(StrEnum):
    """How close the due time is."""

    OVERDUE = "overdue"
    SOON = "soon"
    TODAY = "today"


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """What to show; None leaves a thing open. ``tab`` None means the first tab that holds something."""

    tab: Tab | None = None
    status: ItemStatus | None = None
    priority: Priority | None = None
    due: Due | None = None
    role: str | None = None
    person: str | None = None
    portfolio: str | None = None
    text: str | None = None

    @property
    def narrowed(self) -> bool:
        """Whether anything beside the tab is asked for."""
        return any(
            (self.status, self.priority is not None, self.due, self.role, self.person, self.portfolio, self.text)
        )


def tab_condition(tab: Tab, actor: Actor) -> ColumnElement[bool]:
    """Return what belongs to a tab, beside being open or closed."""
    nobody = WorkflowItem.assigned_account_id.is_(None)
    match tab:
        case Tab.MINE:
            return WorkflowItem.assigned_account_id == actor.decider_id
        case Tab.ROLES:
            return nobody & WorkflowItem.assigned_role.in_(sorted(role.value for role in actor.roles))
        case Tab.UNASSIGNED:
            return nobody
    return WorkflowItem.tenant_id == actor.tenant_id


def filter_conditions(wanted: InboxFilter, *, as_of: datetime, soon_minutes: int) -> list[ColumnElement[bool]]:
    """Return the conditions of everything but the tab."""
    found: list[ColumnElement[bool]] = []
    if wanted.status:
        found.append(WorkflowItem.status == wanted.status.value)
    if wanted.priority is not None:
        found.append(WorkflowItem.priority_rank == int(wanted.priority))
    if wanted.role:
        found.append(WorkflowItem.assigned_role == wanted.role)
    if wanted.person:
        found.append(WorkflowItem.assigned_account_id == wanted.person)
    if wanted.portfolio:
        found.append(WorkflowItem.portfolio_id == wanted.portfolio)
    if wanted.text:
        found.append(_holds_text(wanted.text))
    if wanted.due:
        found.append(_due_condition(wanted.due, as_of, soon_minutes))
    return found


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
