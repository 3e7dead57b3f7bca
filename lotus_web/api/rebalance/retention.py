"""Legal holds on runs and proposals (RFC-0023, delta 16)."""

from __future__ import annotations

from lotus_web.api.endpoint.auth import deciding_actor
from lotus_web.api.endpoint.routing import ApiBlueprint, Call, endpoint
from lotus_web.api.rebalance.proposals.refusals import PROPOSAL_NOT_FOUND
from lotus_web.api.rebalance.refusals import ACTOR_MISMATCH, HOLD_UNCHANGED, RUN_NOT_FOUND
from lotus_web.api.rebalance.schemas.retention import LegalHoldBody, LegalHoldRequest, ProposalHoldBody
from lotus_web.config.features import PROPOSAL_SUPPORT, PROPOSALS, SUPPORT
from lotus_web.domain.access import Permission
from lotus_web.domain.lineage import EntityKind
from lotus_web.domain.surface import Surface
from lotus_web.queries.retention import legal_hold, proposal_legal_hold
from lotus_web.services.retention.legal_hold import set_legal_hold
from lotus_web.store.session import db, transaction

routes = ApiBlueprint("retention", __name__)


@routes.get("/runs/<ident:rebalance_run_id>/legal-hold")
@endpoint(
    "Return whether a run is under legal hold",
    permission=Permission.RUNS_READ,
    features=(SUPPORT,),
    response=LegalHoldBody,
    refuses=(RUN_NOT_FOUND,),
)
def get_legal_hold(call: Call, rebalance_run_id: str) -> LegalHoldBody:
    """Return the hold of a run with its history."""
    return LegalHoldBody.model_validate(legal_hold(db.session(), call.actor.tenant_id, rebalance_run_id))


@routes.post("/runs/<ident:rebalance_run_id>/legal-hold")
@endpoint(
    "Set or lift the legal hold of a run",
    permission=Permission.ADMIN,
    features=(SUPPORT,),
    body=LegalHoldRequest,
    response=LegalHoldBody,
    refuses=(RUN_NOT_FOUND, ACTOR_MISMATCH, HOLD_UNCHANGED),
    recorded_as="change_legal_hold",
)
def post_legal_hold(call: Call, body: LegalHoldRequest, rebalance_run_id: str) -> LegalHoldBody:
    """Set or lift the hold and return its new state."""
    actor = deciding_actor(call.actor, body.actor_id)
    with transaction() as session:
        set_legal_hold(
            session,
            rebalance_run_id,
            hold=body.action == "SET",
            reason=body.reason,
            actor=actor,
            surface=Surface.RFC,
            now=call.now,
        )
        held = legal_hold(session, actor.tenant_id, rebalance_run_id)
    return LegalHoldBody.model_validate(held)


@routes.get("/proposals/<ident:proposal_id>/legal-hold")
@endpoint(
    "Return whether a proposal is under legal hold",
    permission=Permission.RUNS_READ,
    features=(PROPOSALS, PROPOSAL_SUPPORT),
    response=ProposalHoldBody,
    refuses=(PROPOSAL_NOT_FOUND,),
)
def get_proposal_hold(call: Call, proposal_id: str) -> ProposalHoldBody:
    """Return the hold of a proposal with its history."""
    return ProposalHoldBody.model_validate(proposal_legal_hold(db.session(), call.actor.tenant_id, proposal_id))


@routes.post("/proposals/<ident:proposal_id>/legal-hold")
@endpoint(
    "Set or lift the legal hold of a proposal",
    permission=Permission.ADMIN,
    features=(PROPOSALS, PROPOSAL_SUPPORT),
    body=LegalHoldRequest,
    response=ProposalHoldBody,
    refuses=(PROPOSAL_NOT_FOUND, ACTOR_MISMATCH, HOLD_UNCHANGED),
    recorded_as="change_proposal_hold",
)
def post_proposal_hold(call: Call, body: LegalHoldRequest, proposal_id: str) -> ProposalHoldBody:
    """Set or lift the hold and return its new state."""
    actor = deciding_actor(call.actor, body.actor_id)
    with transaction() as session:
        set_legal_hold(
            session,
            proposal_id,
            kind=EntityKind.PROPOSAL,
            hold=body.action == "SET",
            reason=body.reason,
            actor=actor,
            surface=Surface.RFC,
            now=call.now,
        )
        held = proposal_legal_hold(session, actor.tenant_id, proposal_id)
    return ProposalHoldBody.model_validate(held)
