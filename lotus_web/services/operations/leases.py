"""Leases of operations: claimed once, leased during the work, finished once (deltas 6–7).

Every change of status is one conditional update that checks its row count, so that of many callers one succeeds. Leases use the
store's clock. Each claim has a new ``owner``, so a worker that lost its lease can no longer write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from lotus_web.config.settings import Settings
from lotus_web.domain.errors import Conflict, NotFound
from lotus_web.domain.operations import (
    NOT_EXECUTABLE,
    NOT_FOUND,
    WORKER_LOST,
    Move,
    OperationFamily,
    OperationStatus,
    status_after,
    status_before,
)
from lotus_web.models import Operation, OperationPayload
from lotus_web.services.operations.callbacks import Ended, plan_callback
from lotus_web.services.support import count_operation
from lotus_web.store.clock import store_now
from lotus_web.store.new_ids import new_id
from lotus_web.wire.packed import pack

WORKER_LOST_MESSAGE = "Every worker of this operation stopped responding; it is not retried."
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """How long a worker may go without renewing its lease, and how many attempts an operation has."""

    lease: timedelta = timedelta(seconds=30)
    max_attempts: int = 3

    @classmethod
    def of(cls, settings: Settings) -> LeaseTerms:
        """Read the settings in force now."""
        return cls(timedelta(seconds=settings.operation_lease_seconds), settings.operation_max_attempts)


@dataclass(frozen=True, slots=True)
class Claim:
    """One worker's exclusive claim on an operation."""

    tenant_id: str
    operation_id: str
    operation_type: str
    owner: str


class OperationLost(Exception):
    """The lease expired, and the operation went to another worker or was finished."""


class Interrupted(Exception):
    """The process was asked to stop; finished steps are stored and another worker does the rest."""


def claim_operation(session: Session, tenant_id: str, operation_id: str, *, terms: LeaseTerms, now: datetime) -> Claim:
    """Move one operation from PENDING to RUNNING for this caller alone.

    Raises NotFound, or Conflict ``DPM_ASYNC_OPERATION_NOT_EXECUTABLE`` for every caller but the first.
    """
    claim = _move(session, tenant_id, operation_id, Move.CLAIM, terms=terms, now=now)
    if claim is None:
        status_after(_status(session, tenant_id, operation_id), Move.CLAIM)
        raise Conflict(NOT_EXECUTABLE, "Someone else executes this operation.")
    return claim


def _status(session: Session, tenant_id: str, operation_id: str) -> OperationStatus:
    query = select(Operation.status).where(Operation.tenant_id == tenant_id, Operation.operation_id == operation_id)
    status = session.scalar(query)
    if status is None:
        raise NotFound(NOT_FOUND)
    return OperationStatus(status)


def _move(
    session: Session, tenant_id: str, operation_id: str, move: Move, *, terms: LeaseTerms, now: datetime
) -> Claim | None:
    """Claim by conditional update: the row must be in the move's status, and its lease expired if it is taken over."""
    clock = store_now(session)
    owner = new_id("own_")
    status = status_before(move)
    conditions = [
        Operation.tenant_id == tenant_id,
        Operation.operation_id == operation_id,
        Operation.status == status.value,
    ]
    if move is Move.TAKE_OVER:
        conditions += [Operation.due_at <= clock, Operation.attempts < terms.max_attempts]
    after = status_after(status, move)
    values = {
        "status": after.value,
        "lease_owner": owner,
        "due_at": clock + terms.lease,
        "attempts": Operation.attempts + 1,
    }
    if move is Move.CLAIM:
        values["started_at"] = now
    claimed = update(Operation).where(*conditions).values(values).returning(Operation.operation_type, Operation.family)
    row = session.execute(claimed).one_or_none()
    if row is None:
        return None
    _count_move(session, tenant_id, row.family, status, after)
    return Claim(tenant_id, operation_id, row.operation_type, owner)


def _count_move(session: Session, tenant_id: str, family: str, old: OperationStatus, new: OperationStatus) -> None:
    count_operation(session, tenant_id, family, old.value, -1)
    count_operation(session, tenant_id, family, new.value)


def is_due(session: Session) -> bool:
    """Return whether an operation is due, by a read alone: idle jobs ask every two seconds."""
    query = select(Operation.operation_id).where(Operation.due_at <= store_now(session)).order_by(Operation.due_at)
    return session.execute(query.limit(1)).first() is not None


