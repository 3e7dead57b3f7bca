"""The workflow list of the JSON surface: whole items, open or all, in the inbox's order (workflow.md §6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, case, func, select, tuple_
from sqlalchemy.orm import Session

from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.transitions import OPEN, Priority
from lotus_web.domain.paging import Page, Position, encode_cursor, instant_part, part_instant
from lotus_web.models import WorkflowItem
from lotus_web.models.to_domain import item_state
from lotus_web.queries.inbox.filter import InboxFilter, filter_conditions
from lotus_web.queries.items.open import OVERDUE, REST, all_open, decode_place, not_late

Place = tuple[int, datetime, str]
_ORDER = (WorkflowItem.priority_rank, WorkflowItem.requested_at, WorkflowItem.workflow_id)
# A filter that few closed items meet would read them all; a page looks this far and its cursor goes on from there.
REACH = 5_000


@dataclass(frozen=True, slots=True)
class WorkflowFilter:
    """What to list; closed items are left out unless ``only_open`` is False."""

    narrowed: InboxFilter = field(default_factory=InboxFilter)
    trace_id: str | None = None
    only_open: bool = True
    only_overdue: bool = False

    def conditions(self, *, as_of: datetime, soon_minutes: int) -> list[ColumnElement[bool]]:
        """Return what an item must meet, beside being open."""
        found = filter_conditions(self.narrowed, as_of=as_of, soon_minutes=soon_minutes)
        return found if self.trace_id is None else [*found, WorkflowItem.trace_id == self.trace_id]

    @property
    def needs_reach(self) -> bool:
        """Whether the search must be bounded: a portfolio and a trace have indexes of their own and few items."""
        return not self.only_open and self.narrowed.narrowed and not (self.narrowed.portfolio or self.trace_id)


@dataclass(frozen=True, slots=True)
class WorkflowSummary:
    """The open items under a filter, counted."""

    open: int
    overdue: int
    due_soon: int
    unassigned: int
    by_status: Mapping[str, int]
    by_priority: Mapping[str, int]


def workflow_page(
    session: Session,
    tenant_id: str,
    wanted: WorkflowFilter,
    *,
    now: datetime,
    soon_minutes: int,
    limit: int,
    cursor: str | None = None,
) -> Page[ItemState]:
    """Return a page: overdue first, then priority, time of request and id; at most four queries.

    What counts as overdue is settled on the first page and carried by the cursor. Over closed items with a filter a page
    may hold few items and still have a next one. Raises InvalidInput ``INVALID_CURSOR``.
    """
    after = decode_place(cursor) if cursor else None
    as_of = part_instant(after[1]) if after else now
    part = after[0] if after else OVERDUE
    late: ColumnElement[bool] = and_(WorkflowItem.resolved_at.is_(None), WorkflowItem.sla_due_at < as_of)
    base = select(WorkflowItem).where(
        WorkflowItem.tenant_id == tenant_id, *wanted.conditions(as_of=as_of, soon_minutes=soon_minutes)
    )
    rows: list[WorkflowItem] = []
    if part == OVERDUE:
        rows = _part(session, base.where(late), after, limit + 1)
    late_count = len(rows)
    horizon = None
    if len(rows) <= limit and not wanted.only_overdue:
        start = after if part == REST else None
        horizon = _horizon(session, tenant_id, start) if wanted.needs_reach else None
        rows += _rest(session, base, wanted, as_of, start, horizon, limit + 1 - len(rows))
    return _page(rows, late_count, limit, as_of, horizon)


def _rest(
    session: Session,
    base: Select[WorkflowItem],
    wanted: WorkflowFilter,
    as_of: datetime,
    start: Position | None,
    horizon: Place | None,
    limit: int,
) -> list[WorkflowItem]:
    """Return what is not late: open and, where asked for, decided items, each read by its own index and merged."""
    if horizon is not None:
        base = base.where(tuple_(*_ORDER) <= horizon)
    rows = _part(session, base.where(WorkflowItem.resolved_at.is_(None), *not_late(as_of)), start, limit)
    if not wanted.only_open:
        rows += _part(session, base.where(WorkflowItem.resolved_at.is_not(None)), start, limit)
        rows.sort(key=lambda row: (row.priority_rank, row.requested_at, row.workflow_id))
    return rows[:limit]


def _part(session: Session, query: Select[WorkflowItem], after: Position | None, limit: int) -> list[WorkflowItem]:
    if after is not None:
        query = query.where(tuple_(*_ORDER) > (after[2], part_instant(after[3]), after[4]))
    return list(session.scalars(query.order_by(*_ORDER).limit(limit)))


def _horizon(session: Session, tenant_id: str, after: Position | None) -> Place | None:
    query = select(*_ORDER).where(WorkflowItem.tenant_id == tenant_id, WorkflowItem.resolved_at.is_not(None))
    if after is not None:
        query = query.where(tuple_(*_ORDER) > (after[2], part_instant(after[3]), after[4]))
    row = session.execute(query.order_by(*_ORDER).offset(REACH - 1).limit(1)).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


def _page(
    rows: list[WorkflowItem], late_count: int, limit: int, as_of: datetime, horizon: Place | None
) -> Page[ItemState]:
    items = tuple(item_state(row) for row in rows[:limit])
    if len(rows) > limit:
        last = rows[limit - 1]
        part = OVERDUE if late_count >= limit else REST
        return Page(items, _cursor(part, as_of, last.priority_rank, last.requested_at, last.workflow_id))
    return Page(items, None if horizon is None else _cursor(REST, as_of, *horizon))


def _cursor(part: int, as_of: datetime, rank: int, requested_at: datetime, workflow_id: str) -> str:
    return encode_cursor((part, instant_part(as_of), rank, instant_part(requested_at), workflow_id))


def workflow_summary(
    session: Session, tenant_id: str, wanted: WorkflowFilter, *, now: datetime, soon_minutes: int
) -> WorkflowSummary:
    """Count the open items under a filter in one pass over their index."""
    soon = WorkflowItem.sla_due_at.between(now, now + timedelta(minutes=soon_minutes))
    overdue = WorkflowItem.sla_due_at < now
    conditions = wanted.conditions(as_of=now, soon_minutes=soon_minutes)
    if wanted.only_overdue:
        conditions.append(overdue)
    query = (
        select(
            WorkflowItem.status,
            WorkflowItem.priority_rank,
            func.count(),
            func.sum(case((overdue, 1), else_=0)),
            func.sum(case((soon, 1), else_=0)),
            func.sum(case((WorkflowItem.assigned_account_id.is_(None), 1), else_=0)),
        )
        .where(*all_open(tenant_id), *conditions)
        .group_by(WorkflowItem.status, WorkflowItem.priority_rank)
    )
    by_status = {status.value: 0 for status in sorted(OPEN)}
    by_priority = {priority.word: 0 for priority in Priority}
    totals = [0, 0, 0, 0]
    for status, rank, *counts in session.execute(query):
        by_status[status] += counts[0]
        by_priority[Priority(rank).word] += counts[0]
        totals = [total + int(count) for total, count in zip(totals, counts, strict=True)]
    total, late, near, unowned = totals
    return WorkflowSummary(total, late, near, unowned, by_status, by_priority)
