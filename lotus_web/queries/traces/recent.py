"""Which traces moved last: where someone looks who has no id at hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.models import EventLogEntry

# Traces of a day may hold many events each; the list looks at this many of the newest events.
REACH = 400


@dataclass(frozen=True, slots=True)
class RecentTrace:
    """A trace as its first event names it, and when the last one came."""

    trace_id: str
    title: str
    workflow: str
    started_by: str
    last_event_at: datetime


def recent_traces(session: Session, tenant_id: str, *, limit: int) -> tuple[RecentTrace, ...]:
    """Return the traces with the newest events, the newest first; two queries."""
    own = EventLogEntry.tenant_id == tenant_id
    newest = (
        select(EventLogEntry.trace_id, EventLogEntry.occurred_at)
        .where(own)
        .order_by(EventLogEntry.log_seq.desc())
        .limit(REACH)
    )
    seen: dict[str, datetime] = {}
    for trace_id, at in session.execute(newest):
        seen.setdefault(trace_id, at)
    wanted = list(seen)[:limit]
    first = select(EventLogEntry).where(own, EventLogEntry.trace_seq == 0, EventLogEntry.trace_id.in_(wanted))
    started = {row.trace_id: row for row in session.scalars(first)}
    return tuple(_recent(started[trace_id], seen[trace_id]) for trace_id in wanted if trace_id in started)


def _recent(row: EventLogEntry, last_event_at: datetime) -> RecentTrace:
    return RecentTrace(
        row.trace_id, row.payload["title"], row.payload["workflow"], row.actor["actor_id"], last_event_at
    )
