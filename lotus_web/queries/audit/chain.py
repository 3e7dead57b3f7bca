"""Verifying the store: the hash chain of a tenant, and that decisions, actions and events say the same (workflow.md §1)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, Text, func, or_, select, type_coerce
from sqlalchemy.orm import Session

from lotus_web.domain.canonical import canonical_json, text_hash
from lotus_web.domain.events.envelope import GENESIS, entry_content_hash, link_hash
from lotus_web.domain.events.facts import NO_TRACE
from lotus_web.models import EventLogEntry, TenantRuntime
from lotus_web.models.to_domain import poster_of

BATCH = 2_000

# JSON columns as their stored text: what is hashed is the text, so a million payloads need no parsing.
_TEXTS = ("source", "actor", "tags", "applied_defaults", "payload")
_PLAIN = (
    "log_seq",
    "event_id",
    "tenant_id",
    "trace_id",
    "trace_seq",
    "event_type",
    "occurred_at",
    "recorded_at",
    "producer_id",
    "idempotency_key",
    "correlation_id",
    "causation_event_id",
    "schema_version",
    "posted_by",
    "posted_with",
    "payload_hash",
    "prev_hash",
    "entry_hash",
)
_COLUMNS = (
    *(getattr(EventLogEntry, name) for name in _PLAIN),
    *(type_coerce(getattr(EventLogEntry, name), Text).label(name) for name in _TEXTS),
)
_ENVELOPE = (
    "event_id",
    "tenant_id",
    "trace_id",
    "trace_seq",
    "event_type",
    "occurred_at",
    "idempotency_key",
    "correlation_id",
    "causation_event_id",
    "schema_version",
)


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What the verification of one tenant's chain found; ``first_bad`` is the ``log_seq`` where it breaks first."""

    tenant_id: str
    intact: bool
    entries: int
    head_hash: str
    first_bad: int | None = None
    why: str | None = None


class Unreadable(Exception):
    """The entry after this ``log_seq`` holds a value that is of no stored kind."""

    def __init__(self, after: int):
        self.after = after
        super().__init__(after)


def chained_tenants(session: Session) -> tuple[str, ...]:
    """Return every tenant that has a chain, whether by its entries or by its runtime row."""
    logged = session.scalars(select(EventLogEntry.tenant_id).distinct())
    return tuple(sorted({*session.scalars(select(TenantRuntime.tenant_id)), *logged}))


def verify_chain(session: Session, tenant_id: str) -> ChainReport:
    """Verify every entry of a tenant against its hashes and its predecessor, and the end against the stored head.

    Reads in batches, so memory does not grow with the log. Entries appended meanwhile are verified too.
    """
    walk = _Walk()
    while True:
        try:
            for row in entries(session, tenant_id, after=walk.log_seq):
                why = walk.step(row)
                if why is not None:
                    return ChainReport(tenant_id, False, walk.count, walk.head, row.log_seq, f"{row.event_id}: {why}")
        except Unreadable as stop:
            why = f"the entry after {stop.after} cannot be read"
            return ChainReport(tenant_id, False, walk.count, walk.head, _next(session, tenant_id, stop.after), why)
        runtime = _runtime(session, tenant_id)
        if runtime is None or _next(session, tenant_id, walk.log_seq) is None:
            break
    why = walk.end(runtime)
    if why is not None:
        return ChainReport(tenant_id, False, walk.count, walk.head, walk.log_seq or None, why)
    gap = _trace_gap(session, tenant_id)
    if gap is not None:
        return ChainReport(tenant_id, False, walk.count, walk.head, gap.log_seq, _gap_sentence(gap))
    return ChainReport(tenant_id, True, walk.count, walk.head)


class _Walk:
    """How far the verification of the chain has come."""

    def __init__(self) -> None:
        self.head, self.log_seq, self.count = GENESIS, 0, 0

    def step(self, row: Row[Any]) -> str | None:
        """Take one entry; return what is wrong with it, in words."""
        why = _wrong(row) or (None if row.prev_hash == self.head else _misplaced(self.log_seq))
        if why is None and row.trace_id == NO_TRACE and row.trace_seq != self.count + 1:
            why = f"it says that it is entry number {row.trace_seq} of the log and is number {self.count + 1}"
        if why is None:
            self.head, self.log_seq, self.count = row.entry_hash, row.log_seq, self.count + 1
        return why

    def end(self, runtime: Row[str, int, int] | None) -> str | None:
        """Compare the end of the log with what the runtime row says of it."""
        if runtime is None:
            return "the tenant's runtime row is missing" if self.count else None
        if (runtime.head_hash, runtime.last_log_seq, runtime.entry_count) == (self.head, self.log_seq, self.count):
            return None
        return (
            f"the log ends with entry {self.log_seq} after {self.count} entries, the runtime row names entry"
            f" {runtime.last_log_seq} and {runtime.entry_count}: the newest entries are missing, added or exchanged"
        )


