"""The inbox: one page of items in the order in which they are worked (workflow.md §6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor
from lotus_web.domain.decisions.reason_codes import REASON_CODES, Catalogue
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.transitions import ItemFacts, ItemStatus, Priority, WorkflowKind
from lotus_web.domain.paging import Page, Position, decode_cursor, encode_cursor, instant_part, part_instant
from lotus_web.models import WorkflowItem
from lotus_web.queries.decisions.outcomes import ToldDecision, latest_decisions
from lotus_web.queries.inbox.filter import InboxFilter, Tab, decided_conditions, filter_conditions, tab_condition
from lotus_web.queries.items.holders import HOLDER_DISABLED
from lotus_web.queries.items.open import OVERDUE, REST, decode_place, not_late

_CLOSED_KINDS = (str, str)
# A filter that few closed items meet would read them all; a page looks this far back and its cursor goes on from there.
CLOSED_REACH = 5_000

COLUMNS = (
    WorkflowItem.workflow_id,
    WorkflowItem.workflow_kind,
    WorkflowItem.rebalance_run_id,
    WorkflowItem.portfolio_id,
    WorkflowItem.title,
    WorkflowItem.request_reason,
    WorkflowItem.status,
    WorkflowItem.priority_rank,
    WorkflowItem.assigned_account_id,
    WorkflowItem.assigned_role,
    WorkflowItem.claimed_at,
    WorkflowItem.requested_at,
    WorkflowItem.sla_due_at,
    WorkflowItem.resolved_at,
    WorkflowItem.current_decision,
    WorkflowItem.current_reason,
    WorkflowItem.version,
    HOLDER_DISABLED,
)


@dataclass(frozen=True, slots=True)
class InboxRow:
    """What a row of the inbox shows, and the version that a click on it speaks of."""

    workflow_id: str
    workflow_kind: str
    rebalance_run_id: str | None
    portfolio_id: str | None
    title: str
    request_reason: str
    status: str
    priority_rank: int
    assigned_account_id: str | None
    assigned_role: str | None
    claimed_at: datetime | None
    requested_at: datetime
    sla_due_at: datetime
    resolved_at: datetime | None
    current_decision: str | None
    current_reason: str | None
    version: int
    holder_disabled: bool
    # Of a decided row (rows_told).
    decided_by: str | None = None

    @property
    def priority(self) -> str:
        """The priority's wire name."""
        return Priority(self.priority_rank).word

    @property
    def facts(self) -> ItemFacts:
        """What the transition rules need."""
        return ItemFacts(
            workflow_id=self.workflow_id,
            status=ItemStatus(self.status),
            workflow_kind=WorkflowKind(self.workflow_kind),
            is_run=self.rebalance_run_id is not None,
            assigned_account_id=self.assigned_account_id,
            claimed=self.claimed_at is not None,
        )


def open_items(
    session: Session,
    wanted: InboxFilter,
    tab: Tab,
    *,
    actor: Actor,
    now: datetime,
    soon_minutes: int,
    limit: int,
    cursor: str | None = None,
) -> Page[InboxRow]:
    """Return a page of open items: overdue first, then priority, time of request and id; at most two queries.

    What counts as overdue is settled on the first page and carried by the cursor, so that no row moves between pages
    unseen. Raises InvalidInput ``INVALID_CURSOR``.
    """
    after = decode_place(cursor) if cursor else None
    as_of = part_instant(after[1]) if after else now
    part = after[0] if after else OVERDUE
    base = _open(wanted, tab, actor, as_of, soon_minutes)
    rows: list[InboxRow] = []
    late = 0
    if part == OVERDUE:
        rows = _part(session, base.where(WorkflowItem.sla_due_at < as_of), after, limit + 1)
        late = len(rows)
    if len(rows) <= limit:
        start = after if part == REST else None
        rows += _part(session, base.where(*not_late(as_of)), start, limit + 1 - len(rows))
    return _open_page(rows, late, limit, as_of)


def open_before(
    session: Session, wanted: InboxFilter, tab: Tab, *, actor: Actor, soon_minutes: int, cursor: str
) -> InboxRow | None:
    """Return what stands before the row that a cursor follows, in the order of its instant; at most two queries.

    Raises InvalidInput ``INVALID_CURSOR``.
    """
    part, instant, rank, requested_at, workflow_id = decode_place(cursor)
    as_of, place = part_instant(instant), (rank, part_instant(requested_at), workflow_id)
    order = (WorkflowItem.priority_rank, WorkflowItem.requested_at, WorkflowItem.workflow_id)
    late = _open(wanted, tab, actor, as_of, soon_minutes).where(WorkflowItem.sla_due_at < as_of)
    rest = _open(wanted, tab, actor, as_of, soon_minutes).where(WorkflowItem.sla_due_at >= as_of)
    parts = [rest.where(tuple_(*order) < place), late] if part == REST else [late.where(tuple_(*order) < place)]
    for query in parts:
        row = session.execute(query.order_by(*(column.desc() for column in order)).limit(1)).one_or_none()
        if row is not None:
            return InboxRow(**row._mapping)
    return None


def _open(
    wanted: InboxFilter, tab: Tab, actor: Actor, as_of: datetime, soon_minutes: int
) -> Select[*tuple[object, ...]]:
    conditions = [tab_condition(tab, actor), *filter_conditions(wanted, as_of=as_of, soon_minutes=soon_minutes)]
    return select(*COLUMNS).where(
        WorkflowItem.tenant_id == actor.tenant_id, WorkflowItem.resolved_at.is_(None), *conditions
    )


