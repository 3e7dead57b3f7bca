"""The audit log of a tenant, newest first: events of the event log, actions on items, and refusals, failures and changes.

The three sources are read each by its own index and merged. A filter that few rows meet would read them all, so a page looks
back over ``REACH`` rows of each source and its cursor goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from lotus_web.domain.paging import Page
from lotus_web.models import WorkflowAction
from lotus_web.queries import keyset
from lotus_web.queries.audit.lines import TABLES, AuditLine, Source, Table

REACH = 5_000
EXPORT_BATCH = 500
# In place of a reason code: actions without one.
NO_REASON = "none"
# A place: the instant, the source (the higher first) and the number within the source.
_KINDS = (datetime, int, int)
# How far back each source is searched; a source that is missing is searched to its end.
Reach = Mapping[Source, keyset.Place]


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What to look for; a field that is None filters nothing.

    ``kind`` is an event type, an action or a category, ``about`` an item, a trace or a subject. ``reason`` is the code of an
    action, ``NO_REASON`` for one without; only actions have any.
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
        """Whether rows of the period may be left out, so that one page could search through all of them."""
        return any(part is not None for part in (self.kind, self.actor, self.about, self.reason))

    def includes(self, source: Source) -> bool:
        """Return whether lines of a source can match at all."""
        return self.source in (None, source) and (self.reason is None or source is Source.ACTION)


def audit_page(
    session: Session, tenant_id: str, filters: AuditFilter, *, limit: int, cursor: str | None = None
) -> Page[AuditLine]:
    """Return a page of the audit log; with a filter it may hold few lines and still have a next page.

    Raises InvalidInput ``INVALID_CURSOR``. One query a source, and with a filter another.
    """
    search = _Search(session, tenant_id, filters)
    before = keyset.decode_cursor(cursor, _KINDS) if cursor else None
    return search.page(before, search.reach(before), limit)


@dataclass(frozen=True, slots=True)
class _Search:
    """A filter over the audit log of a tenant."""

    session: Session
    tenant_id: str
    filters: AuditFilter

    def reach(self, before: keyset.Place | None) -> Reach:
        """Return how far back each source is searched from a place; nothing for one that is searched to its end.

        Where every row matches, the search ends with its page by itself.
        """
        if not self.filters.narrows:
            return {}
        found = {table.source: _horizon(self.session, table, self._window(table, before)) for table in self._tables()}
        return {source: place for source, place in found.items() if place is not None}

    def page(self, before: keyset.Place | None, reach: Reach, limit: int) -> Page[AuditLine]:
        """Return the page of lines before a place, newest first."""
        found: list[AuditLine] = []
        for table in self._tables():
            order = _newest(table)
            query = select(table.model).where(*self._window(table, before), *_filters(table, self.filters))
            if table.source in reach:
                at, _, seq = reach[table.source]
                query = query.where(order.up_to((at, seq)))
            found += [table.line(row[0]) for row in keyset.head(self.session, query, order, limit=limit)]
        return keyset.merge(found, place=_place, limit=limit, descending=True, horizon=_nearest(reach))

    def _tables(self) -> Iterator[Table]:
        return (table for table in TABLES if self.filters.includes(table.source))

    def _window(self, table: Table, before: keyset.Place | None) -> list[ColumnElement[bool]]:
        return _window(table, self.tenant_id, self.filters, before)


def _newest(table: Table) -> keyset.Order:
    return keyset.Order(table.at, table.seq, descending=True)


def _nearest(reach: Reach) -> keyset.Place | None:
    """Return the place up to which all sources were searched."""
    return max(reach.values(), default=None)


def _place(line: AuditLine) -> keyset.Place:
    return line.at, int(line.source), line.seq


def _window(
    table: Table, tenant_id: str, filters: AuditFilter, before: keyset.Place | None
) -> list[ColumnElement[bool]]:
    """Return what bounds the search before any filter: the tenant, the period and the place where this page begins."""
    conditions: list[ColumnElement[bool]] = [table.model.tenant_id == tenant_id, *table.only]
    if filters.since is not None:
        conditions.append(table.at >= filters.since)
    if filters.until is not None:
        conditions.append(table.at <= filters.until)
    if before is not None:
        at, source, seq = before
        if table.source == source:
            conditions.append(_newest(table).after((at, seq)))
        else:
            conditions.append(table.at <= at if table.source < source else table.at < at)
    return conditions


def _horizon(session: Session, table: Table, conditions: list[ColumnElement[bool]]) -> keyset.Place | None:
    query = select(table.at, table.seq).where(*conditions)
    found = keyset.horizon(session, query, _newest(table), reach=REACH)
    return None if found is None else (found[0], int(table.source), found[1])


def _filters(table: Table, filters: AuditFilter) -> Iterator[ColumnElement[bool]]:
    if filters.kind is not None:
        yield table.kind == filters.kind
    if filters.actor is not None:
        yield table.actor(filters.actor)
    if filters.about is not None:
        yield table.about(filters.about)
    if filters.reason is not None:
        yield WorkflowAction.reason_code == (None if filters.reason == NO_REASON else filters.reason)


def all_audit_lines(session: Session, tenant_id: str, filters: AuditFilter) -> Iterator[AuditLine]:
    """Yield every matching line, newest first, a batch at a time, for the export.

    Between batches no transaction is open, however slowly they are taken; how far a search reaches is looked up again once
    that place is passed.
    """
    search = _Search(session, tenant_id, filters)
    reach = search.reach(None)

    def batch(cursor: str | None) -> Page[AuditLine]:
        nonlocal reach
        before = keyset.decode_cursor(cursor, _KINDS) if cursor else None
        if before is not None and before == _nearest(reach):
            reach = search.reach(before)
        return search.page(before, reach, EXPORT_BATCH)

    yield from keyset.all_rows(session, batch)
