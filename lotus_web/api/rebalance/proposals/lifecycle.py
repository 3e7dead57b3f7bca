"""Proposals: create, list, read, transitions and approvals (proposals-api §1 routes 1–3, 6, 7)."""

from __future__ import annotations

from flask import Response

from lotus_web.api.endpoint.auth import deciding_actor
from lotus_web.api.endpoint.inputs import HeaderParam
from lotus_web.api.endpoint.routing import AnyToken, ApiBlueprint, Call, endpoint, json_response
from lotus_web.api.rebalance.proposals import refusals
from lotus_web.api.rebalance.proposals.documents import detail_document, made_document
from lotus_web.api.rebalance.proposals.schemas import (
    EvidenceParams,
    ProposalApprovalBody,
    ProposalApprovalRequest,
    ProposalDetailBody,
    ProposalEventBody,
    ProposalList,
    ProposalListParams,
    ProposalStepBody,
    ProposalVersionMade,
    StepBody,
    TransitionBody,
)
from lotus_web.api.rebalance.refusals import (
    INVALID_CURSOR,
    KEY_CONFLICT,
    RESULT_TOO_LARGE,
    SIGNATURE_REQUIRED,
    SIMULATION_DISABLED,
)
from lotus_web.config.features import PROPOSALS
from lotus_web.domain.access import Permission
from lotus_web.domain.identifiers import check_idempotency_key
from lotus_web.domain.proposals.rules import Expected
from lotus_web.domain.proposals.states import ProposalState
from lotus_web.http.refusal_log import set_audit_subject
from lotus_web.http.request_ids import current_ids
from lotus_web.queries.proposals.lookup import proposal_detail
from lotus_web.queries.proposals.outcome import step_outcome, version_outcome
from lotus_web.queries.proposals.page import ProposalFilter, proposal_page
from lotus_web.services.audit.transaction import AuditedAction, audited_transaction
from lotus_web.services.decisions.approvals import approve_proposal, transition_proposal
from lotus_web.services.proposals.create import create_proposal
from lotus_web.services.proposals.keys import Keyed, Recorded
from lotus_web.services.proposals.steps import Asked
from lotus_web.store.session import db
from lotus_web.wire.proposals.lifecycle import CreateProposalBody, request_hash

routes = ApiBlueprint("proposals", __name__)

KEY = "Idempotency-Key"
CREATE_KEY = HeaderParam(
    KEY, check_idempotency_key, "1–255 visible characters; the same key and request give the same answer"
)


def check_optional_key(sent: str | None) -> str | None:
    """Return the key, None where there is none; raises InvalidInput, for an empty one too (delta 39)."""
    return None if sent is None else check_idempotency_key(sent)


STEP_KEY = HeaderParam(
    KEY,
    check_optional_key,
    "1–255 visible characters; on one proposal, the same key and request give the same answer",
    required=False,
    tells_empty=True,
)
STEP_REFUSES = (
    refusals.PROPOSAL_NOT_FOUND,
    refusals.ACTOR_MISMATCH,
    KEY_CONFLICT,
    refusals.STATE_REQUIRED,
    refusals.STATE_MISMATCH,
    refusals.VERSION_CONFLICT,
)


def made_response(call: Call, recorded: Recorded) -> Response:
    """Return what a create or a new version answers with; a repetition carries the correlation id of what it repeats."""
    current_ids().correlation_id = recorded.correlation_id
    return json_response(made_document(version_outcome(db.session(), call.actor.tenant_id, recorded.event_id)))


@routes.post("/proposals")
@endpoint(
    "Create a proposal with its first version",
    recorded_as="create_proposal",
    permission=Permission.PROPOSALS_WRITE,
    features=(PROPOSALS,),
    headers=(CREATE_KEY,),
    body=CreateProposalBody,
    response=ProposalVersionMade,
    refuses=(refusals.ACTOR_MISMATCH, KEY_CONFLICT, SIMULATION_DISABLED, RESULT_TOO_LARGE),
)
def post_proposal(call: Call, body: CreateProposalBody) -> Response:
    """Simulate and record it as a draft; a BLOCKED one too."""
    context = call.context(deciding_actor(call.actor, body.created_by))
    return made_response(call, create_proposal(body, idempotency_key=call.headers[KEY] or "", context=context))


