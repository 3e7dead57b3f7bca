"""Items that a manager may reassign, by due time: those overdue or due soon, or all of one person (console.md, /sla)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from lotus_web.domain.items.values import Priority
from lotus_web.models import WorkflowItem
from lotus_web.queries.items.holders import HOLDER_DISABLED

_COLUMNS = (
    WorkflowItem.workflow_id,
    WorkflowItem.title,
    WorkflowItem.portfolio_id,
    WorkflowItem.status,
    WorkflowItem.priority_rank,
    WorkflowItem.assigned_account_id,
    WorkflowItem.assigned_role,
    WorkflowItem.sla_due_at,
    WorkflowItem.version,
    HOLDER_DISABLED,
)


@dataclass(frozen=True, slots=True)
class PressingRow:
    """An item as a row of the board, with the version that a reassignment refers to."""

    workflow_id: str
    title: str
    portfolio_id: str | None
    status: str
    priority_rank: int
    assigned_account_id: str | None
    assigned_role: str | None
    sla_due_at: datetime
    version: int
    holder_disabled: bool

    @property
    def priority(self) -> str:
        """The name of the priority in JSON."""
        return Priority(self.priority_rank).word


def pressing_items(
    session: Session, tenant_id: str, *, now: datetime, soon_minutes: int, limit: int
) -> tuple[PressingRow, ...]:
    """Return at most ``limit`` open items that are due within ``soon_minutes`` or overdue, by due time; one query."""
    pressing = WorkflowItem.sla_due_at <= now + timedelta(minutes=soon_minutes)
    return _rows(session, tenant_id, pressing, limit)


def items_held(session: Session, tenant_id: str, name: str, *, limit: int) -> tuple[PressingRow, ...]:
    """Return at most ``limit`` open items of a person, by due time; one query."""
    return _rows(session, tenant_id, WorkflowItem.assigned_account_id == name, limit)


def _rows(session: Session, tenant_id: str, which: ColumnElement[bool], limit: int) -> tuple[PressingRow, ...]:
    query = (
        select(*_COLUMNS)
        .where(WorkflowItem.tenant_id == tenant_id, WorkflowItem.resolved_at.is_(None), which)
        .order_by(WorkflowItem.sla_due_at, WorkflowItem.workflow_id)
        .limit(limit)
    )
    return tuple(PressingRow(**row._mapping) for row in session.execute(query))
