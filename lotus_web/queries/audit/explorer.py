"""The record of a tenant, newest first: events of the log, actions on items, and refusals, failures and changes beside them.

The three are read each by its own index and merged. A filter that few rows meet would read them all, so a page looks back
over ``REACH`` rows of each source and its cursor goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.orm import Session

from lotus_web.domain.paging import Page, decode_cursor, encode_cursor, instant_part, part_instant
from lotus_web.models import WorkflowAction
from lotus_web.queries.audit.lines import TABLES, AuditLine, Source, Table

REACH = 5_000
EXPORT_BATCH = 500
# In place of a reason code: actions that gave none.
NO_REASON = "none"
_KINDS = (str, int, int)
Position = tuple[datetime, int, int]
# How far back each source is looked through; a source that is missing, to its end.
Reach = Mapping[Source, Position]


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

    @property
    def narrows(self) -> bool:
        """Whether rows of a period may be passed over, so that a page could look through all of them."""
        return any(part is not None for part in (self.kind, self.actor, self.about, self.reason))

    def asks(self, source: Source) -> bool:
        """Return whether lines of a source can be meant at all."""
        return self.source in (None, source) and (self.reason is None or source is Source.ACTION)


def audit_page(
    session: Session, tenant_id: str, wanted: AuditFilter, *, limit: int, cursor: str | None = None
) -> Page[AuditLine]:
    """Return a page of the record; with a filter it may hold few lines and still have a next page.

    Raises InvalidInput ``INVALID_CURSOR``. One query a source, and with a filter another.
    """
    search = _Search(session, tenant_id, wanted)
    before = _position(cursor) if cursor else None
    lines, onwards = search.lines(before, search.reach(before), limit)
    return Page(tuple(lines), None if onwards is None else _cursor(onwards))


@dataclass(frozen=True, slots=True)
class _Search:
    """A filter over the record of a tenant."""

    session: Session
    tenant_id: str
    wanted: AuditFilter

    def reach(self, before: Position | None) -> Reach:
        """Return how far back each source is looked through from a place; nothing for one that goes on to its end.

        Where every row is wanted, the search ends with its page by itself.
        """
        if not self.wanted.narrows:
            return {}
        found = {table.source: _horizon(self.session, table, self._window(table, before)) for table in self._tables()}
        return {source: place for source, place in found.items() if place is not None}

    def lines(self, before: Position | None, reach: Reach, limit: int) -> tuple[list[AuditLine], Position | None]:
        """Return at most ``limit`` lines before a place, newest first, and the place before which the next are."""
        found: list[AuditLine] = []
        for table in self._tables():
            query = select(table.model).where(*self._window(table, before), *_filters(table, self.wanted))
            newest = query.order_by(table.at.desc(), table.seq.desc()).limit(limit + 1)
            if table.source in reach:
                at, _, seq = reach[table.source]
                newest = newest.where(tuple_(table.at, table.seq) >= (at, seq))
            found += [table.line(row) for row in self.session.scalars(newest)]
        return _merged(found, _nearest(reach), limit)

    def _tables(self) -> Iterator[Table]:
        return (table for table in TABLES if self.wanted.asks(table.source))

    def _window(self, table: Table, before: Position | None) -> list[ColumnElement[bool]]:
        return _window(table, self.tenant_id, self.wanted, before)


def _nearest(reach: Reach) -> Position | None:
    """Return the place up to which all sources were looked through."""
    return max(reach.values(), default=None)


def _merged(lines: list[AuditLine], horizon: Position | None, limit: int) -> tuple[list[AuditLine], Position | None]:
    if horizon is not None:
        lines = [line for line in lines if _place(line) >= horizon]
    lines.sort(key=_place, reverse=True)
    if len(lines) > limit:
        return lines[:limit], _place(lines[limit - 1])
    return lines, horizon


def _place(line: AuditLine) -> Position:
    return line.at, int(line.source), line.seq


def _position(cursor: str) -> Position:
    at, source, seq = decode_cursor(cursor, kinds=_KINDS)
    return part_instant(at), int(source), int(seq)


def _cursor(place: Position) -> str:
    return encode_cursor((instant_part(place[0]), place[1], place[2]))


def _window(table: Table, tenant_id: str, wanted: AuditFilter, before: Position | None) -> list[ColumnElement[bool]]:
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


def _horizon(session: Session, table: Table, conditions: list[ColumnElement[bool]]) -> Position | None:
    query = select(table.at, table.seq).where(*conditions).order_by(table.at.desc(), table.seq.desc())
    row = session.execute(query.offset(REACH - 1).limit(1)).one_or_none()
    return None if row is None else (row[0], int(table.source), row[1])


def _filters(table: Table, wanted: AuditFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.kind is not None:
        yield table.kind == wanted.kind
    if wanted.actor is not None:
        yield table.actor(wanted.actor)
    if wanted.about is not None:
        yield table.about(wanted.about)
    if wanted.reason is not None:
        yield WorkflowAction.reason_code == (None if wanted.reason == NO_REASON else wanted.reason)


def all_audit_lines(session: Session, tenant_id: str, wanted: AuditFilter) -> Iterator[AuditLine]:
    """Yield every matching line, newest first, a batch at a time, for the export.

    Between batches no transaction is open, however slowly they are taken; a search's reach is asked for once it is used up.
    """
    search = _Search(session, tenant_id, wanted)
    before, reach = None, search.reach(None)
    while True:
        lines, onwards = search.lines(before, reach, EXPORT_BATCH)
        if onwards is not None and onwards == _nearest(reach):
            reach = search.reach(onwards)
        session.rollback()
        yield from lines
        if onwards is None:
            return
        before = onwards