def _part(session: Session, query: Select[*tuple[object, ...]], after: Position | None, limit: int) -> list[InboxRow]:
    order = (WorkflowItem.priority_rank, WorkflowItem.requested_at, WorkflowItem.workflow_id)
    if after is not None:
        query = query.where(tuple_(*order) > (after[2], part_instant(after[3]), after[4]))
    return [InboxRow(**row._mapping) for row in session.execute(query.order_by(*order).limit(limit))]


def _open_page(rows: list[InboxRow], late: int, limit: int, as_of: datetime) -> Page[InboxRow]:
    if len(rows) <= limit:
        return Page(tuple(rows), None)
    last = rows[limit - 1]
    part = OVERDUE if late >= limit else REST
    position = (part, instant_part(as_of), last.priority_rank, instant_part(last.requested_at), last.workflow_id)
    return Page(tuple(rows[:limit]), encode_cursor(position))


def cursor_after(row: InboxRow, as_of: datetime) -> str:
    """Return the cursor of a page of open items that begins after this one, as a page of that instant would give it out."""
    return _place(row, row.priority_rank, as_of)


def cursor_of(item: ItemState, as_of: datetime) -> str:
    """Return the same for the row that an item is, or was while it was open."""
    return _place(item, int(item.priority), as_of)


def _place(row: InboxRow | ItemState, rank: int, as_of: datetime) -> str:
    part = OVERDUE if row.sla_due_at < as_of else REST
    return encode_cursor((part, instant_part(as_of), rank, instant_part(row.requested_at), row.workflow_id))


def cursor_instant(cursor: str) -> datetime:
    """Return the instant as of which a cursor of open items orders them; raises InvalidInput ``INVALID_CURSOR``."""
    return part_instant(decode_place(cursor)[1])


def closed_items(
    session: Session,
    wanted: InboxFilter,
    *,
    actor: Actor,
    now: datetime,
    soon_minutes: int,
    limit: int,
    cursor: str | None = None,
    codes: Catalogue = REASON_CODES,
) -> Page[InboxRow]:
    """Return a page of decided items, newest first; with filters it may hold few rows and still have a next page.

    Raises InvalidInput ``INVALID_CURSOR``.
    """
    order = tuple_(WorkflowItem.resolved_at, WorkflowItem.workflow_id)
    closed: list[ColumnElement[bool]] = [
        WorkflowItem.tenant_id == actor.tenant_id,
        WorkflowItem.resolved_at.is_not(None),
        *decided_conditions(wanted),
    ]
    if cursor:
        resolved_at, workflow_id = decode_cursor(cursor, kinds=_CLOSED_KINDS)
        closed.append(order < (part_instant(resolved_at), workflow_id))
    # A portfolio has an index of its own and few items, so nothing bounds the search through those.
    bounded = wanted.narrowed and not wanted.portfolio
    horizon = _closed_horizon(session, closed) if bounded else None
    if horizon is not None:
        closed.append(order >= horizon)
    conditions = filter_conditions(wanted, as_of=now, soon_minutes=soon_minutes)
    newest = (WorkflowItem.resolved_at.desc(), WorkflowItem.workflow_id.desc())
    query = select(*COLUMNS).where(*closed, *conditions).order_by(*newest).limit(limit + 1)
    rows = [InboxRow(**row._mapping) for row in session.execute(query)]
    return _closed_page(rows_with_reasons(session, actor.tenant_id, rows, codes), limit, horizon)


def rows_with_reasons(session: Session, tenant_id: str, rows: Sequence[InboxRow], codes: Catalogue) -> list[InboxRow]:
    """Return rows with who decided them and why, in ``decided_by`` and ``current_reason``; at most one query."""
    told = latest_decisions(session, tenant_id, (row.workflow_id for row in rows if row.current_decision), codes)
    return [_row_told(row, told[row.workflow_id]) if row.workflow_id in told else row for row in rows]


def _row_told(row: InboxRow, decision: ToldDecision) -> InboxRow:
    by = decision.decided_by if row.resolved_at is not None else None
    return replace(row, decided_by=by, current_reason=row.current_reason or decision.reason)


def _closed_horizon(session: Session, closed: list[ColumnElement[bool]]) -> tuple[datetime, str] | None:
    query = (
        select(WorkflowItem.resolved_at, WorkflowItem.workflow_id)
        .where(*closed)
        .order_by(WorkflowItem.resolved_at.desc(), WorkflowItem.workflow_id.desc())
        .offset(CLOSED_REACH - 1)
        .limit(1)
    )
    row = session.execute(query).one_or_none()
    return None if row is None or row[0] is None else (row[0], row[1])


def _closed_page(rows: list[InboxRow], limit: int, horizon: tuple[datetime, str] | None) -> Page[InboxRow]:
    if len(rows) > limit:
        last = rows[limit - 1]
        assert last.resolved_at is not None
        return Page(tuple(rows[:limit]), encode_cursor((instant_part(last.resolved_at), last.workflow_id)))
    if horizon is not None:
        return Page(tuple(rows), encode_cursor((instant_part(horizon[0]), horizon[1])))
    return Page(tuple(rows), None)
