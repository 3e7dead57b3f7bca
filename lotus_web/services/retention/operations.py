"""Removing finished operations that have had their time, a bounded batch at a time, each on record (deltas 7 and 16)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, delete, select, tuple_
from sqlalchemy.orm import Session

from lotus_web.domain.lineage import EntityKind
from lotus_web.domain.retention import RetentionEntryType
from lotus_web.models import LineageEdge, Operation, OperationPayload, OperationStep
from lotus_web.services.events.log import lock_tenant
from lotus_web.services.retention.rows import Removed, how_many_fit, log_purged, purge_edges, weigh
from lotus_web.services.support import count_operation

# The operation, its payload and the line about it in the log.
ROWS_AN_OPERATION = 3
BESIDE_OPERATIONS = (LineageEdge.source_entity_id, LineageEdge.target_entity_id, OperationStep.operation_id)
Key = tuple[str, str]
# The store knows when each of them finished; its column does not.
Position = tuple[datetime | None, str, str]
_ORDER = (Operation.finished_at, Operation.tenant_id, Operation.operation_id)


@dataclass(frozen=True, slots=True)
class Lapsed:
    """Finished operations past their time, oldest first, as (tenant, id), how many rows go with them, and where to look on."""

    keys: tuple[Key, ...]
    rows: int
    last: Position


def find_lapsed_operations(session: Session, *, cutoff: datetime, after: Position | None, rows: int) -> Lapsed | None:
    """Return the next operations that may go after a position, as many as have ``rows`` rows, or one that alone has more.

    None when there are no more. Takes no lock.
    """
    query = select(*_ORDER).where(Operation.finished_at < cutoff)
    if after is not None:
        query = query.where(tuple_(*_ORDER) > after)
    found = session.execute(query.order_by(*_ORDER).limit(max(1, rows // ROWS_AN_OPERATION))).all()
    if not found:
        return None
    weights = _weights(session, [(tenant_id, operation_id) for _, tenant_id, operation_id in found])
    size = how_many_fit(weights, rows)
    keys = tuple((tenant_id, operation_id) for _, tenant_id, operation_id in found[:size])
    return Lapsed(keys, sum(weights[:size]), (found[size - 1][0], *keys[-1]))


def _weights(session: Session, keys: Sequence[Key]) -> list[int]:
    beside = {
        tenant_id: weigh(session, tenant_id, ids, BESIDE_OPERATIONS) for tenant_id, ids in _by_tenant(keys).items()
    }
    return [ROWS_AN_OPERATION + beside[tenant_id][operation_id] for tenant_id, operation_id in keys]


def _by_tenant(keys: Sequence[Key]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for tenant_id, operation_id in sorted(keys):
        found.setdefault(tenant_id, []).append(operation_id)
    return found


def purge_operations(session: Session, keys: Sequence[Key], *, cutoff: datetime, now: datetime) -> Removed:
    """Remove those of the given operations that are still there, with their edges; the runs that they made stay."""
    removed = Removed()
    for tenant_id, ids in _by_tenant(keys).items():
        # The edge between a run and its operation goes with whichever goes first: one purge of a tenant at a time.
        lock_tenant(session, tenant_id)
        query = (
            select(Operation.operation_id, Operation.family, Operation.status, Operation.correlation_id)
            .where(Operation.tenant_id == tenant_id, Operation.operation_id.in_(ids), Operation.finished_at < cutoff)
            .with_for_update()
        )
        rows = session.execute(query).all()
        if rows:
            removed.update(_purge_of_tenant(session, tenant_id, rows, now=now))
    return removed


def _purge_of_tenant(
    session: Session, tenant_id: str, rows: Sequence[Row[str, str, str, str]], *, now: datetime
) -> Removed:
    facts = [(row.operation_id, {"status": row.status, "correlation_id": row.correlation_id}) for row in rows]
    log_purged(session, tenant_id, RetentionEntryType.OPERATION_PURGED, facts, now)
    for row in rows:
        count_operation(session, tenant_id, row.family, row.status, -1)
    ids = [row.operation_id for row in rows]
    edges = purge_edges(session, tenant_id, EntityKind.OPERATION, ids)
    for model in (OperationPayload, OperationStep, Operation):
        own = delete(model).where(model.tenant_id == tenant_id, model.operation_id.in_(ids))
        session.execute(own.execution_options(synchronize_session=False))
    return Removed(operations=len(ids), edges=edges)
