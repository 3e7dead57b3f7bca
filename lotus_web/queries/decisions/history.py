"""Decisions across runs: the page, its counts and its export (RFC-0020, dpm-api §8.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from lotus_web.domain.decisions.gate import GateAction
from lotus_web.domain.paging import Page
from lotus_web.models import Decision
from lotus_web.queries import keyset

# Counting reads every matching row, so it stops here and says so.
COUNTED_AT_MOST = 5_000
EXPORT_BATCH = 500
# No index serves the search for a text: a page searches this many rows and its cursor goes on from there.
TEXT_REACH = 20_000

_COLUMNS = (
    Decision.decision_id,
    Decision.run_id,
    Decision.workflow_id,
    Decision.portfolio_id,
    Decision.action,
    Decision.reason_code,
    Decision.comment,
    Decision.actor_id,
    Decision.recorded_by,
    Decision.decided_at,
    Decision.correlation_id,
    Decision.surface,
)


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """Which decisions to list; a field that is None filters nothing. Bounds are inclusive."""

    run_id: str | None = None
    action: GateAction | None = None
    actor_id: str | None = None
    reason_code: str | None = None
    portfolio_id: str | None = None
    decided_from: datetime | None = None
    decided_to: datetime | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One decision; ``recorded_by`` differs from ``actor_id`` where an account acted on someone's behalf."""

    decision_id: str
    run_id: str
    workflow_id: str
    portfolio_id: str
    action: str
    reason_code: str
    comment: str | None
    actor_id: str
    recorded_by: str
    decided_at: datetime
    correlation_id: str
    surface: str


@dataclass(frozen=True, slots=True)
class DecisionCounts:
    """Counts over the newest ``COUNTED_AT_MOST`` matching decisions; ``capped`` means that there are more."""

    total: int
    capped: bool
    by_action: tuple[tuple[str, int], ...]
    by_reason: tuple[tuple[str, int], ...]


def _conditions(tenant_id: str, filters: DecisionFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Decision.tenant_id == tenant_id]
    exact = {
        Decision.run_id: filters.run_id,
        Decision.action: filters.action.value if filters.action else None,
        Decision.actor_id: filters.actor_id,
        Decision.reason_code: filters.reason_code,
        Decision.portfolio_id: filters.portfolio_id,
    }
    found += [column == value for column, value in exact.items() if value]
    if filters.decided_from:
        found.append(Decision.decided_at >= filters.decided_from)
    if filters.decided_to:
        found.append(Decision.decided_at <= filters.decided_to)
    return found


def _holds_text(text: str) -> ColumnElement[bool]:
    columns = (
        Decision.comment,
        Decision.reason_code,
        Decision.portfolio_id,
        Decision.actor_id,
        Decision.run_id,
        Decision.correlation_id,
    )
    return or_(*(column.icontains(text, autoescape=True) for column in columns))


_NEWEST = keyset.Order(Decision.decided_at, Decision.decision_id, descending=True)


def decision_page(
    session: Session, tenant_id: str, filters: DecisionFilter, *, limit: int, cursor: str | None = None
) -> Page[DecisionRow]:
    """Return a page, newest first; with a text it may hold few rows and still have a next page.

    Raises InvalidInput ``INVALID_CURSOR``. One query, two with a text.
    """
    conditions = _conditions(tenant_id, filters)
    query = select(*_COLUMNS).where(*conditions)
    reach = None
    if filters.text:
        query, reach = query.where(_holds_text(filters.text)), keyset.Reach(TEXT_REACH, conditions)
    return keyset.page(
        session, query, _NEWEST, row=lambda found: DecisionRow(*found), limit=limit, cursor=cursor, reach=reach
    )


def decision_counts(session: Session, tenant_id: str, filters: DecisionFilter) -> DecisionCounts | None:
    """Count the newest matching decisions by action and reason in one query; None with a text, where it is not cheap."""
    if filters.text:
        return None
    newest = _bounded(tenant_id, filters).subquery()
    query = select(newest.c.action, newest.c.reason_code, func.count()).group_by(newest.c.action, newest.c.reason_code)
    actions: dict[str, int] = {}
    reasons: dict[str, int] = {}
    for action, reason, count in session.execute(query):
        actions[action] = actions.get(action, 0) + count
        reasons[reason] = reasons.get(reason, 0) + count
    total = sum(actions.values())
    capped = total > COUNTED_AT_MOST
    return DecisionCounts(min(total, COUNTED_AT_MOST), capped, _most_first(actions), _most_first(reasons))


def _bounded(tenant_id: str, filters: DecisionFilter) -> Select[str, str]:
    query = select(Decision.action, Decision.reason_code).where(*_conditions(tenant_id, filters))
    return _NEWEST.sort(query).limit(COUNTED_AT_MOST + 1)


def _most_first(counts: dict[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def all_decisions(session: Session, tenant_id: str, filters: DecisionFilter) -> Iterator[DecisionRow]:
    """Yield every matching decision, newest first, a batch at a time, for the export."""
    return keyset.all_rows(
        session, lambda cursor: decision_page(session, tenant_id, filters, limit=EXPORT_BATCH, cursor=cursor)
    )
