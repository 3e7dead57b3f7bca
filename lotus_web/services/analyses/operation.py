"""An analysis as a durable operation: accepting it, and the handler that carries it out (dpm-api §5)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.domain.access import Actor
from lotus_web.domain.errors import NotFound
from lotus_web.domain.lineage import EdgeType, EntityKind
from lotus_web.domain.operations import NOT_FOUND, OperationType
from lotus_web.models import Operation
from lotus_web.services.analyses.scenarios import Batch, Held, batch_document, new_batch_id, run_scenarios
from lotus_web.services.lineage import add_edge
from lotus_web.services.operations.leases import Clock, LeaseTerms, claim_operation
from lotus_web.services.operations.submit import Accepted, submit_operation, submitter
from lotus_web.services.operations.worker import Assignment, Done, Handlers, execute_inline
from lotus_web.services.policy_packs import pack_in_force
from lotus_web.store.session import db, transaction
from lotus_web.wire.packed import unpack_document
from lotus_web.wire.rebalance.request import BatchRequestBody, stored_request


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
    callback_url: str | None = None,
) -> Accepted:
    """Accept an analysis and, if ``inline``, carry it out before returning (dpm-api §5.1).

    The answer is the same either way: PENDING. From then on the operation is durable, and a failure while it is carried out
    shows on the operation, not here. ``again`` is the id of the operation that this one repeats; raises NotFound if it is gone.
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
            callback_url=callback_url,
        )
        if again is not None:
            _link_again(session, operation, again)
        accepted = Accepted.of(operation)
        if inline:
            claim = claim_operation(session, actor.tenant_id, accepted.operation_id, terms=terms, now=clock())
    if claim is not None:
        handlers: Handlers = {OperationType.ANALYZE_SCENARIOS: carry_out}
        execute_inline(claim, handlers=handlers, policy=policy, terms=terms, clock=clock)
    return accepted


def _link_again(session: Session, operation: Operation, again: str) -> None:
    # Locked, so that retention cannot remove it between the look and the edge.
    if session.get(Operation, (operation.tenant_id, again), with_for_update=True) is None:
        raise NotFound(NOT_FOUND)
    ends = ((EntityKind.OPERATION, operation.operation_id), (EntityKind.OPERATION, again))
    add_edge(session, EdgeType.REPLAYED_FROM, *ends, tenant_id=operation.tenant_id, now=operation.created_at)


def carry_out(assignment: Assignment) -> Done:
    """Run the scenarios of a claimed analysis that are not done yet, and return the whole batch's document."""
    operation, payload = assignment.operation, assignment.payload
    packs = assignment.policy.packs
    batch = Batch(
        body=BatchRequestBody.model_validate(unpack_document(payload.request)),
        batch_run_id=operation.subject_id,
        correlation_id=operation.correlation_id,
        run_at=operation.started_at or assignment.clock(),
        actor=submitter(operation),
        policy=assignment.policy,
        clock=assignment.clock,
        held=Held(assignment.claim, assignment.terms),
        pack=pack_in_force(db.session(), packs, requested=payload.policy_pack_id, tenant_id=operation.tenant_id),
    )
    return Done(batch_document(batch, run_scenarios(batch, stop=assignment.stop)))
