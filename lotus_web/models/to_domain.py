"""From rows to the values that the rules work on."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import Row

from lotus_web.domain.events.envelope import Poster
from lotus_web.domain.items.actions import Action
from lotus_web.domain.items.state import ActionRecord, ItemState, LoggedEvent, Origin
from lotus_web.domain.items.values import ItemStatus, Priority, WorkflowKind
from lotus_web.models.events.log import EventLogEntry
from lotus_web.models.item_actions import WorkflowAction
from lotus_web.models.items import WorkflowItem

# Where a value's field and its column are called differently.
ITEM_COLUMN = {"priority": "priority_rank", "metadata": "details"}
ITEM_FIELDS = tuple(field.name for field in fields(ItemState))
ACTION_FIELDS = tuple(field.name for field in fields(ActionRecord))
# What the fold reads of an event: its other columns are long, and need not be parsed.
EVENT_COLUMNS = tuple(getattr(EventLogEntry, field.name) for field in fields(LoggedEvent))


def item_state(row: WorkflowItem) -> ItemState:
    """Return the value of an item row."""
    values: dict[str, Any] = {name: getattr(row, ITEM_COLUMN.get(name, name)) for name in ITEM_FIELDS}
    values["status"] = ItemStatus(row.status)
    values["priority"] = Priority(row.priority_rank)
    values["workflow_kind"] = WorkflowKind(row.workflow_kind)
    return ItemState(**values)


def action_record(row: WorkflowAction) -> ActionRecord:
    """Return the value of an action's row."""
    values: dict[str, Any] = {name: getattr(row, name) for name in ACTION_FIELDS}
    values |= {
        "action_type": Action(row.action_type),
        "origin": Origin(row.origin),
        "from_status": ItemStatus(row.from_status),
        "to_status": ItemStatus(row.to_status),
    }
    return ActionRecord(**values)


def logged_event(entry: EventLogEntry | Row[Any]) -> LoggedEvent:
    """Return a stored event, or its EVENT_COLUMNS, as the fold reads it."""
    return LoggedEvent(
        log_seq=entry.log_seq,
        event_id=entry.event_id,
        tenant_id=entry.tenant_id,
        trace_id=entry.trace_id,
        event_type=entry.event_type,
        occurred_at=entry.occurred_at,
        producer_id=entry.producer_id,
        actor=entry.actor,
        payload=entry.payload,
        applied_defaults=entry.applied_defaults,
    )


def poster_of(posted_by: str | None, posted_with: str | None) -> Poster | None:
    """Return the account that sent a stored event; None for an event of Lotus Web itself."""
    return None if posted_by is None and posted_with is None else Poster(posted_by or "", posted_with)


def stored_envelope(entry: EventLogEntry) -> dict[str, Any]:
    """Return the wire envelope of a stored event."""
    return {
        "event_id": entry.event_id,
        "tenant_id": entry.tenant_id,
        "trace_id": entry.trace_id,
        "trace_seq": entry.trace_seq,
        "event_type": entry.event_type,
        "occurred_at": entry.occurred_at,
        "source": entry.source,
        "actor": entry.actor,
        "idempotency_key": entry.idempotency_key,
        "payload": entry.payload,
        "correlation_id": entry.correlation_id,
        "causation_event_id": entry.causation_event_id,
        "schema_version": entry.schema_version,
        "tags": entry.tags,
    }
