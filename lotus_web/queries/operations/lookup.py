"""Operations: the list, and one by id or by correlation id (RFC-0018, dpm-api §5.3). Every read is one query."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from lotus_web.domain.errors import NotFound
from lotus_web.domain.operations import NOT_FOUND, PROPOSAL_OPERATION_NOT_FOUND, OperationFamily, is_executable
from lotus_web.domain.paging import Page
from lotus_web.models import Operation, OperationPayload, OperationStep
from lotus_web.queries import conditions, keyset
from lotus_web.wire.packed import unpack

Families = tuple[OperationFamily, ...]
_NEWEST = keyset.Order(Operation.created_at, Operation.operation_id, descending=True)
# Those of the routes of rebalances; the pages show other families too.
REBALANCES: Families = (OperationFamily.REBALANCE,)


@dataclass(frozen=True, slots=True)
class OperationFilter:
    """Which operations to list; a field that is None filters nothing, an empty text matches none. Bounds are inclusive."""

    operation_type: str | None = None
    status: str | None = None
    correlation_id: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class OperationProgress:
    """Scenarios that are done, failed ones included, out of all."""

    scenarios_done: int
    scenarios_total: int


@dataclass(frozen=True, slots=True)
class OperationError:
    """Why an operation failed: a stable code and a sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class OperationRow:
    """An operation without its result; ``attempts`` counts the workers that claimed it.

    ``subject_id`` is the batch of an analysis or the proposal, None for one that is not created.
    """

    operation_id: str
    operation_type: str
    family: OperationFamily
    status: str
    is_executable: bool
    correlation_id: str
    subject_id: str | None
    submitted_by: str
    submitted_through: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    attempts: int
    idempotency_key: str | None
    callback_url: str | None
    progress: OperationProgress
    error: OperationError | None


@dataclass(frozen=True, slots=True)
class StoredOperation:
    """An operation and its result as the JSON bytes that were stored; None until it succeeded."""

    row: OperationRow
    result: bytes | None


@dataclass(frozen=True, slots=True)
class OperationRun:
    """One scenario of an operation that is done: its run or its failure."""

    scenario: str
    rebalance_run_id: str | None
    failure: str | None


def operation_page(
    session: Session,
    tenant_id: str,
    filters: OperationFilter,
    *,
    limit: int,
    cursor: str | None,
    families: Families = REBALANCES,
) -> Page[OperationRow]:
    """Return a page, newest first by (created_at, id); raises InvalidInput ``INVALID_CURSOR``. One query a family."""
    after = keyset.decode_cursor(cursor, _NEWEST.kinds) if cursor else None
    rows: list[OperationRow] = []
    for family in families:
        query = select(Operation).where(*_conditions(tenant_id, family, filters))
        query = query.execution_options(populate_existing=True)
        rows += [_row(found[0]) for found in keyset.head(session, query, _NEWEST, limit=limit, after=after)]
    return keyset.merge(rows, place=_NEWEST.place_of, limit=limit, descending=True)


def _conditions(tenant_id: str, family: OperationFamily, filters: OperationFilter) -> list[ColumnElement[bool]]:
    exact = {
        Operation.operation_type: filters.operation_type,
        Operation.status: filters.status,
        Operation.correlation_id: filters.correlation_id,
    }
    return [
        Operation.tenant_id == tenant_id,
        Operation.family == family.value,
        *conditions.equal(exact),
        *conditions.between(Operation.created_at, filters.created_from, filters.created_to),
    ]


def stored_operation(
    session: Session, tenant_id: str, operation_id: str, families: Families = REBALANCES
) -> StoredOperation:
    """Return an operation of these families by its id; raises NotFound."""
    found = _with_result(tenant_id, families).where(Operation.operation_id == operation_id)
    return _stored(session, found, families)


def latest_operation(
    session: Session, tenant_id: str, correlation_id: str, family: OperationFamily = OperationFamily.REBALANCE
) -> StoredOperation:
    """Return the newest operation of a correlation id by (created_at, id) (delta 5); raises NotFound."""
    found = _with_result(tenant_id, (family,)).where(Operation.correlation_id == correlation_id)
    return _stored(session, _NEWEST.sort(found).limit(1), (family,))


def operation_runs(session: Session, tenant_id: str, operation_id: str) -> tuple[OperationRun, ...]:
    """Return the scenarios of an operation that are done, by name."""
    query = (
        select(OperationStep.name, OperationStep.rebalance_run_id, OperationStep.failure)
        .where(OperationStep.tenant_id == tenant_id, OperationStep.operation_id == operation_id)
        .order_by(OperationStep.name)
    )
    return tuple(OperationRun(*row) for row in session.execute(query))


def failed_scenarios(session: Session, tenant_id: str, operation_ids: Iterable[str]) -> dict[str, int]:
    """Return the number of failed scenarios by operation, for those of these operations that have any; one query."""
    query = (
        select(OperationStep.operation_id, func.count())
        .where(
            OperationStep.tenant_id == tenant_id,
            OperationStep.operation_id.in_(list(operation_ids)),
            OperationStep.failure.is_not(None),
        )
        .group_by(OperationStep.operation_id)
    )
    return dict(session.execute(query).all())


def _with_result(tenant_id: str, families: Families) -> Select[Operation, bytes | None]:
    same = (OperationPayload.tenant_id == Operation.tenant_id) & (
        OperationPayload.operation_id == Operation.operation_id
    )
    of_families = Operation.family.in_([family.value for family in families])
    return (
        select(Operation, OperationPayload.result)
        .join(OperationPayload, same)
        .where(Operation.tenant_id == tenant_id, of_families)
    )


def _stored(session: Session, query: Select[Operation, bytes | None], families: Families) -> StoredOperation:
    found = session.execute(query.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise no_such_operation(families)
    operation, packed = found
    return StoredOperation(_row(operation), None if packed is None else unpack(packed))


def _row(operation: Operation) -> OperationRow:
    error = None
    if operation.error_code is not None:
        error = OperationError(operation.error_code, operation.error_message or operation.error_code)
    return OperationRow(
        operation_id=operation.operation_id,
        operation_type=operation.operation_type,
        family=OperationFamily(operation.family),
        status=operation.status,
        is_executable=is_executable(operation.status),
        correlation_id=operation.correlation_id,
        subject_id=operation.subject_id or None,
        submitted_by=operation.on_behalf_of or operation.actor_id,
        submitted_through=operation.actor_id,
        created_at=operation.created_at,
        started_at=operation.started_at,
        finished_at=operation.finished_at,
        attempts=operation.attempts,
        idempotency_key=operation.idempotency_key,
        callback_url=operation.callback_url,
        progress=OperationProgress(operation.steps_done, operation.steps_total),
        error=error,
    )


def no_such_operation(families: Families = REBALANCES) -> NotFound:
    """Return the refusal of an id that names no operation here; routes of proposals have a code of their own."""
    code = PROPOSAL_OPERATION_NOT_FOUND if families == (OperationFamily.PROPOSALS,) else NOT_FOUND
    return NotFound(code, "Operation not found. It may have been deleted after its retention period.")