def claim_due(session: Session, *, terms: LeaseTerms, now: datetime) -> Claim | None:
    """Claim the operation that has been due longest: a PENDING one, or one whose lease expired.

    One that has used up its attempts is ended as FAILED ``WORKER_LOST``. None when nothing is due.
    """
    while True:
        query = (
            select(Operation.tenant_id, Operation.operation_id, Operation.status, Operation.attempts)
            .where(Operation.due_at <= store_now(session))
            .order_by(Operation.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = session.execute(query).one_or_none()
        if row is None:
            return None
        if row.status == OperationStatus.RUNNING and row.attempts >= terms.max_attempts:
            _expire(session, row.tenant_id, row.operation_id, now=now)
            continue
        move = Move.CLAIM if row.status == OperationStatus.PENDING else Move.TAKE_OVER
        claim = _move(session, row.tenant_id, row.operation_id, move, terms=terms, now=now)
        if claim is not None:
            return claim


def _expire(session: Session, tenant_id: str, operation_id: str, *, now: datetime) -> None:
    _end(
        session,
        select_own=[Operation.tenant_id == tenant_id, Operation.operation_id == operation_id],
        tenant_id=tenant_id,
        move=Move.FAIL,
        now=now,
        error=(WORKER_LOST, WORKER_LOST_MESSAGE),
    )


def _own(claim: Claim) -> list[Any]:
    return [
        Operation.tenant_id == claim.tenant_id,
        Operation.operation_id == claim.operation_id,
        Operation.lease_owner == claim.owner,
    ]


def renew(session: Session, claim: Claim, *, terms: LeaseTerms, steps_done: int = 0) -> None:
    """Renew the lease and count finished steps, in the transaction that finishes them; raises OperationLost."""
    done = session.execute(
        update(Operation)
        .where(*_own(claim), Operation.status == OperationStatus.RUNNING.value)
        .values(due_at=store_now(session) + terms.lease, steps_done=Operation.steps_done + steps_done)
    )
    if not isinstance(done, CursorResult) or done.rowcount != 1:
        raise OperationLost


def release(session: Session, claim: Claim) -> None:
    """Return an operation unfinished, as on an orderly stop: it is due at once and the attempt does not count."""
    session.execute(
        update(Operation)
        .where(*_own(claim), Operation.status == OperationStatus.RUNNING.value)
        .values(due_at=store_now(session), lease_owner=None, attempts=Operation.attempts - 1)
    )


def succeed(
    session: Session, claim: Claim, document: Mapping[str, Any], *, now: datetime, subject_id: str | None = None
) -> None:
    """End an operation with its result, and with what it is about if that was not known before; raises OperationLost."""
    found = {} if subject_id is None else {"subject_id": subject_id}
    _end(session, select_own=_own(claim), tenant_id=claim.tenant_id, move=Move.SUCCEED, now=now, also=found)
    session.execute(
        update(OperationPayload)
        .where(OperationPayload.tenant_id == claim.tenant_id, OperationPayload.operation_id == claim.operation_id)
        .values(result=pack(document))
    )


def fail(session: Session, claim: Claim, *, code: str, message: str, now: datetime) -> None:
    """End an operation with a stable code and a sentence; raises OperationLost."""
    _end(session, select_own=_own(claim), tenant_id=claim.tenant_id, move=Move.FAIL, now=now, error=(code, message))


def _end(
    session: Session,
    *,
    select_own: list[Any],
    tenant_id: str,
    move: Move,
    now: datetime,
    error: tuple[str | None, str | None] = (None, None),
    also: Mapping[str, str] | None = None,
) -> None:
    status = status_before(move)
    after = status_after(status, move)
    row = session.execute(
        update(Operation)
        .where(*select_own, Operation.status == status.value)
        .values(
            status=after.value,
            finished_at=now,
            due_at=None,
            lease_owner=None,
            error_code=error[0],
            error_message=error[1],
            **(also or {}),
        )
        .returning(
            Operation.operation_id,
            Operation.operation_type,
            Operation.family,
            Operation.correlation_id,
            Operation.callback_url,
        )
    ).one_or_none()
    if row is None:
        raise OperationLost
    _count_move(session, tenant_id, row.family, status, after)
    if row.callback_url is not None:
        told = (row.operation_id, row.operation_type, OperationFamily(row.family), after, row.correlation_id, error[0])
        plan_callback(session, Ended(tenant_id, *told, at=now), row.callback_url)
