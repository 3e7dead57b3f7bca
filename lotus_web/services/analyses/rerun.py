"""Rerunning an analysis: its stored request is accepted again, submitted by the caller."""

from __future__ import annotations

from pydantic import ValidationError

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.domain.access import Actor, Permission, check_permission
from lotus_web.domain.errors import Conflict, NotFound
from lotus_web.domain.operations import FINISHED, NOT_FOUND, OperationFamily, OperationStatus
from lotus_web.models import Operation, OperationPayload
from lotus_web.services.analyses.operation import submit_analysis
from lotus_web.services.operations.leases import Clock, LeaseTerms
from lotus_web.services.operations.submit import Accepted
from lotus_web.services.operations.worker import INVALID_MESSAGE
from lotus_web.store.session import db
from lotus_web.wire.packed import unpack_document
from lotus_web.wire.rebalance.request import BatchRequestBody

NOT_FINISHED = "DPM_ASYNC_OPERATION_NOT_FINISHED"
NOT_REPEATABLE = "DPM_ASYNC_OPERATION_NOT_REPEATABLE"


def run_again(
    operation_id: str,
    *,
    correlation_id: str,
    actor: Actor,
    policy: DeploymentPolicy,
    terms: LeaseTerms,
    inline: bool,
    clock: Clock,
) -> Accepted:
    """Accept the request of a finished operation as a new operation, with an edge REPLAYED_FROM the new to the old.

    Equal to sending the request again: it needs the same permission, and its runs go through the gate. Raises
    Forbidden, NotFound, or Conflict for an operation that has not ended or whose request this version does not accept.
    """
    check_permission(actor, Permission.RUNS_WRITE)
    reader = db.session()
    operation = reader.get(Operation, (actor.tenant_id, operation_id), populate_existing=True)
    payload = reader.get(OperationPayload, (actor.tenant_id, operation_id), populate_existing=True)
    if operation is None or payload is None or operation.family != OperationFamily.REBALANCE:
        raise NotFound(NOT_FOUND)
    if OperationStatus(operation.status) not in FINISHED:
        raise Conflict(NOT_FINISHED, "The operation has not ended yet; there is nothing to run again.")
    return submit_analysis(
        _request(payload),
        correlation_id=correlation_id,
        actor=actor,
        policy=policy,
        terms=terms,
        inline=inline,
        clock=clock,
        again=operation_id,
        policy_pack_id=payload.policy_pack_id,
    )


def _request(payload: OperationPayload) -> BatchRequestBody:
    try:
        return BatchRequestBody.model_validate(unpack_document(payload.request))
    except ValidationError:
        raise Conflict(NOT_REPEATABLE, INVALID_MESSAGE) from None
