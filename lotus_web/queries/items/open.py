"""Conditions on open items with which either store reads the index of open items and not the table."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement

from lotus_web.domain.items.values import Priority
from lotus_web.models import WorkflowItem


def all_open(tenant_id: str) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a tenant's open items.

    The range of priorities leaves nothing out. It names the second column of the index of open items: without it and
    without statistics SQLite takes any index that begins with the tenant and walks through every item ever stored.
    """
    return WorkflowItem.tenant_id == tenant_id, WorkflowItem.resolved_at.is_(None), _every_priority()


def not_late(as_of: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions on open items of those that were not late at an instant, for a list in its order.

    ``IS TRUE`` keeps them out of the index of due times: few of all items that were ever stored are due in the future, so
    PostgreSQL would take few of the open ones for that too, and put thousands in order for the first fifty.
    """
    return _every_priority(), (WorkflowItem.sla_due_at >= as_of).is_(True)


def _every_priority() -> ColumnElement[bool]:
    return WorkflowItem.priority_rank.between(int(min(Priority)), int(max(Priority)))
