"""The export of one item: a document with everything stored about it and its proof (workflow.md §6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, func, or_, select, type_coerce
from sqlalchemy.orm import Session

from lotus_web.domain.canonical import HASH_PREFIX, canonical_json
from lotus_web.domain.events.envelope import OWN_PRODUCER, EventType
from lotus_web.domain.events.projection import ABOUT_ITEMS, target_workflow_id
from lotus_web.domain.items.state import ItemState
from lotus_web.models import EventLogEntry, Notification, NotificationRead, TenantRuntime, WorkflowAction
from lotus_web.models.to_domain import action_record, logged_event, poster_of, stored_envelope
from lotus_web.queries.audit.chain import entries, entry_content
from lotus_web.queries.items.lookup import stored_item
from lotus_web.queries.items.subjects import READERS
from lotus_web.store.session import see_one_moment
from lotus_web.wire.audit import EXPORT_VERSION, LINKS_MAX, audit_summary, entry_document, sealed
from lotus_web.wire.items import action_document, instant, item_document

# Entries of a trace before and after the opening of an item: one correlation id may be shared by all runs of a caller.
REACH = 1_000


def export_item(session: Session, tenant_id: str, workflow_id: str, *, now: datetime) -> dict[str, Any]:
    """Return the export document of an item, version 1, with its proof; raises NotFound.

    All of it is read as it was at one moment, so that nobody who acts meanwhile can tear it.
    """
    see_one_moment(session)
    item = stored_item(session, tenant_id, workflow_id)
    chain = events_of(session, item)
    return sealed({**item_said(session, item, chain, now), "proof": proof_of(session, tenant_id, chain)})


def item_said(session: Session, item: ItemState, chain: Sequence[EventLogEntry], now: datetime) -> dict[str, Any]:
    """Return everything stored about an item but its proof; ``chain`` are its entries as ``events_of`` gives them."""
    actions = session.scalars(
        select(WorkflowAction)
        .where(WorkflowAction.tenant_id == item.tenant_id, WorkflowAction.workflow_id == item.workflow_id)
        .order_by(WorkflowAction.action_seq)
    ).all()
    told = _notifications(session, item)
    return {
        "export_version": EXPORT_VERSION,
        "exported_at": instant(now),
        "workflow": item_document(item, now=now),
        "workflow_actions": [action_document(action_record(row)) for row in actions],
        "workflow_notifications": told,
        "trace_reference": _trace_reference(item, chain),
        "audit_summary": audit_summary(item, actions=len(actions), notifications=len(told), now=now),
    }


def proof_of(session: Session, tenant_id: str, chain: Sequence[EventLogEntry]) -> dict[str, Any]:
    """Return entries of the chain, oldest first, with what leads from each to the next and to the head."""
    head = session.scalars(
        select(TenantRuntime).where(TenantRuntime.tenant_id == tenant_id).execution_options(populate_existing=True)
    ).one()
    return {
        "method": "sha256 over canonical JSON; entry_hash = hash of {content_hash, prev_hash}",
        "entries": [_entry(row) for row in chain],
        "links": _links(session, tenant_id, [row.log_seq for row in chain], head.last_log_seq),
        "head": {
            "log_seq": head.last_log_seq,
            "entry_hash": head.head_hash,
            "entry_count": head.entry_count,
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


def events_of(session: Session, item: ItemState) -> list[EventLogEntry]:
    """Return the entries that made an item what it is: its trace's first, what the policy said of it, and those about it.

    Each is found by its key, however long the trace is; what was said of the item and changed nothing, within ``REACH``.
    """
    entry, own = EventLogEntry, EventLogEntry.tenant_id == item.tenant_id
    opened = session.scalars(select(entry).where(own, entry.event_id == item.created_from_event_id)).one()
    of_trace = and_(own, entry.trace_id == item.trace_id)
    near = and_(of_trace, entry.trace_seq.between(opened.trace_seq - REACH, opened.trace_seq + REACH))
    found = [
        opened,
        *session.scalars(select(entry).where(of_trace, entry.trace_seq == 0)),
        *session.scalars(_decisive(item)),
        *session.scalars(_evaluations(item, near)),
        *(
            row
            for row in session.scalars(_naming(item, near))
            if target_workflow_id(logged_event(row)) == item.workflow_id
        ),
    ]
    return sorted({row.log_seq: row for row in found}.values(), key=lambda row: row.log_seq)


def _decisive(item: ItemState) -> Select[EventLogEntry]:
    """The events that recorded actions on the item."""
    stands_for = (WorkflowAction.tenant_id == EventLogEntry.tenant_id) & (
        WorkflowAction.source_event_id == EventLogEntry.event_id
    )
    of_item = (WorkflowAction.tenant_id == item.tenant_id, WorkflowAction.workflow_id == item.workflow_id)
    return select(EventLogEntry).join(WorkflowAction, stands_for).where(*of_item)


def _evaluations(item: ItemState, near: ColumnElement[bool]) -> Select[EventLogEntry]:
    """What the policy said of the subject of the item, else what other systems said around it."""
    own = READERS[item.subject].evaluation(item)
    if own is not None:
        return own
    of_others = (
        EventLogEntry.event_type == EventType.POLICY_EVALUATED.value,
        EventLogEntry.producer_id != OWN_PRODUCER,
    )
    return select(EventLogEntry).where(near, *of_others)


def _naming(item: ItemState, near: ColumnElement[bool]) -> Select[EventLogEntry]:
    """Events that may be about the item. The column holds canonical JSON text, in which an id is written in one way only."""
    said = type_coerce(EventLogEntry.payload, Text)
    named = [said.contains(canonical_json(one), autoescape=True) for one in (item.subject_id, item.workflow_id)]
    return select(EventLogEntry).where(near, EventLogEntry.event_type.in_(ABOUT_ITEMS), or_(*named))


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
    """Return the way from each entry at these places to the next and from the last to the head, ``LINKS_MAX`` in all."""
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
