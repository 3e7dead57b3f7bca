"""The SLA board: overdue items, load and escalations (workflow.md §3, console.md).

Everything about open items comes from one pass over them, grouped in the store; everything about decided ones is bounded
by days and by a number of rows, so that the board costs what is open and recent, not what is stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from sqlalchemy import ColumnElement, Select, case, func, literal, select, union_all
from sqlalchemy.orm import Session

from lotus_web.domain.items.actions import Action
from lotus_web.domain.sla.ageing import Age
from lotus_web.models import WorkflowAction, WorkflowItem
from lotus_web.queries.inbox.filter import WAS_DECIDED
from lotus_web.queries.items.holders import HOLDER_DISABLED
from lotus_web.queries.items.open import all_open

DAYS = 14
SAMPLED = 5_000
AGES = tuple(Age)


@dataclass(frozen=True, slots=True)
class Load:
    """Open items of one person, who may be disabled, or of one role; ``name`` None means unassigned."""

    name: str | None
    open: int
    overdue: int
    due_soon: int
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class DayCount:
    """A count for a UTC day."""

    day: date
    count: int


@dataclass(frozen=True, slots=True)
class DecisionTimes:
    """Median and 90th percentile of the seconds from request to decision; None without decisions.

    ``sampled`` decisions were looked at, the newest ones; ``day`` None is the whole period.
    """

    day: date | None
    sampled: int
    p50: int | None
    p90: int | None


@dataclass(frozen=True, slots=True)
class SlaBoard:
    """The board; the load of roles counts items that no person holds, the ageing bars go from young to old."""

    open: int
    overdue: int
    due_soon: int
    unowned: int
    by_person: tuple[Load, ...]
    by_role: tuple[Load, ...]
    ageing: tuple[tuple[Age, int], ...]
    decided: tuple[DayCount, ...]
    escalated: tuple[DayCount, ...]
    times: DecisionTimes
    times_by_day: tuple[DecisionTimes, ...]
    times_capped: bool


def sla_board(session: Session, tenant_id: str, *, now: datetime, soon_minutes: int) -> SlaBoard:
    """Return the board as of ``now``; four queries."""
    groups = _open_groups(session, tenant_id, now, soon_minutes)
    days = tuple((now - timedelta(days=back)).date() for back in reversed(range(DAYS)))
    rows = _newest_decided(session, tenant_id, _start(days[0], now))
    sample = rows[:SAMPLED]
    ageing = [sum(group.ages[bar] for group in groups) for bar in range(len(AGES))]
    return SlaBoard(
        open=sum(group.load.open for group in groups),
        overdue=sum(group.load.overdue for group in groups),
        due_soon=sum(group.load.due_soon for group in groups),
        unowned=sum(group.load.open for group in groups if group.person is None),
        by_person=_loads((group.person, group.load) for group in groups if group.person is not None),
        by_role=_loads((group.role, group.load) for group in groups if group.person is None),
        ageing=tuple(zip(AGES, ageing, strict=True)),
        decided=_per_day(session, days, now, lambda start, end: _decided_between(tenant_id, start, end)),
        escalated=_per_day(session, days, now, lambda start, end: _escalated_between(tenant_id, start, end)),
        times=_times(None, [seconds for _, seconds in sample]),
        times_by_day=tuple(_times(day, [seconds for on, seconds in sample if on == day]) for day in days),
        times_capped=len(rows) > SAMPLED,
    )


@dataclass(frozen=True, slots=True)
class _Group:
    person: str | None
    role: str | None
    load: Load
    ages: tuple[int, ...]


def _open_groups(session: Session, tenant_id: str, now: datetime, soon_minutes: int) -> list[_Group]:
    soon = WorkflowItem.sla_due_at.between(now, now + timedelta(minutes=soon_minutes))
    ends = [now - timedelta(hours=age.upto_hours) for age in AGES if age.upto_hours is not None]
    younger = [WorkflowItem.requested_at > end for end in ends]
    query = (
        select(
            WorkflowItem.assigned_account_id,
            WorkflowItem.assigned_role,
            HOLDER_DISABLED,
            func.count(),
            _count_if(WorkflowItem.sla_due_at < now),
            _count_if(soon),
            *(_count_if(condition) for condition in younger),
        )
        .where(*all_open(tenant_id))
        .group_by(WorkflowItem.assigned_account_id, WorkflowItem.assigned_role)
    )
    found = []
    for person, role, disabled, total, overdue, due_soon, *cumulative in session.execute(query):
        reached = [0, *(int(count) for count in cumulative), int(total)]
        ages = tuple(upper - lower for lower, upper in pairwise(reached))
        found.append(_Group(person, role, Load(None, int(total), int(overdue), int(due_soon), bool(disabled)), ages))
    return found


def _count_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _loads(pairs: Iterable[tuple[str | None, Load]]) -> tuple[Load, ...]:
    sums: dict[str | None, list[int]] = defaultdict(lambda: [0, 0, 0])
    disabled = set()
    for name, load in pairs:
        if load.disabled:
            disabled.add(name)
        for place, count in enumerate((load.open, load.overdue, load.due_soon)):
            sums[name][place] += count
    loads = [Load(name, counts[0], counts[1], counts[2], name in disabled) for name, counts in sums.items()]
    return tuple(sorted(loads, key=lambda load: (-load.overdue, -load.open, load.name or "")))


def _start(day: date, now: datetime) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=now.tzinfo)


def _per_day(
    session: Session, days: tuple[date, ...], now: datetime, between: Callable[[datetime, datetime], Select[int]]
) -> tuple[DayCount, ...]:
    """Count what ``between`` selects for each day in one statement; each day is a range of an index."""
    counts = []
    for place, day in enumerate(days):
        start = _start(day, now)
        counts.append(between(start, start + timedelta(days=1)).add_columns(literal(place)))
    found = {place: count for count, place in session.execute(union_all(*counts))}
    return tuple(DayCount(day, found[place]) for place, day in enumerate(days))


def _decided_between(tenant_id: str, start: datetime, end: datetime) -> Select[int]:
    return select(func.count()).where(
        WorkflowItem.tenant_id == tenant_id,
        WorkflowItem.resolved_at >= start,
        WorkflowItem.resolved_at < end,
        WAS_DECIDED,
    )


def _escalated_between(tenant_id: str, start: datetime, end: datetime) -> Select[int]:
    """Select how many items were escalated; one escalated twice in a day counts once, as in the list behind the bar."""
    return select(func.count(WorkflowAction.workflow_id.distinct())).where(
        WorkflowAction.tenant_id == tenant_id,
        WorkflowAction.action_type == Action.ESCALATE.value,
        WorkflowAction.occurred_at >= start,
        WorkflowAction.occurred_at < end,
    )


def _newest_decided(session: Session, tenant_id: str, since: datetime) -> list[tuple[date, int]]:
    """Return day and seconds to the decision of the newest decided items, one more than are sampled if there are more."""
    query = (
        select(WorkflowItem.resolved_at, WorkflowItem.requested_at)
        .where(WorkflowItem.tenant_id == tenant_id, WorkflowItem.resolved_at >= since, WAS_DECIDED)
        .order_by(WorkflowItem.resolved_at.desc(), WorkflowItem.workflow_id.desc())
        .limit(SAMPLED + 1)
    )
    return [
        (resolved.date(), max(0, int((resolved - requested).total_seconds())))
        for resolved, requested in session.execute(query)
        if resolved is not None
    ]


def _times(day: date | None, seconds: list[int]) -> DecisionTimes:
    ordered = sorted(seconds)
    return DecisionTimes(day, len(ordered), _percentile(ordered, 50), _percentile(ordered, 90))


def _percentile(ordered: list[int], percent: int) -> int | None:
    """Return the nearest-rank percentile."""
    if not ordered:
        return None
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
