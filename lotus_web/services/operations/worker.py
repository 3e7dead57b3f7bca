"""Carrying out an operation from claim to end: it finishes, fails with a stable code, or goes back for another worker.

The worker knows no kind of operation: what to do for each type comes in as a table of handlers (services/handlers.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import ValidationError

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.domain.errors import Conflict, LotusError, NotFound
from lotus_web.domain.operations import NOT_EXECUTABLE, NOT_FOUND, OPERATION_FAILED, STORED_REQUEST_INVALID
from lotus_web.models import Operation, OperationPayload
from lotus_web.services.operations.leases import (
    Claim,
    Clock,
    Interrupted,
    LeaseTerms,
    OperationLost,
    claim_operation,
    fail,
    release,
    succeed,
)
from lotus_web.store.failures import is_store_failure
from lotus_web.store.session import db, transaction
from lotus_web.telemetry.logs import log_unexpected

FAILED_MESSAGE = "The operation failed unexpectedly; the log of the service has the cause."
INVALID_MESSAGE = "The stored request is not one that this version accepts."
LOST_MESSAGE = "This took longer than its lease, so another worker carries the operation out."
Stop = Callable[[], bool]
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A claimed operation with its stored request, and what its handler works under.

    A handler of several steps asks ``stop`` between them and raises Interrupted when it says True.
    """

    claim: Claim
    operation: Operation
    payload: OperationPayload
    policy: DeploymentPolicy
    terms: LeaseTerms
    clock: Clock
    stop: Stop


@dataclass(frozen=True, slots=True)
class Done:
    """What a handler leaves: the result's document and, where it was not known before, what the operation is about."""

    document: Mapping[str, Any]
    subject_id: str | None = None


# Does the work and returns what it left; raises Interrupted, OperationLost, or whatever ends the operation FAILED.
Handler = Callable[[Assignment], Done]
Handlers = Mapping[str, Handler]


def never() -> bool:
    """Never ask to stop."""
    return False


def execute_now(
    operation_id: str,
    *,
    tenant_id: str,
    handlers: Handlers,
    policy: DeploymentPolicy,
    terms: LeaseTerms,
    clock: Clock,
) -> None:
    """Claim a PENDING operation and carry it out before returning (dpm-api §5.3).

    Raises NotFound; Conflict for every caller but the first; Conflict too if the lease ran out on the way, because another
    worker then carries the operation out and it has not finished.
    """
    with transaction() as session:
        claim = claim_operation(session, tenant_id, operation_id, terms=terms, now=clock())
    if not work_on(claim, handlers=handlers, policy=policy, terms=terms, clock=clock):
        raise Conflict(NOT_EXECUTABLE, LOST_MESSAGE)


def execute_inline(
    claim: Claim, *, handlers: Handlers, policy: DeploymentPolicy, terms: LeaseTerms, clock: Clock
) -> None:
    """Carry out an operation that was accepted a moment ago; never raises.

    If the store goes away in the middle, the failure is logged, the lease runs out and the jobs process goes on.
    """
    try:
        work_on(claim, handlers=handlers, policy=policy, terms=terms, clock=clock)
    except Exception as error:
        log_unexpected(error, "inline_execution_interrupted", operation=claim.operation_id)
        db.session.rollback()


def work_on(
    claim: Claim,
    *,
    handlers: Handlers,
    policy: DeploymentPolicy,
    terms: LeaseTerms,
    clock: Clock,
    stop: Stop = never,
) -> bool:
    """Carry a claimed operation out to its end; return False if it was handed back or lost to another worker on the way.

    Raises only store failures; the lease then runs out and another worker goes on.
    """
    try:
        done = handlers[claim.operation_type](_assignment(claim, policy, terms, clock, stop))
        with transaction() as session:
            succeed(session, claim, done.document, now=clock(), subject_id=done.subject_id)
    except OperationLost:
        log.warning("operation_lost", operation=claim.operation_id)
        return False
    except Interrupted:
        _hand_back(claim)
        return False
    except Exception as error:
        if is_store_failure(error):
            raise
        return _fail(claim, error, clock)
    return True


def _assignment(claim: Claim, policy: DeploymentPolicy, terms: LeaseTerms, clock: Clock, stop: Stop) -> Assignment:
    key = (claim.tenant_id, claim.operation_id)
    operation = db.session.get(Operation, key, populate_existing=True)
    payload = db.session.get(OperationPayload, key)
    if operation is None or payload is None:
        raise NotFound(NOT_FOUND)
    return Assignment(claim, operation, payload, policy, terms, clock, stop)


def _hand_back(claim: Claim) -> None:
    """Release the operation for another worker; if the store is away this fails too, and the lease runs out instead."""
    try:
        with transaction() as session:
            release(session, claim)
    except Exception:  # the first failure is the one to report
        db.session.rollback()


def _fail(claim: Claim, error: Exception, clock: Clock) -> bool:
    log_unexpected(error, "operation_failed", operation=claim.operation_id)
    code, message = _code_and_message(error)
    try:
        with transaction() as session:
            fail(session, claim, code=code, message=message, now=clock())
    except OperationLost:
        return False
    return True


def _code_and_message(error: Exception) -> tuple[str, str]:
    if isinstance(error, LotusError):
        return error.code, error.message
    if isinstance(error, ValidationError):
        return STORED_REQUEST_INVALID, INVALID_MESSAGE
    return OPERATION_FAILED, FAILED_MESSAGE
