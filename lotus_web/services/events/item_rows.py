"""Between item rows and item values: load under the lock, store what the fold gave, record actions and notices."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from lotus_web.domain.deliveries.states import DeliveryStatus
from lotus_web.domain.events.projection import Effect
from lotus_web.domain.items.precedents import precedent_key
from lotus_web.domain.items.state import ActionRecord, ItemState
from lotus_web.domain.notifications import Channel, Notice
from lotus_web.domain.sentences import to_json
from lotus_web.models import Notification, Run, WorkflowAction, WorkflowItem
from lotus_web.models.to_domain import ACTION_FIELDS, ITEM_COLUMN, ITEM_FIELDS
from lotus_web.models.to_domain import item_state as item_state
from lotus_web.services.notifications.deliveries import plan_deliveries
from lotus_web.store.upserts import insert_rows

ItemKey = tuple[str, str]
NOTICE_COLUMNS = tuple(
    column.key for column in Notification.__mapper__.column_attrs if column.key != "notification_seq"
)


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


def lock_items(session: Session, tenant_id: str, workflow_ids: Collection[str]) -> dict[str, WorkflowItem]:
    """Lock the items of these ids and return their rows as they are in the store now, by id; asks nothing for none."""
    if not workflow_ids:
        return {}
    query = select(WorkflowItem).where(
        WorkflowItem.tenant_id == tenant_id, WorkflowItem.workflow_id.in_(sorted(workflow_ids))
    )
    rows = session.scalars(query.with_for_update().execution_options(populate_existing=True))
    return {row.workflow_id: row for row in rows}


@dataclass(frozen=True, slots=True)
class LockedItem:
    """An item's row, locked for the rest of the transaction, with its run's if it has one."""

    row: WorkflowItem
    run: Run | None


def lock_item(session: Session, tenant_id: str, workflow_id: str) -> LockedItem | None:
    """Lock an item and return it with its run, in one statement; None where there is no such item."""
    return _locked(session, WorkflowItem.tenant_id == tenant_id, WorkflowItem.workflow_id == workflow_id)


def lock_item_of_run(session: Session, tenant_id: str, run_id: str) -> LockedItem | None:
    """Lock the item of a run and return both, in one statement; None where there is no such item."""
    return _locked(session, WorkflowItem.tenant_id == tenant_id, WorkflowItem.rebalance_run_id == run_id)


def _locked(session: Session, *conditions: ColumnElement[bool]) -> LockedItem | None:
    of_item = and_(Run.tenant_id == WorkflowItem.tenant_id, Run.rebalance_run_id == WorkflowItem.rebalance_run_id)
    query = select(WorkflowItem, Run).outerjoin(Run, of_item).where(*conditions).with_for_update(of=WorkflowItem)
    found = session.execute(query.execution_options(populate_existing=True)).one_or_none()
    return None if found is None else LockedItem(*found)


def store_effects(session: Session, effects: Sequence[Effect], rows: Mapping[str, WorkflowItem]) -> None:
    """Write what events or actions of one command did: each item once, the rows of actions, the notices that are new.

    ``rows`` holds the locked rows of the items that exist.
    """
    for state in {effect.item.workflow_id: effect.item for effect in effects}.values():
        row = rows.get(state.workflow_id)
        if row is None:
            session.add(WorkflowItem(**item_columns(state)))
            continue
        same_clock = row.sla_due_at == state.sla_due_at
        row.risk_told, row.breach_told = row.risk_told and same_clock, row.breach_told and same_clock
        for name, value in item_columns(state).items():
            setattr(row, name, value)
    session.add_all(action_row(effect.action) for effect in effects if effect.action is not None)
    store_notices(session, [notice for effect in effects for notice in effect.notices])
    session.flush()


def action_columns(record: ActionRecord) -> dict[str, Any]:
    """Return the column values of an action."""
    values = {name: getattr(record, name) for name in ACTION_FIELDS}
    return values | {
        "action_type": record.action_type.value,
        "origin": record.origin.value,
        "from_status": record.from_status.value,
        "to_status": record.to_status.value,
        "details": dict(record.details),
    }


def action_row(record: ActionRecord) -> WorkflowAction:
    """Return the row of an action."""
    return WorkflowAction(**action_columns(record))


def notice_columns(notice: Notice) -> dict[str, Any]:
    """Return the column values of a notice. The console shows what is stored, so it is delivered when it is made."""
    return {
        "notification_id": notice.notification_id,
        "tenant_id": notice.tenant_id,
        "workflow_id": notice.workflow_id,
        "trace_id": notice.trace_id,
        "category": notice.category.value,
        "channel": Channel.CONSOLE.value,
        "status": DeliveryStatus.DELIVERED.value,
        "message": notice.message,
        "code": notice.code.value,
        "params": to_json(notice.params),
        "recipient_account_id": notice.recipient_account_id,
        "recipient_role": notice.recipient_role,
        "payload": dict(notice.payload),
        "dedupe_key": notice.dedupe_key,
        "created_at": notice.created_at,
        "delivered_at": notice.created_at,
    }


def store_notices(session: Session, notices: Iterable[Notice]) -> int:
    """Store notices whose dedupe keys are new, in one statement, with their deliveries; return how many were stored."""
    told = {notice.notification_id: notice for notice in notices}
    if not told:
        return 0
    rows = [dict.fromkeys(NOTICE_COLUMNS) | notice_columns(notice) for notice in told.values()]
    stored = insert_rows(session, Notification, rows, returning=(Notification.notification_id,), skip_existing=True)
    for row in stored:
        plan_deliveries(session, told[row.notification_id])
    return len(stored)
