"""Who decided what, when and why: the decision page, its counts and its export (RFC-0020, dpm-api §8.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_
from sqlalchemy.orm import Session

from lotus_web.domain.decisions.gate import GateAction
from lotus_web.domain.paging import Page, decode_cursor, encode_cursor, instant_part, part_instant
from lotus_web.models import Decision

_KINDS = (str, str)
# Counting reads every matching row, so it stops here and says so.
COUNTED_AT_MOST = 5_000
EXPORT_BATCH = 500
# A text is looked for in rows, not in an index: a page looks this far back and its cursor goes on from there.
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
    """What to show; None leaves a thing open. Bounds are inclusive."""

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
    """Counts over the newest ``COUNTED_AT_MOST`` matching decisions; ``capped`` tells that there are more."""

    total: int
    capped: bool
    by_action: tuple[tuple[str, int], ...]
    by_reason: tuple[tuple[str, int], ...]


def _conditions(tenant_id: str, wanted: DecisionFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Decision.tenant_id == tenant_id]
    exact = {
        Decision.run_id: wanted.run_id,
        Decision.action: wanted.action.value if wanted.action else None,
        Decision.actor_id: wanted.actor_id,
        Decision.reason_code: wanted.reason_code,
        Decision.portfolio_id: wanted.portfolio_id,
    }
    found += [column == value for column, value in exact.items() if value]
    if wanted.decided_from:
        found.append(Decision.decided_at >= wanted.decided_from)
    if wanted.decided_to:
        found.append(Decision.decided_at <= wanted.decided_to)
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


_NEWEST = (Decision.decided_at.desc(), Decision.decision_id.desc())
_position = tuple_(Decision.decided_at, Decision.decision_id)


def decision_page(
    session: Session, tenant_id: str, wanted: DecisionFilter, *, limit: int, cursor: str | None = None
) -> Page[DecisionRow]:
    """Return a page, newest first; with a text it may hold few rows and still have a next page.

    Raises InvalidInput ``INVALID_CURSOR``. One query, two with a text.
    """
    conditions = _conditions(tenant_id, wanted)
    if cursor:
        decided_at, decision_id = decode_cursor(cursor, kinds=_KINDS)
        conditions.append(_position < (part_instant(decided_at), decision_id))
    horizon = None
    if wanted.text:
        horizon = _horizon(session, conditions)
        conditions += [_holds_text(wanted.text), *([_position >= horizon] if horizon else [])]
    query = select(*_COLUMNS).where(*conditions).order_by(*_NEWEST).limit(limit + 1)
    rows = [DecisionRow(**row._mapping) for row in session.execute(query)]
    if len(rows) > limit:
        horizon = (rows[limit - 1].decided_at, rows[limit - 1].decision_id)
    position = encode_cursor((instant_part(horizon[0]), horizon[1])) if horizon else None
    return Page(tuple(rows[:limit]), position)


def _horizon(session: Session, conditions: list[ColumnElement[bool]]) -> tuple[datetime, str] | None:
    query = select(Decision.decided_at, Decision.decision_id).where(*conditions).order_by(*_NEWEST)
    row = session.execute(query.offset(TEXT_REACH - 1).limit(1)).one_or_none()
    return None if row is None else (row[0], row[1])


def decision_counts(session: Session, tenant_id: str, wanted: DecisionFilter) -> DecisionCounts | None:
    """Count the newest matching decisions by action and reason in one query; None with a text, where it is not cheap."""
    if wanted.text:
        return None
    newest = _bounded(tenant_id, wanted).subquery()
    query = select(newest.c.action, newest.c.reason_code, func.count()).group_by(newest.c.action, newest.c.reason_code)
    actions: dict[str, int] = {}
    reasons: dict[str, int] = {}
    for action, reason, count in session.execute(query):
        actions[action] = actions.get(action, 0) + count
        reasons[reason] = reasons.get(reason, 0) + count
    total = sum(actions.values())
    capped = total > COUNTED_AT_MOST
    return DecisionCounts(min(total, COUNTED_AT_MOST), capped, _most_first(actions), _most_first(reasons))


def _bounded(tenant_id: str, wanted: DecisionFilter) -> Select[str, str]:
    query = select(Decision.action, Decision.reason_code).where(*_conditions(tenant_id, wanted))
    return query.order_by(*_NEWEST).limit(COUNTED_AT_MOST + 1)


def _most_first(counts: dict[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def all_decisions(session: Session, tenant_id: str, wanted: DecisionFilter) -> Iterator[DecisionRow]:
    """Yield every matching decision, newest first, a batch at a time, for the export."""
    cursor: str | None = None
    while True:
        page = decision_page(session, tenant_id, wanted, limit=EXPORT_BATCH, cursor=cursor)
        session.rollback()  # whoever takes the rows may take their time, and no transaction waits for them
        yield from page.items
        if page.next_cursor is None:
            return
        cursor = page.next_cursor