def _misplaced(before: int) -> str:
    return f"does not follow entry {before}: an entry between them is missing, added or moved"


def _wrong(row: Row[Any]) -> str | None:
    """Return what does not fit within one entry."""
    try:
        if text_hash(row.payload) != row.payload_hash:
            return "the payload is not what was hashed"
        if _producer(row.source) != row.producer_id:
            return "the producer is not the one of its source"
        fits = link_hash(entry_content(row), row.prev_hash) == row.entry_hash
    except (ValueError, TypeError, AttributeError):
        return "it is not written as events are"
    return None if fits else "the envelope is not what was hashed"


@lru_cache(maxsize=64)
def _producer(source: str) -> Any:
    """Return the producer that a source names; few sources write all entries."""
    return json.loads(source).get("producer_id")


def entry_content(row: Row[Any]) -> str:
    """Return the content hash of an entry as ``entries`` gives it."""
    texts = {name: getattr(row, name) for name in ("source", "actor", "tags")}
    return entry_content_hash(
        {**{name: canonical_json(getattr(row, name)) for name in _ENVELOPE}, **texts},
        payload_hash=row.payload_hash,
        recorded_at=canonical_json(row.recorded_at),
        applied_defaults=row.applied_defaults,
        poster=poster_of(row.posted_by, row.posted_with),
    )


def entries(session: Session, tenant_id: str, *, after: int, until: int | None = None) -> Iterator[Row[Any]]:
    """Yield a tenant's entries in the order of the log, a batch in memory at a time; raises Unreadable."""
    query = select(*_COLUMNS).where(EventLogEntry.tenant_id == tenant_id).order_by(EventLogEntry.log_seq)
    if until is not None:
        query = query.where(EventLogEntry.log_seq < until)
    size = BATCH
    while True:
        try:
            rows = session.execute(query.where(EventLogEntry.log_seq > after).limit(size)).all()
        except (ValueError, TypeError) as problem:
            if size == 1:
                raise Unreadable(after) from problem
            size = 1
            continue
        if not rows:
            return
        yield from rows
        after = rows[-1].log_seq


def _runtime(session: Session, tenant_id: str) -> Row[str, int, int] | None:
    return session.execute(
        select(TenantRuntime.head_hash, TenantRuntime.last_log_seq, TenantRuntime.entry_count).where(
            TenantRuntime.tenant_id == tenant_id
        )
    ).one_or_none()


def _next(session: Session, tenant_id: str, after: int) -> int | None:
    query = select(EventLogEntry.log_seq).where(EventLogEntry.tenant_id == tenant_id, EventLogEntry.log_seq > after)
    return session.scalar(query.order_by(EventLogEntry.log_seq).limit(1))


def _trace_gap(session: Session, tenant_id: str) -> Row[Any] | None:
    """Return the first entry that is not the next of its trace; the database walks the traces, in index order."""
    trace, seq = EventLogEntry.trace_id, EventLogEntry.trace_seq
    placed = (
        select(
            EventLogEntry.log_seq,
            EventLogEntry.event_id,
            EventLogEntry.trace_id,
            EventLogEntry.trace_seq,
            func.lag(seq).over(partition_by=trace, order_by=seq).label("seq_before"),
            func.lag(EventLogEntry.log_seq).over(partition_by=trace, order_by=seq).label("log_before"),
        )
        .where(EventLogEntry.tenant_id == tenant_id, EventLogEntry.trace_id != NO_TRACE)
        .subquery()
    )
    gap = placed.c.trace_seq != func.coalesce(placed.c.seq_before, -1) + 1
    query = select(placed).where(or_(gap, placed.c.log_seq < placed.c.log_before)).order_by(placed.c.log_seq)
    return session.execute(query.limit(1)).one_or_none()


def _gap_sentence(gap: Row[Any]) -> str:
    return f"{gap.event_id}: number {gap.trace_seq} of trace {gap.trace_id} is out of its place"
