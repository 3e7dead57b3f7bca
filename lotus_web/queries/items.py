"""One item as it stands in the store."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.errors import NotFound
from lotus_web.domain.items import ItemState
from lotus_web.models import WorkflowItem
from lotus_web.models.values import item_state


def stored_item(session: Session, tenant_id: str, workflow_id: str) -> ItemState:
    """Return an item; raises NotFound."""
    query = select(WorkflowItem).where(WorkflowItem.tenant_id == tenant_id, WorkflowItem.workflow_id == workflow_id)
    row = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound("not_found", "There is no such item.")
    return item_state(row)
