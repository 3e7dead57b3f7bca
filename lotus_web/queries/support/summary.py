"""The summary of a tenant's store, read from maintained counters: its cost does not grow with the store (dpm-api §9.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from lotus_web.domain.operations import OperationFamily
from lotus_web.domain.support import Counter
from lotus_web.models import Operation, Run, StoreCounter


@dataclass(frozen=True, slots=True)
class Summary:
    """Totals of the store; maps hold only values that occur."""

    store_backend: str
    retention_days: int
    run_count: int
    operation_count: int
    operation_status_counts: Mapping[str, int]
    run_status_counts: Mapping[str, int]
    workflow_decision_count: int
    workflow_action_counts: Mapping[str, int]
    workflow_reason_code_counts: Mapping[str, int]
    lineage_edge_count: int
    proposal_count: int
    proposal_state_counts: Mapping[str, int]
    oldest_run_created_at: datetime | None
    newest_run_created_at: datetime | None
    oldest_operation_created_at: datetime | None
    newest_operation_created_at: datetime | None


def summary(session: Session, tenant_id: str, *, store_backend: str, retention_days: int) -> Summary:
    """Return the summary: one read of counters and four look-ups at the ends of indexes."""
    counts = counted(session, tenant_id)
    runs = [Run.tenant_id == tenant_id]
    operations = [Operation.tenant_id == tenant_id, Operation.family == OperationFamily.REBALANCE.value]
    return Summary(
        store_backend=store_backend,
        retention_days=retention_days,
        run_count=sum(counts[Counter.RUNS].values()),
        operation_count=sum(counts[Counter.OPERATIONS].values()),
        operation_status_counts=counts[Counter.OPERATIONS],
        run_status_counts=counts[Counter.RUNS],
        workflow_decision_count=sum(counts[Counter.DECISION_ACTIONS].values()),
        workflow_action_counts=counts[Counter.DECISION_ACTIONS],
        workflow_reason_code_counts=counts[Counter.DECISION_REASONS],
        lineage_edge_count=sum(counts[Counter.EDGES].values()),
        proposal_count=sum(counts[Counter.PROPOSALS].values()),
        proposal_state_counts=counts[Counter.PROPOSALS],
        oldest_run_created_at=_first(session, Run.created_at, runs),
        newest_run_created_at=_last(session, Run.created_at, runs),
        oldest_operation_created_at=_first(session, Operation.created_at, operations),
        newest_operation_created_at=_last(session, Operation.created_at, operations),
    )


def counted(session: Session, tenant_id: str) -> dict[Counter, dict[str, int]]:
    """Return a tenant's counters as they are maintained; one query."""
    found: dict[Counter, dict[str, int]] = {counter: {} for counter in Counter}
    query = (
        select(StoreCounter.counter, StoreCounter.value, StoreCounter.count)
        .where(StoreCounter.tenant_id == tenant_id, StoreCounter.count != 0)
        .order_by(StoreCounter.value)
    )
    for counter, value, number in session.execute(query):
        found[Counter(counter)][value] = number
    return found


def _first(session: Session, column: InstrumentedAttribute[datetime], conditions: list[Any]) -> datetime | None:
    return session.scalar(select(column).where(*conditions).order_by(column).limit(1))


def _last(session: Session, column: InstrumentedAttribute[datetime], conditions: list[Any]) -> datetime | None:
    return session.scalar(select(column).where(*conditions).order_by(column.desc()).limit(1))