@routes.get("/proposals")
@endpoint(
    "List proposals, newest first",
    permission=Permission.RUNS_READ,
    features=(PROPOSALS,),
    query=ProposalListParams,
    response=ProposalList,
    refuses=(INVALID_CURSOR,),
)
def list_proposals(call: Call, query: ProposalListParams) -> ProposalList:
    """Return a page of proposals without their versions."""
    filters = ProposalFilter(query.portfolio_id, query.state, query.created_by, query.created_from, query.created_to)
    page = proposal_page(db.session(), call.actor.tenant_id, filters, limit=query.limit, cursor=query.cursor)
    return ProposalList.of(page)


@routes.get("/proposals/<ident:proposal_id>")
@endpoint(
    "Return a proposal with its current version",
    permission=Permission.RUNS_READ,
    features=(PROPOSALS,),
    query=EvidenceParams,
    response=ProposalDetailBody,
    refuses=(refusals.PROPOSAL_NOT_FOUND,),
)
def get_proposal(call: Call, query: EvidenceParams, proposal_id: str) -> Response:
    """Return a proposal as it stands."""
    detail = proposal_detail(db.session(), call.actor.tenant_id, proposal_id, include_evidence=query.include_evidence)
    return json_response(detail_document(detail))


@routes.post("/proposals/<ident:proposal_id>/transitions")
@endpoint(
    "Let an event happen to a proposal",
    recorded_as="move_proposal",
    permission=AnyToken.ANY,
    features=(PROPOSALS,),
    headers=(STEP_KEY,),
    body=TransitionBody,
    response=ProposalStepBody,
    refuses=(
        *STEP_REFUSES,
        refusals.INVALID_TRANSITION,
        refusals.APPROVAL_REQUIRED,
        refusals.BLOCKED,
        SIGNATURE_REQUIRED,
    ),
)
def post_transition(call: Call, body: TransitionBody, proposal_id: str) -> ProposalStepBody:
    """Move the proposal; rejecting what is under review needs `workflow_review`, everything else `proposals_write`."""
    audited = _audited(call, body, body.event_type.value, proposal_id)
    with audited_transaction(audited) as session:
        recorded = transition_proposal(
            session, proposal_id, body.event_type, _asked(call, body, body.reason), audited.context
        )
    return _step(call, recorded)


@routes.post("/proposals/<ident:proposal_id>/approvals")
@endpoint(
    "Record an approval of the current version, given or withheld",
    recorded_as="approve_proposal",
    permission=AnyToken.ANY,
    features=(PROPOSALS,),
    headers=(STEP_KEY,),
    body=ProposalApprovalRequest,
    response=ProposalStepBody,
    refuses=(*STEP_REFUSES, refusals.INVALID_APPROVAL_STATE, refusals.FOUR_EYES, SIGNATURE_REQUIRED),
)
def post_approval(call: Call, body: ProposalApprovalRequest, proposal_id: str) -> ProposalStepBody:
    """Record it and move the proposal; risk and compliance need `workflow_review`, the client's consent `proposals_write`."""
    audited = _audited(call, body, body.approval_type.value, proposal_id)
    with audited_transaction(audited) as session:
        recorded = approve_proposal(
            session,
            proposal_id,
            body.approval_type,
            _asked(call, body, body.details),
            audited.context,
            approved=body.approved,
        )
    return _step(call, recorded)


def _audited(call: Call, body: StepBody, action: str, proposal_id: str) -> AuditedAction:
    set_audit_subject(action, proposal_id)
    return AuditedAction(call.context(deciding_actor(call.actor, body.actor_id)), action, proposal_id)


def _asked(call: Call, body: StepBody, note: dict[str, object]) -> Asked:
    keyed = Keyed(request_hash(body), call.headers[KEY])
    return Asked(keyed, Expected(body.expected_state, body.related_version_no), note)


def _step(call: Call, recorded: Recorded) -> ProposalStepBody:
    """Return what the step led to then, whatever has happened since."""
    current_ids().correlation_id = recorded.correlation_id
    outcome = step_outcome(db.session(), call.actor.tenant_id, recorded.event_id)
    return ProposalStepBody(
        proposal_id=outcome.event.proposal_id,
        current_state=ProposalState(outcome.event.to_state),
        latest_workflow_event=ProposalEventBody.model_validate(outcome.event),
        approval=None if outcome.approval is None else ProposalApprovalBody.model_validate(outcome.approval),
    )
