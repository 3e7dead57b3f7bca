"""Applying one event of the log to the inbox, in the transaction that appends it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.events.envelope import EventType
from lotus_web.domain.events.projection import fold_event, target_workflow_id
from lotus_web.domain.items.state import LoggedEvent, TraceContext
from lotus_web.models import EventLogEntry
from lotus_web.models.to_domain import logged_event as logged_event
from lotus_web.services.events.item_rows import find_item, item_state, store_effect


def apply_entry(session: Session, entry: EventLogEntry) -> None:
    """Fold one event into the item it is about; the caller holds the tenant's lock and moves the cursor."""
    event = logged_event(entry)
    workflow_id = target_workflow_id(event)
    if workflow_id is None:
        return
    row = find_item(session, event.tenant_id, workflow_id, lock=True)
    item, opened_by = None, None
    if row is not None:
        item, opened_by = item_state(row), _producer(session, row.tenant_id, row.created_from_event_id)
    effect = fold_event(item, event, trace_context(session, event), opened_by=opened_by)
    if effect is not None:
        store_effect(session, effect)


def _producer(session: Session, tenant_id: str, event_id: str) -> str:
    return session.scalars(
        select(EventLogEntry.producer_id).where(
            EventLogEntry.tenant_id == tenant_id, EventLogEntry.event_id == event_id
        )
    ).one()


def trace_context(session: Session, event: LoggedEvent) -> TraceContext:
    """Return what the first event of an event's trace says."""
    payload = session.scalars(
        select(EventLogEntry.payload).where(
            EventLogEntry.tenant_id == event.tenant_id,
            EventLogEntry.trace_id == event.trace_id,
            EventLogEntry.trace_seq == 0,
            EventLogEntry.event_type == EventType.TRACE_STARTED.value,
        )
    ).one()
    return TraceContext.from_payload(payload)
