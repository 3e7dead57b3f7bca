"""What the policy said of the subject of an item or of its trace, as the log has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from lotus_web.domain.events.envelope import EventType
from lotus_web.domain.items.state import ItemState
from lotus_web.models import EventLogEntry
from lotus_web.queries.items.subjects import READERS

MOST_ROWS = 500


def item_violations(session: Session, item: ItemState) -> Sequence[Mapping[str, Any]]:
    """Return the failing rules of the evaluation that an item is about: its run's, and of no run but that; else the trace's newest.

    One query. An item of a trace without evaluations has none.
    """
    own = READERS[item.subject].evaluation(item)
    rows = session.scalars(_newest(item) if own is None else own).all()
    payloads = [row.payload for row in rows]
    without_run = [payload for payload in payloads if _run_of(payload) is None]
    chosen: Mapping[str, Any] = next(iter(without_run or payloads), {})
    violations = chosen.get("violations")
    return [one for one in violations if isinstance(one, dict)] if isinstance(violations, list) else []


def _newest(item: ItemState) -> Select[EventLogEntry]:
    of_trace = (EventLogEntry.tenant_id == item.tenant_id, EventLogEntry.trace_id == item.trace_id)
    evaluated = EventLogEntry.event_type == EventType.POLICY_EVALUATED.value
    return select(EventLogEntry).where(*of_trace, evaluated).order_by(EventLogEntry.trace_seq.desc()).limit(MOST_ROWS)


def _run_of(payload: Mapping[str, Any]) -> object:
    inputs = payload.get("inputs")
    return inputs.get("rebalance_run_id") if isinstance(inputs, dict) else None
