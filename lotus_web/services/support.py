"""Counters that a summary reads in place of counting: moved in the transaction that moves what they count (dpm-api §9.2)."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping

from sqlalchemy import delete, event, func, insert, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import InstrumentedAttribute

from lotus_web.domain.operations import OperationFamily
from lotus_web.domain.support import Counter
from lotus_web.models import Decision, LineageEdge, Operation, Proposal, Run, StoreCounter
from lotus_web.store.upserts import insert_into

PENDING = "lotus_counts"


COUNTED: Mapping[Counter, InstrumentedAttribute[str]] = {
    Counter.RUNS: Run.status,
    Counter.OPERATIONS: Operation.status,
    Counter.DECISION_ACTIONS: Decision.action,
    Counter.DECISION_REASONS: Decision.reason_code,
    Counter.EDGES: LineageEdge.edge_type,
    Counter.PROPOSALS: Proposal.current_state,
}
Counts = dict[Counter, dict[str, int]]


def count(session: Session, tenant_id: str, counter: Counter, value: str, by: int = 1) -> None:
    """Move a counter by ``by`` when the open transaction commits.

    The rows of counters are locked last, in one order for everybody and only for the length of the commit: recordings
    queue for them as briefly as can be, and no two wait for each other.
    """
    session.info.setdefault(PENDING, Tally())[tenant_id, counter.value, value] += by


@event.listens_for(Session, "before_commit")
def _write_counts(session: Session) -> None:
    moves: Tally[tuple[str, str, str]] | None = session.info.pop(PENDING, None)
    if not moves:
        return
    session.flush()
    rows = [
        {"tenant_id": tenant_id, "counter": counter, "value": value, "count": by}
        for (tenant_id, counter, value), by in sorted(moves.items())
        if by != 0
    ]
    if rows:
        added = insert_into(session, StoreCounter)
        moved = added.on_conflict_do_update(
            index_elements=["tenant_id", "counter", "value"],
            set_={"count": StoreCounter.count + added.excluded.count},
        )
        session.execute(moved.returning(StoreCounter.value), rows)


@event.listens_for(Session, "after_rollback")
def _forget_counts(session: Session) -> None:
    session.info.pop(PENDING, None)


def count_operation(session: Session, tenant_id: str, family: str, status: str, by: int = 1) -> None:
    """Move the counter of operations; it tells of those on rebalances, as every list of operations does (dpm-api §9.2)."""
    if family == OperationFamily.REBALANCE:
        count(session, tenant_id, Counter.OPERATIONS, status, by)


def recount(session: Session, tenant_id: str) -> Counts:
    """Count everything of a tenant again; its cost grows with the store."""
    found: Counts = {}
    for counter, column in COUNTED.items():
        query = select(column, func.count()).where(column.class_.tenant_id == tenant_id).group_by(column)
        if counter is Counter.OPERATIONS:
            query = query.where(Operation.family == OperationFamily.REBALANCE.value)
        found[counter] = dict(session.execute(query).all())
    return found


def bring_up_to_date(session: Session, tenant_id: str) -> Counts:
    """Set a tenant's counters by a recount: for bulk loads, which write rows past the services while nobody else does."""
    counts = recount(session, tenant_id)
    session.execute(delete(StoreCounter).where(StoreCounter.tenant_id == tenant_id))
    rows = [
        {"tenant_id": tenant_id, "counter": counter.value, "value": value, "count": number}
        for counter, values in counts.items()
        for value, number in values.items()
    ]
    if rows:
        session.execute(insert(StoreCounter), rows)
    return counts
