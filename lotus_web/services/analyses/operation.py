"""Carrying an operation out, from its claim to its end: whatever happens, it ends in a stable code or goes to another worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy.orm import Session

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.domain.access import Actor
from lotus_web.domain.errors import Conflict, LotusError, NotFound
from lotus_web.domain.lineage import EdgeType, EntityKind
from lotus_web.domain.operations import (
    NOT_EXECUTABLE,
    NOT_FOUND,
    OPERATION_FAILED,
    STORED_REQUEST_INVALID,
    OperationStatus,
    OperationType,
)
from lotus_web.models import Operation, OperationPayload
from lotus_web.services.analyses.scenarios import Batch, Held, batch_document, new_batch_id, run_scenarios
from lotus_web.services.lineage import add_edge
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
from lotus_web.services.operations.submit import submit_operation, submitter
from lotus_web.services.policy_packs import pack_in_force
from lotus_web.store.failures import is_store_failure
from lotus_web.store.session import db, transaction
from lotus_web.telemetry.logs import log_unexpected
from lotus_web.wire.packed import unpack_document
from lotus_web.wire.rebalance.request import BatchRequestBody, stored_request

FAILED_MESSAGE = "The operation failed unexpectedly; the log of the service has the cause."
INVALID_MESSAGE = "The stored request is not one that this version accepts."
LOST_MESSAGE = "This took longer than its lease, so another worker carries the operation out."
Stop = Callable[[], bool]
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Accepted:
    """An operation as it is accepted: stored and PENDING."""

    operation_id: str
    operation_type: str
    correlation_id: str
    created_at: datetime
    status: str = OperationStatus.PENDING.value


def never() -> bool:
    """Never ask to stop."""
    return False


def submit_analysis(
    body: BatchRequestBody,
    *,
    correlation_id: str,
    actor: Actor,
    policy: DeploymentPolicy,
    terms: LeaseTerms,
    inline: bool,
    clock: Clock,
    again: str | None = None,
    policy_pack_id: str | None = None,
) -> Accepted:
    """Accept an analysis and, if ``inline``, carry it out before returning (dpm-api §5.1).

    The answer is the same either way. The operation is durable then: what goes wrong while it is carried out is told by the
    operation, and a store that goes away in the middle leaves it to the jobs process. ``again`` names the operation that
    asked for the same before.
    """
    claim = None
    with transaction() as session:
        operation = submit_operation(
            session,
            OperationType.ANALYZE_SCENARIOS,
            request=stored_request(body),
            subject_id=new_batch_id(),
            steps_total=len(body.scenarios),
            correlation_id=correlation_id,
            actor=actor,
            now=clock(),
            policy_pack_id=policy_pack_id,
        )
        if again is not None:
            _link_again(session, operation, again, now=operation.created_at)
        accepted = Accepted(operation.operation_id, operation.operation_type, correlation_id, operation.created_at)
        if inline:
            claim = claim_operation(session, actor.tenant_id, accepted.operation_id, terms=terms, now=clock())
    if claim is not None:
        try:
            work_on(claim, policy=policy, terms=terms, clock=clock)
        except Exception as error:  # the store is away: the operation is accepted, and another will take it up
            log_unexpected(error, "inline_execution_interrupted", operation=accepted.operation_id)
            db.session.rollback()
    return accepted


def _link_again(session: Session, operation: Operation, again: str, *, now: datetime) -> None:
    # Locked, so that retention does not take it between the look and the edge.
    if session.get(Operation, (operation.tenant_id, again), with_for_update=True) is None:
        raise NotFound(NOT_FOUND)
    ends = ((EntityKind.OPERATION, operation.operation_id), (EntityKind.OPERATION, again))
    add_edge(session, EdgeType.REPLAYED_FROM, *ends, tenant_id=operation.tenant_id, now=now)


def execute_by_hand(
    operation_id: str, *, tenant_id: str, policy: DeploymentPolicy, terms: LeaseTerms, clock: Clock
) -> None:
    """Claim a PENDING operation and carry it out; raises NotFound, or Conflict for all but the first who ask.

    Conflict too for one whose lease ran out meanwhile: another worker carries it out, and it has not ended.
    """
    with transaction() as session:
        claim = claim_operation(session, tenant_id, operation_id, terms=terms, now=clock())
    if not work_on(claim, policy=policy, terms=terms, clock=clock):
        raise Conflict(NOT_EXECUTABLE, LOST_MESSAGE)


def work_on(claim: Claim, *, policy: DeploymentPolicy, terms: LeaseTerms, clock: Clock, stop: Stop = never) -> bool:
    """Carry a claimed operation out to its end; False if it was handed back or lost to another worker on the way.

    Raises only what a store that is away raises; the lease then runs out and another worker goes on.
    """
    try:
        document = WORK[claim.operation_type](claim, policy, terms, clock, stop)
        with transaction() as session:
            succeed(session, claim, document, now=clock())
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


def _analyze(claim: Claim, policy: DeploymentPolicy, terms: LeaseTerms, clock: Clock, stop: Stop) -> Mapping[str, Any]:
    operation, payload = _stored(claim)
    pack = pack_in_force(db.session(), policy.packs, requested=payload.policy_pack_id, tenant_id=operation.tenant_id)
    batch = Batch(
        body=BatchRequestBody.model_validate(unpack_document(payload.request)),
        batch_run_id=operation.subject_id,
        correlation_id=operation.correlation_id,
        run_at=operation.started_at or clock(),
        actor=submitter(operation),
        policy=policy,
        clock=clock,
        held=Held(claim, terms),
        pack=pack,
    )
    return batch_document(batch, run_scenarios(batch, stop=stop))


WORK: Mapping[OperationType, Callable[[Claim, DeploymentPolicy, LeaseTerms, Clock, Stop], Mapping[str, Any]]] = {
    OperationType.ANALYZE_SCENARIOS: _analyze
}


def _stored(claim: Claim) -> tuple[Operation, OperationPayload]:
    key = (claim.tenant_id, claim.operation_id)
    operation = db.session.get(Operation, key, populate_existing=True)
    payload = db.session.get(OperationPayload, key)
    if operation is None or payload is None:
        raise NotFound(NOT_FOUND)
    return operation, payload


def _hand_back(claim: Claim) -> None:
    """Let the operation go; where the store is away this fails too, and the lease lets it go later."""
    try:
        with transaction() as session:
            release(session, claim)
    except Exception:  # the first failure is the one to report
        db.session.rollback()


def _fail(claim: Claim, error: Exception, clock: Clock) -> bool:
    log_unexpected(error, "operation_failed", operation=claim.operation_id)
    code, message = _told(error)
    try:
        with transaction() as session:
            fail(session, claim, code=code, message=message, now=clock())
    except OperationLost:
        return False
    return True


def _told(error: Exception) -> tuple[str, str]:
    if isinstance(error, LotusError):
        return error.code, error.message
    if isinstance(error, ValidationError):
        return STORED_REQUEST_INVALID, INVALID_MESSAGE
    return OPERATION_FAILED, FAILED_MESSAGE
