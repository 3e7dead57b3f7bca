"""One stored item and the last action on it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.errors import NotFound
from lotus_web.domain.items.state import ActionRecord, ItemState
from lotus_web.models import WorkflowAction, WorkflowItem
from lotus_web.models.to_domain import action_record, item_state


def stored_item(session: Session, tenant_id: str, workflow_id: str) -> ItemState:
    """Return an item; raises NotFound."""
    query = select(WorkflowItem).where(WorkflowItem.tenant_id == tenant_id, WorkflowItem.workflow_id == workflow_id)
    row = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound("not_found", "There is no such item.")
    return item_state(row)


def last_action(session: Session, item: ItemState) -> ActionRecord | None:
    """Return the last action on an item; None without any."""
    query = (
        select(WorkflowAction)
        .where(WorkflowAction.tenant_id == item.tenant_id, WorkflowAction.workflow_id == item.workflow_id)
        .order_by(WorkflowAction.action_seq.desc())
        .limit(1)
    )
    row = session.scalars(query).one_or_none()
    return None if row is None else action_record(row)
