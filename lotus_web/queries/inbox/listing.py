"""Lists of items: the inbox's tabs for pages, and the whole list for the JSON surface (workflow.md §6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor
from lotus_web.domain.decisions.reason_codes import REASON_CODES, Catalogue
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.subjects import subject_of
from lotus_web.domain.items.transitions import ItemFacts
from lotus_web.domain.items.values import ItemStatus, Priority, WorkflowKind
from lotus_web.domain.paging import Page
from lotus_web.models import WorkflowItem
from lotus_web.models.to_domain import item_state
from lotus_web.queries import keyset
from lotus_web.queries.decisions.outcomes import ItemDecision, latest_decisions
from lotus_web.queries.inbox.filter import (
    InboxFilter,
    Tab,
    WorkflowFilter,
    decided_conditions,
    filter_conditions,
    tab_condition,
)
from lotus_web.queries.inbox.order import ClosedItems, Items, inbox_page, row_before
from lotus_web.queries.items.holders import HOLDER_DISABLED

# A filter that few closed items meet would read them all; a page looks this far and its cursor goes on from there.
CLOSED_REACH = 5_000
_NEWEST_DECIDED = keyset.Order(WorkflowItem.resolved_at, WorkflowItem.workflow_id, descending=True)

COLUMNS = (
    WorkflowItem.workflow_id,
    WorkflowItem.workflow_kind,
    WorkflowItem.subject_type,
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
    """What a row of the inbox shows, and the version of the item that its buttons act on."""

    workflow_id: str
    workflow_kind: str
    subject_type: str
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
    # Set for decided rows only (``page_with_reasons``).
    decided_by: str | None = None
    decided_through: str | None = None

    @property
    def priority(self) -> str:
        """The name of the priority in JSON."""
        return Priority(self.priority_rank).word

    @property
    def facts(self) -> ItemFacts:
        """What the transition rules need."""
        return ItemFacts(
            workflow_id=self.workflow_id,
            status=ItemStatus(self.status),
            workflow_kind=WorkflowKind(self.workflow_kind),
            subject=subject_of(self.subject_type, run_id=self.rebalance_run_id),
            assigned_account_id=self.assigned_account_id,
            claimed=self.claimed_at is not None,
        )


def inbox_row(found: Sequence[object]) -> InboxRow:
    """Return the row that ``COLUMNS`` make."""
    return InboxRow(*found)  # type: ignore[arg-type]


def open_items(
    session: Session,
    filters: InboxFilter,
    tab: Tab,
    *,
    actor: Actor,
    now: datetime,
    soon_minutes: int,
    limit: int,
    cursor: str | None = None,
) -> Page[InboxRow]:
    """Return a page of a tab's open items in the inbox's order; at most two queries.

    Raises InvalidInput ``INVALID_CURSOR``.
    """

    def items(as_of: datetime) -> Items:
        return _open(filters, tab, actor, as_of, soon_minutes)

    return inbox_page(session, items, row=inbox_row, now=now, limit=limit, cursor=cursor)


def open_before(
    session: Session, filters: InboxFilter, tab: Tab, *, actor: Actor, soon_minutes: int, cursor: str
) -> InboxRow | None:
    """Return the row before the one that a cursor follows; at most two queries. Raises InvalidInput ``INVALID_CURSOR``."""

    def items(as_of: datetime) -> Items:
        return _open(filters, tab, actor, as_of, soon_minutes)

    return row_before(session, items, row=inbox_row, cursor=cursor)


def _open(filters: InboxFilter, tab: Tab, actor: Actor, as_of: datetime, soon_minutes: int) -> Items:
    conditions = [tab_condition(tab, actor), *filter_conditions(filters, as_of=as_of, soon_minutes=soon_minutes)]
    return select(*COLUMNS).where(WorkflowItem.tenant_id == actor.tenant_id, *conditions)


def next_in_queue(session: Session, *, actor: Actor, now: datetime, besides: str | None) -> InboxRow | None:
    """Return the most urgent item that the actor holds, else one that waits for their roles; never the one named ``besides``."""
    for tab in (Tab.MINE, Tab.ROLES):
        page = open_items(session, InboxFilter(), tab, actor=actor, now=now, soon_minutes=0, limit=2)
        found = next((row for row in page.items if row.workflow_id != besides), None)
        if found is not None:
            return found
    return None


def workflow_page(
    session: Session,
    tenant_id: str,
    filters: WorkflowFilter,
    *,
    now: datetime,
    soon_minutes: int,
    limit: int,
    cursor: str | None = None,
) -> Page[ItemState]:
    """Return a page of whole items in the inbox's order; at most four queries.

    Over closed items with a filter a page may hold few items and still have a next one. Raises InvalidInput
    ``INVALID_CURSOR``.
    """

    def items(as_of: datetime) -> Items:
        conditions = filters.conditions(as_of=as_of, soon_minutes=soon_minutes)
        return select(WorkflowItem).where(WorkflowItem.tenant_id == tenant_id, *conditions)

    return inbox_page(
        session,
        items,
        row=lambda found: item_state(found[0]),
        now=now,
        limit=limit,
        cursor=cursor,
        only_overdue=filters.only_overdue,
        closed=None if filters.only_open else ClosedItems(tenant_id, CLOSED_REACH if filters.needs_reach else None),
    )


def closed_items(
    session: Session,
    filters: InboxFilter,
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
    closed: list[ColumnElement[bool]] = [
        WorkflowItem.tenant_id == actor.tenant_id,
        WorkflowItem.resolved_at.is_not(None),
        *decided_conditions(filters),
    ]
    conditions = filter_conditions(filters, as_of=now, soon_minutes=soon_minutes)
    # A portfolio has an index of its own and few items, so nothing bounds the search through those.
    bounded = filters.is_filtered and not filters.portfolio
    page = keyset.page(
        session,
        select(*COLUMNS).where(*closed, *conditions),
        _NEWEST_DECIDED,
        row=inbox_row,
        limit=limit,
        cursor=cursor,
        reach=keyset.Reach(CLOSED_REACH, closed) if bounded else None,
    )
    return page_with_reasons(session, actor.tenant_id, page, codes)


def page_with_reasons(session: Session, tenant_id: str, page: Page[InboxRow], codes: Catalogue) -> Page[InboxRow]:
    """Return a page with who decided its rows and why, in ``decided_by`` and ``current_reason``; at most one query."""
    decided = (row.workflow_id for row in page.items if row.current_decision)
    decisions = latest_decisions(session, tenant_id, decided, codes)
    rows = (
        _with_reason(row, decisions[row.workflow_id]) if row.workflow_id in decisions else row for row in page.items
    )
    return Page(tuple(rows), page.next_cursor)


def _with_reason(row: InboxRow, decision: ItemDecision) -> InboxRow:
    by, through = (decision.decided_by, decision.through) if row.resolved_at is not None else (None, None)
    reason = row.current_reason or decision.reason
    return replace(row, decided_by=by, decided_through=through, current_reason=reason)
