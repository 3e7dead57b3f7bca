"""The record of a tenant, newest first: events of the log, actions on items, and refusals, failures and changes beside them.

The three are read each by its own index and merged. A filter that few rows meet would read them all, so a page looks back
over ``REACH`` rows of each source and its cursor goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from sqlalchemy import ColumnElement, Text, or_, select, tuple_, type_coerce
from sqlalchemy.orm import Session

from lotus_web.domain.canonical import canonical_json
from lotus_web.domain.paging import Page, decode_cursor, encode_cursor, instant_part, part_instant
from lotus_web.models import AuditRecord, EventLogEntry, WorkflowAction

REACH = 5_000
EXPORT_BATCH = 500
# In place of a reason code: actions that gave none.
NO_REASON = "none"
_KINDS = (str, int, int)
Position = tuple[datetime, int, int]


class Source(IntEnum):
    """Where a line comes from; of one instant the higher reads first in a list of the newest."""

    EVENT = 0
    ACTION = 1
    RECORD = 2

    @property
    def word(self) -> str:
        """The name in filters and exports."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What to look for; None leaves a thing open. ``kind`` is an event type, an action or a category; ``about`` an item, trace or subject.

    ``reason`` is the code of an action, ``NO_REASON`` for one without; nothing but actions has any.
    """

    source: Source | None = None
    kind: str | None = None
    actor: str | None = None
    about: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    reason: str | None = None

    def asks(self, source: Source) -> bool:
        """Return whether lines of a source can be meant at all."""
        return self.source in (None, source) and (self.reason is None or source is Source.ACTION)


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line of the record; ``hash`` is the entry's place in the chain, ``posted_by`` who fed it: for events only."""

    source: Source
    seq: int
    at: datetime
    kind: str
    actor_id: str
    on_behalf_of: str | None
    about: str
    trace_id: str | None
    text: str
    surface: str | None
    line_id: str
    hash: str | None
    details: Mapping[str, Any]
    posted_by: str | None = None
    posted_with: str | None = None


@dataclass(frozen=True, slots=True)
class _Table:
    """How one source is read: its columns in the roles that filters and order need."""

    source: Source
    model: Any
    at: Any
    seq: Any
    kind: Any
    actor: Callable[[str], ColumnElement[bool]]
    about: Callable[[str], ColumnElement[bool]]
    line: Callable[[Any], AuditLine]


def _event_actor(name: str) -> ColumnElement[bool]:
    # The column holds canonical JSON text, in which an account stands in one way only.
    wanted = f'"actor_id":{canonical_json(name)}'
    named = type_coerce(EventLogEntry.actor, Text).contains(wanted, autoescape=True)
    return or_(named, EventLogEntry.posted_by == name)


def _event_line(row: EventLogEntry) -> AuditLine:
    payload = row.payload
    text = payload.get("reason") or payload.get("title") or payload.get("decision") or ""
    return AuditLine(
        source=Source.EVENT,
        seq=row.log_seq,
        at=row.recorded_at,
        kind=row.event_type,
        actor_id=str(row.actor.get("actor_id", "")),
        on_behalf_of=None,
        about=row.trace_id,
        trace_id=row.trace_id,
        text=str(text),
        surface=row.producer_id,
        line_id=row.event_id,
        hash=row.entry_hash,
        details=payload,
        posted_by=row.posted_by,
        posted_with=row.posted_with,
    )


def _action_line(row: WorkflowAction) -> AuditLine:
    return AuditLine(
        source=Source.ACTION,
        seq=row.action_seq,
        at=row.occurred_at,
        kind=row.action_type,
        actor_id=row.actor_id,
        on_behalf_of=row.on_behalf_of,
        about=row.workflow_id,
        trace_id=row.trace_id,
        text=row.text or "",
        surface=row.surface,
        line_id=row.action_id,
        hash=None,
        details={
            "from_status": row.from_status,
            "to_status": row.to_status,
            "reason_code": row.reason_code,
            "assigned_account_id": row.assigned_account_id,
            "assigned_role": row.assigned_role,
            "source_event_id": row.source_event_id,
        },
    )


def _record_line(row: AuditRecord) -> AuditLine:
    return AuditLine(
        source=Source.RECORD,
        seq=row.audit_seq,
        at=row.occurred_at,
        kind=row.category,
        actor_id=row.actor_id,
        on_behalf_of=row.on_behalf_of,
        about=row.subject,
        trace_id=None,
        text=row.message,
        surface=row.surface,
        line_id=row.record_id,
        hash=None,
        details={"action": row.action, "code": row.code, "request_id": row.request_id, **row.details},
    )


