"""Entries of the log as rows: built with their place in the chain, and written in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from sqlalchemy.orm import Session

from lotus_web.domain.canonical import content_hash
from lotus_web.domain.events.envelope import EventDraft, Poster, entry_hash, envelope
from lotus_web.domain.sla.deadlines import WorkflowDefaults
from lotus_web.models import EventLogEntry
from lotus_web.store.upserts import insert_rows


def chained_entry(
    draft: EventDraft,
    *,
    trace_seq: int,
    prev_hash: str,
    defaults: WorkflowDefaults | None,
    now: datetime,
    poster: Poster | None = None,
) -> EventLogEntry:
    """Return the row of an event as the successor of the entry whose hash is ``prev_hash``; facts have no defaults."""
    document = envelope(draft, trace_seq=trace_seq)
    payload_hash = content_hash(draft.payload)
    applied = {} if defaults is None else defaults.as_dict()
    return EventLogEntry(
        **{key: value for key, value in document.items() if key != "event_type"},
        event_type=draft.event_type.value,
        producer_id=draft.source.producer_id,
        recorded_at=now,
        applied_defaults=applied,
        posted_by=poster.account if poster else None,
        posted_with=poster.token_id if poster else None,
        payload_hash=payload_hash,
        prev_hash=prev_hash,
        entry_hash=entry_hash(
            document,
            payload_hash=payload_hash,
            prev_hash=prev_hash,
            recorded_at=now,
            applied_defaults=applied,
            poster=poster,
        ),
    )


def insert_entries(session: Session, entries: Sequence[EventLogEntry]) -> None:
    """Write new entries in one statement and note the numbers that the store gave them, which must grow in this order."""
    columns = [column.key for column in EventLogEntry.__mapper__.column_attrs if column.key != "log_seq"]
    rows = [{name: getattr(entry, name) for name in columns} for entry in entries]
    given = insert_rows(session, EventLogEntry, rows, returning=(EventLogEntry.event_id, EventLogEntry.log_seq))
    numbers = {row.event_id: row.log_seq for row in given}
    for entry in entries:
        entry.log_seq = numbers[entry.event_id]
    if any(before.log_seq >= after.log_seq for before, after in pairwise(entries)):
        raise AssertionError("the store numbered the events of a command out of order")
