"""How to ask for all open items so that either store reads the index of open items and not the table."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from lotus_web.domain.workflow import Priority
from lotus_web.models import WorkflowItem


def all_open(tenant_id: str) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a tenant's open items.

    The range of priorities leaves nothing out. It names the second column of the index of open items: without it and
    without statistics SQLite takes any index that begins with the tenant and walks through every item ever stored.
    """
    return (
        WorkflowItem.tenant_id == tenant_id,
        WorkflowItem.resolved_at.is_(None),
        WorkflowItem.priority_rank.between(int(min(Priority)), int(max(Priority))),
    )