_TABLES = (
    _Table(
        Source.EVENT,
        EventLogEntry,
        EventLogEntry.recorded_at,
        EventLogEntry.log_seq,
        EventLogEntry.event_type,
        _event_actor,
        lambda text: EventLogEntry.trace_id == text,
        _event_line,
    ),
    _Table(
        Source.ACTION,
        WorkflowAction,
        WorkflowAction.occurred_at,
        WorkflowAction.action_seq,
        WorkflowAction.action_type,
        lambda name: or_(WorkflowAction.actor_id == name, WorkflowAction.on_behalf_of == name),
        lambda text: or_(WorkflowAction.workflow_id == text, WorkflowAction.trace_id == text),
        _action_line,
    ),
    _Table(
        Source.RECORD,
        AuditRecord,
        AuditRecord.occurred_at,
        AuditRecord.audit_seq,
        AuditRecord.category,
        lambda name: or_(AuditRecord.actor_id == name, AuditRecord.on_behalf_of == name),
        lambda text: AuditRecord.subject == text,
        _record_line,
    ),
)


def audit_page(
    session: Session, tenant_id: str, wanted: AuditFilter, *, limit: int, cursor: str | None = None
) -> Page[AuditLine]:
    """Return a page of the record; with a filter it may hold few lines and still have a next page.

    Raises InvalidInput ``INVALID_CURSOR``. Two queries a source.
    """
    before = _position(cursor) if cursor else None
    lines: list[AuditLine] = []
    horizon: Position | None = None
    for table in _TABLES:
        if not wanted.asks(table.source):
            continue
        conditions = _window(table, tenant_id, wanted, before)
        reached = _horizon(session, table, conditions)
        horizon = max((place for place in (horizon, reached) if place is not None), default=None)
        query = select(table.model).where(*conditions, *_filters(table, wanted))
        newest = query.order_by(table.at.desc(), table.seq.desc()).limit(limit + 1)
        if reached is not None:
            newest = newest.where(tuple_(table.at, table.seq) >= (reached[0], reached[2]))
        lines += [table.line(row) for row in session.scalars(newest)]
    return _merged(lines, horizon, limit)


def _merged(lines: list[AuditLine], horizon: Position | None, limit: int) -> Page[AuditLine]:
    if horizon is not None:
        lines = [line for line in lines if _place(line) >= horizon]
    lines.sort(key=_place, reverse=True)
    if len(lines) > limit:
        return Page(tuple(lines[:limit]), _cursor(_place(lines[limit - 1])))
    return Page(tuple(lines), None if horizon is None else _cursor(horizon))


def _place(line: AuditLine) -> Position:
    return line.at, int(line.source), line.seq


def _position(cursor: str) -> Position:
    at, source, seq = decode_cursor(cursor, kinds=_KINDS)
    return part_instant(at), int(source), int(seq)


def _cursor(place: Position) -> str:
    return encode_cursor((instant_part(place[0]), place[1], place[2]))


def _window(table: _Table, tenant_id: str, wanted: AuditFilter, before: Position | None) -> list[ColumnElement[bool]]:
    """Return what bounds the search before any filter: tenant, period, and what earlier pages showed."""
    conditions: list[ColumnElement[bool]] = [table.model.tenant_id == tenant_id]
    if wanted.since is not None:
        conditions.append(table.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(table.at <= wanted.until)
    if before is not None:
        at, source, seq = before
        if table.source == source:
            conditions.append(tuple_(table.at, table.seq) < (at, seq))
        else:
            conditions.append(table.at <= at if table.source < source else table.at < at)
    return conditions


def _horizon(session: Session, table: _Table, conditions: list[ColumnElement[bool]]) -> Position | None:
    query = select(table.at, table.seq).where(*conditions).order_by(table.at.desc(), table.seq.desc())
    row = session.execute(query.offset(REACH - 1).limit(1)).one_or_none()
    return None if row is None else (row[0], int(table.source), row[1])


def _filters(table: _Table, wanted: AuditFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.kind is not None:
        yield table.kind == wanted.kind
    if wanted.actor is not None:
        yield table.actor(wanted.actor)
    if wanted.about is not None:
        yield table.about(wanted.about)
    if wanted.reason is not None:
        yield WorkflowAction.reason_code == (None if wanted.reason == NO_REASON else wanted.reason)


def all_audit_lines(session: Session, tenant_id: str, wanted: AuditFilter) -> Iterator[AuditLine]:
    """Yield every matching line, newest first, a batch at a time, for the export."""
    cursor: str | None = None
    while True:
        page = audit_page(session, tenant_id, wanted, limit=EXPORT_BATCH, cursor=cursor)
        yield from page.items
        if page.next_cursor is None:
            return
        cursor = page.next_cursor
