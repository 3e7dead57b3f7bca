"""Everything there is on one item, in one document that proves itself (workflow.md §6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lotus_web.domain.canonical import HASH_PREFIX
from lotus_web.domain.errors import NotFound
from lotus_web.domain.events import EventType
from lotus_web.domain.items import ItemState
from lotus_web.domain.projection import target_workflow_id
from lotus_web.models import EventLogEntry, Notification, NotificationRead, TenantRuntime, WorkflowAction, WorkflowItem
from lotus_web.models.values import action_record, item_state, logged_event, poster_of, stored_envelope
from lotus_web.queries.audit import entries, entry_content
from lotus_web.wire.workflow_export import EXPORT_VERSION, LINKS_MAX, audit_summary, entry_document, sealed
from lotus_web.wire.workflow_items import action_document, instant, item_document

TRIES = 5
OF_INTEREST = (
    EventType.TRACE_STARTED.value,
    EventType.POLICY_EVALUATED.value,
    EventType.EXCEPTION_REQUESTED.value,
    EventType.APPROVAL_RECORDED.value,
    EventType.WORKFLOW_REVIEW_REQUESTED.value,
)


def export_item(session: Session, tenant_id: str, workflow_id: str, *, now: datetime) -> dict[str, Any]:
    """Return the export document of an item, version 1, with its proof; raises NotFound.

    The parts are read one after the other, so they are read again when someone acted in between.
    """
    for _ in range(TRIES):
        item = _item(session, tenant_id, workflow_id)
        document = _document(session, item, now)
        if _version(session, item) == item.version:
            break
    return sealed(document)


def _item(session: Session, tenant_id: str, workflow_id: str) -> ItemState:
    query = select(WorkflowItem).where(WorkflowItem.tenant_id == tenant_id, WorkflowItem.workflow_id == workflow_id)
    row = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound("not_found", "There is no such item.")
    return item_state(row)


def _version(session: Session, item: ItemState) -> int | None:
    query = select(WorkflowItem.version).where(
        WorkflowItem.tenant_id == item.tenant_id, WorkflowItem.workflow_id == item.workflow_id
    )
    return session.scalar(query)


def _document(session: Session, item: ItemState, now: datetime) -> dict[str, Any]:
    head = session.scalars(
        select(TenantRuntime).where(TenantRuntime.tenant_id == item.tenant_id).execution_options(populate_existing=True)
    ).one()
    actions = session.scalars(
        select(WorkflowAction)
        .where(WorkflowAction.tenant_id == item.tenant_id, WorkflowAction.workflow_id == item.workflow_id)
        .order_by(WorkflowAction.action_seq)
    ).all()
    told = _notifications(session, item)
    chain = _events_of(session, item, head.last_log_seq)
    return {
        "export_version": EXPORT_VERSION,
        "exported_at": instant(now),
        "workflow": item_document(item, now=now),
        "workflow_actions": [action_document(action_record(row)) for row in actions],
        "workflow_notifications": told,
        "trace_reference": _trace_reference(item, chain),
        "audit_summary": audit_summary(item, actions=len(actions), notifications=len(told), now=now),
        "proof": {
            "method": "sha256 over canonical JSON; entry_hash = hash of {content_hash, prev_hash}",
            "entries": [_entry(row) for row in chain],
            "links": _links(session, item.tenant_id, [row.log_seq for row in chain], head.last_log_seq),
            "head": {
                "log_seq": head.last_log_seq,
                "entry_hash": head.head_hash,
                "entry_count": head.entry_count,
            },
        },
    }


def _entry(row: EventLogEntry) -> dict[str, Any]:
    poster = poster_of(row.posted_by, row.posted_with)
    return entry_document(stored_envelope(row), log_seq=row.log_seq, stored=row, poster=poster)


def _notifications(session: Session, item: ItemState) -> list[dict[str, Any]]:
    """Return what was told about an item, newest first, with who has read it."""
    rows = session.scalars(
        select(Notification)
        .where(Notification.tenant_id == item.tenant_id, Notification.workflow_id == item.workflow_id)
        .order_by(Notification.notification_seq.desc())
    ).all()
    reads: dict[str, dict[str, str | None]] = {}
    ids = [row.notification_id for row in rows]
    for read in session.scalars(
        select(NotificationRead)
        .where(NotificationRead.tenant_id == item.tenant_id, NotificationRead.notification_id.in_(ids))
        .order_by(NotificationRead.account_id)
    ):
        reads.setdefault(read.notification_id, {})[read.account_id] = instant(read.read_at)
    return [_notification(row, reads.get(row.notification_id, {})) for row in rows]


def _notification(row: Notification, reads: dict[str, str | None]) -> dict[str, Any]:
    same = ("notification_id", "tenant_id", "workflow_id", "trace_id", "category", "channel", "status", "message")
    also = ("recipient_account_id", "recipient_role", "payload", "dedupe_key")
    return {name: getattr(row, name) for name in (*same, *also)} | {
        "created_at": instant(row.created_at),
        "delivered_at": instant(row.delivered_at),
        "read_at": reads,
    }


def _events_of(session: Session, item: ItemState, until: int) -> list[EventLogEntry]:
    """Return the entries that made an item what it is: its trace's first, what the policy said of it, and those about it."""
    rows = session.scalars(
        select(EventLogEntry)
        .where(
            EventLogEntry.tenant_id == item.tenant_id,
            EventLogEntry.trace_id == item.trace_id,
            EventLogEntry.event_type.in_(OF_INTEREST),
            EventLogEntry.log_seq <= until,
        )
        .order_by(EventLogEntry.log_seq)
    )
    return [row for row in rows if _concerns(row, item)]


def _concerns(row: EventLogEntry, item: ItemState) -> bool:
    if row.event_type == EventType.POLICY_EVALUATED:
        inputs = row.payload["inputs"]
        return isinstance(inputs, dict) and inputs.get("rebalance_run_id") == item.rebalance_run_id
    return row.trace_seq == 0 or target_workflow_id(logged_event(row)) == item.workflow_id


def _trace_reference(item: ItemState, chain: Sequence[EventLogEntry]) -> dict[str, Any]:
    started = chain[0].payload
    return {
        "trace_id": item.trace_id,
        "workflow": started["workflow"],
        "title": started["title"],
        "primary_entity": started["primary_entity"],
        "event_ids": [row.event_id for row in chain],
    }


def _links(session: Session, tenant_id: str, places: list[int], head: int) -> list[dict[str, Any]]:
    """Return the way from each of the item's entries to the next and from the last to the head, ``LINKS_MAX`` in all."""
    left, links = LINKS_MAX, []
    for place, onwards in pairwise([*places, head + 1]):
        between = _count(session, tenant_id, place, onwards)
        omitted = between > left
        rows = () if omitted else entries(session, tenant_id, after=place, until=onwards)
        hashes = [entry_content(row).removeprefix(HASH_PREFIX) for row in rows]
        left -= len(hashes)
        links.append({"entries": between, "omitted": omitted, "content_hashes": hashes})
    return links


def _count(session: Session, tenant_id: str, after: int, until: int) -> int:
    query = (
        select(func.count())
        .select_from(EventLogEntry)
        .where(EventLogEntry.tenant_id == tenant_id, EventLogEntry.log_seq > after, EventLogEntry.log_seq < until)
    )
    return session.scalars(query).one()
