"""Creating proposals and versions as durable operations: accepting them, and the handlers that carry them out (ADR-0001)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from lotus_web.domain.access import Permission, check_permission
from lotus_web.domain.errors import Conflict, Forbidden, InvalidInput, LotusError, NotFound
from lotus_web.domain.operations import OperationType
from lotus_web.domain.surface import Surface
from lotus_web.services.command import CommandContext
from lotus_web.services.operations.leases import Clock, LeaseTerms, claim_operation
from lotus_web.services.operations.submit import Accepted, submit_operation, submitter
from lotus_web.services.operations.worker import Assignment, Done, Handler, execute_inline
from lotus_web.services.proposals.create import create_proposal
from lotus_web.services.proposals.keys import Recorded
from lotus_web.services.proposals.versions import create_version
from lotus_web.store.session import transaction
from lotus_web.wire.packed import unpack_document
from lotus_web.wire.proposals.lifecycle import CreateProposalBody, ProposalVersionBody

# What a synchronous route refuses; in an operation it ends it.
REFUSALS = (Conflict, Forbidden, InvalidInput, NotFound)


def submit_create(
    body: CreateProposalBody,
    *,
    idempotency_key: str,
    callback_url: str | None,
    context: CommandContext,
    terms: LeaseTerms,
    inline: bool,
    clock: Clock,
) -> Accepted:
    """Accept a new proposal and, if ``inline``, create it before returning; a refusal shows on the operation, not here."""
    request = {"body": body.model_dump(mode="json")}
    asked = {"idempotency_key": idempotency_key, "subject_id": "", "callback_url": callback_url}
    return _submit(
        OperationType.CREATE_PROPOSAL, request, asked, context=context, terms=terms, inline=inline, clock=clock
    )


def submit_version(
    proposal_id: str,
    body: ProposalVersionBody,
    *,
    idempotency_key: str | None,
    callback_url: str | None,
    context: CommandContext,
    terms: LeaseTerms,
    inline: bool,
    clock: Clock,
) -> Accepted:
    """Accept a new version, of an unknown proposal too: that ends the operation with ``PROPOSAL_NOT_FOUND``."""
    request = {"body": body.model_dump(mode="json")}
    asked = {"idempotency_key": idempotency_key, "subject_id": proposal_id, "callback_url": callback_url}
    return _submit(
        OperationType.CREATE_PROPOSAL_VERSION, request, asked, context=context, terms=terms, inline=inline, clock=clock
    )


def _submit(
    kind: OperationType,
    request: Mapping[str, Any],
    asked: Mapping[str, Any],
    *,
    context: CommandContext,
    terms: LeaseTerms,
    inline: bool,
    clock: Clock,
) -> Accepted:
    check_permission(context.actor, Permission.PROPOSALS_WRITE)
    claim = None
    with transaction() as session:
        operation = submit_operation(
            session,
            kind,
            request=request,
            steps_total=1,
            correlation_id=context.correlation_id,
            actor=context.actor,
            now=clock(),
            **asked,
        )
        accepted = Accepted.of(operation)
        if inline:
            claim = claim_operation(session, context.actor.tenant_id, accepted.operation_id, terms=terms, now=clock())
    if claim is not None:
        execute_inline(claim, handlers={kind: CARRIES_OUT[kind]}, policy=context.policy, terms=terms, clock=clock)
    return accepted


def carry_out_create(assignment: Assignment) -> Done:
    """Create the proposal of a claimed operation; one that a lost worker created under the same key is the result too."""
    body = CreateProposalBody.model_validate(unpack_document(assignment.payload.request)["body"])
    operation, context = assignment.operation, _context(assignment)
    key, caused_by = operation.idempotency_key or "", operation.operation_id
    return _done(lambda: create_proposal(body, idempotency_key=key, context=context, caused_by=caused_by))


def carry_out_version(assignment: Assignment) -> Done:
    """Add the version of a claimed operation.

    A request without a key gets the operation's id for one, so that it is added once, however many workers were lost.
    """
    body = ProposalVersionBody.model_validate(unpack_document(assignment.payload.request)["body"])
    operation, context = assignment.operation, _context(assignment)
    proposal_id, caused_by = operation.subject_id, operation.operation_id
    key = operation.idempotency_key or caused_by
    return _done(lambda: create_version(proposal_id, body, idempotency_key=key, context=context, caused_by=caused_by))


CARRIES_OUT: Mapping[OperationType, Handler] = {
    OperationType.CREATE_PROPOSAL: carry_out_create,
    OperationType.CREATE_PROPOSAL_VERSION: carry_out_version,
}


def _context(assignment: Assignment) -> CommandContext:
    """Return the context of the command: the submitter's, whose permission was checked when it was accepted."""
    actor = replace(submitter(assignment.operation), permissions=frozenset({Permission.PROPOSALS_WRITE}))
    correlation_id = assignment.operation.correlation_id
    return CommandContext(actor, Surface.RFC, correlation_id, assignment.clock(), assignment.policy)


def _done(work: Callable[[], Recorded]) -> Done:
    """Return what was recorded; of a refusal, the code without its explanation and what the synchronous route answers.

    The result is the event from which the answer is built when it is read: versions and events never change.
    """
    try:
        recorded = work()
    except REFUSALS as refused:
        raise LotusError(refused.code.partition(":")[0], refused.code) from refused
    return Done({"event_id": recorded.event_id, "version_no": recorded.version_no}, subject_id=recorded.proposal_id)
