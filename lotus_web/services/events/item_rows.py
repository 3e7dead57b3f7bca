"""Between item rows and item values: load under the lock, store what the fold gave, record actions and notices."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.errors import NotFound
from lotus_web.domain.events.projection import Effect
from lotus_web.domain.items.precedents import precedent_key
from lotus_web.domain.items.state import ActionRecord, ItemState
from lotus_web.domain.notifications import Channel, DeliveryStatus, Notice
from lotus_web.domain.sentences import to_json
from lotus_web.models import Notification, WorkflowAction, WorkflowItem
from lotus_web.models.to_domain import ITEM_COLUMN, ITEM_FIELDS
from lotus_web.models.to_domain import item_state as item_state
from lotus_web.services.notifications.deliveries import plan_deliveries

ItemKey = tuple[str, str]


def item_columns(state: ItemState) -> dict[str, Any]:
    """Return the column values of an item."""
    values = {ITEM_COLUMN.get(name, name): getattr(state, name) for name in ITEM_FIELDS}
    values["status"] = state.status.value
    values["priority_rank"] = int(state.priority)
    values["workflow_kind"] = state.workflow_kind.value
    values["details"] = dict(state.metadata)
    values["precedent_key"] = precedent_key(state.policy_id, state.metadata)
    return values


def find_item(session: Session, tenant_id: str, workflow_id: str, *, lock: bool = False) -> WorkflowItem | None:
    """Return an item's row as it is in the store now, locked if asked for."""
    query = select(WorkflowItem).where(WorkflowItem.tenant_id == tenant_id, WorkflowItem.workflow_id == workflow_id)
    if lock:
        query = query.with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def get_item(session: Session, tenant_id: str, workflow_id: str, *, lock: bool = False) -> WorkflowItem:
    """Return an item's row; raises NotFound."""
    row = find_item(session, tenant_id, workflow_id, lock=lock)
    if row is None:
        raise NotFound("not_found", "There is no such item.")
    return row


def store_effect(session: Session, effect: Effect) -> None:
    """Write the item after an event or action, the action row of an event, and the notices not told before."""
    state = effect.item
    row = find_item(session, state.tenant_id, state.workflow_id)
    if row is None:
        session.add(WorkflowItem(**item_columns(state)))
    else:
        same_clock = row.sla_due_at == state.sla_due_at
        row.risk_told, row.breach_told = row.risk_told and same_clock, row.breach_told and same_clock
        for name, value in item_columns(state).items():
            setattr(row, name, value)
    if effect.action is not None:
        session.add(action_row(effect.action))
    for notice in effect.notices:
        store_notice(session, notice)
    session.flush()


def action_row(record: ActionRecord) -> WorkflowAction:
    """Return the row of an action."""
    values = {field.name: getattr(record, field.name) for field in fields(ActionRecord)}
    values |= {
        "action_type": record.action_type.value,
        "origin": record.origin.value,
        "from_status": record.from_status.value,
        "to_status": record.to_status.value,
        "details": dict(record.details),
    }
    return WorkflowAction(**values)


def notice_row(notice: Notice) -> Notification:
    """Return the row of a notice. The console shows what is stored, so it is delivered when it is made."""
    return Notification(
        notification_id=notice.notification_id,
        tenant_id=notice.tenant_id,
        workflow_id=notice.workflow_id,
        trace_id=notice.trace_id,
        category=notice.category.value,
        channel=Channel.CONSOLE.value,
        status=DeliveryStatus.DELIVERED.value,
        message=notice.message,
        code=notice.code.value,
        params=to_json(notice.params),
        recipient_account_id=notice.recipient_account_id,
        recipient_role=notice.recipient_role,
        payload=dict(notice.payload),
        dedupe_key=notice.dedupe_key,
        created_at=notice.created_at,
        delivered_at=notice.created_at,
    )


def store_notice(session: Session, notice: Notice) -> bool:
    """Store a notice and its deliveries, unless its dedupe key is there already; return whether it was stored."""
    told = select(Notification.notification_seq).where(
        Notification.tenant_id == notice.tenant_id, Notification.dedupe_key == notice.dedupe_key
    )
    if session.scalar(told) is not None:
        return False
    session.add(notice_row(notice))
    plan_deliveries(session, notice)
    return True
