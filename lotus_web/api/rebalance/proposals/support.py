"""What support looks up of proposals: events, approvals, lineage, keys, and what is switched on (proposals-api §1 routes 8–12)."""

from __future__ import annotations

from typing import Literal

from lotus_web.api.endpoint.routing import ApiBlueprint, Call, endpoint
from lotus_web.api.rebalance.proposals import refusals
from lotus_web.api.rebalance.proposals.schemas import (
    ProposalApprovalBody,
    ProposalApprovalsBody,
    ProposalBody,
    ProposalConfigBody,
    ProposalEventBody,
    ProposalEventsBody,
    ProposalKeyBody,
    ProposalLineageBody,
    VersionItem,
)
from lotus_web.config import current
from lotus_web.config.features import PROPOSAL_SUPPORT, PROPOSALS
from lotus_web.domain.access import Permission
from lotus_web.domain.proposals.states import ProposalState
from lotus_web.queries.proposals.history import proposal_approvals, proposal_events
from lotus_web.queries.proposals.lookup import key_of_create, proposal_summary, proposal_versions
from lotus_web.store.failures import store_answers
from lotus_web.store.session import db

routes = ApiBlueprint("proposal_support", __name__)
LOOK_UPS = (PROPOSALS, PROPOSAL_SUPPORT)
STORE_AWAY: Literal["DPM_STORE_UNAVAILABLE"] = "DPM_STORE_UNAVAILABLE"


@routes.get("/proposals/<ident:proposal_id>/workflow-events")
@endpoint(
    "List the events of a proposal",
    permission=Permission.RUNS_READ,
    features=LOOK_UPS,
    response=ProposalEventsBody,
    refuses=(refusals.PROPOSAL_NOT_FOUND,),
)
def list_proposal_events(call: Call, proposal_id: str) -> ProposalEventsBody:
    """Return the events, oldest first."""
    session, tenant_id = db.session(), call.actor.tenant_id
    proposal = proposal_summary(session, tenant_id, proposal_id)
    events = proposal_events(session, tenant_id, proposal_id)
    return ProposalEventsBody(
        proposal_id=proposal.proposal_id,
        current_state=ProposalState(proposal.current_state),
        events=[ProposalEventBody.model_validate(row) for row in events],
    )


@routes.get("/proposals/<ident:proposal_id>/approvals")
@endpoint(
    "List the approvals of a proposal",
    permission=Permission.RUNS_READ,
    features=LOOK_UPS,
    response=ProposalApprovalsBody,
    refuses=(refusals.PROPOSAL_NOT_FOUND,),
)
def list_proposal_approvals(call: Call, proposal_id: str) -> ProposalApprovalsBody:
    """Return the approvals, oldest first; a void one says since when and by which version."""
    session, tenant_id = db.session(), call.actor.tenant_id
    proposal = proposal_summary(session, tenant_id, proposal_id)
    approvals = proposal_approvals(session, tenant_id, proposal_id)
    return ProposalApprovalsBody(
        proposal_id=proposal.proposal_id,
        approvals=[ProposalApprovalBody.model_validate(row) for row in approvals],
    )


@routes.get("/proposals/<ident:proposal_id>/lineage")
@endpoint(
    "Return the hashes of a proposal's versions",
    permission=Permission.RUNS_READ,
    features=LOOK_UPS,
    response=ProposalLineageBody,
    refuses=(refusals.PROPOSAL_NOT_FOUND,),
)
def get_proposal_lineage(call: Call, proposal_id: str) -> ProposalLineageBody:
    """Return the proposal and its versions, oldest first."""
    proposal, versions = proposal_versions(db.session(), call.actor.tenant_id, proposal_id)
    return ProposalLineageBody(
        proposal=ProposalBody.model_validate(proposal),
        versions=[VersionItem.model_validate(row) for row in versions],
    )


@routes.get("/proposals/idempotency/<ident:idempotency_key>")
@endpoint(
    "Look up the proposal of an idempotency key",
    permission=Permission.RUNS_READ,
    features=LOOK_UPS,
    response=ProposalKeyBody,
    refuses=(refusals.KEY_NOT_FOUND,),
)
def get_proposal_key(call: Call, idempotency_key: str) -> ProposalKeyBody:
    """Return what the key created; keys of other writes belong to their proposal."""
    return ProposalKeyBody.model_validate(key_of_create(db.session(), call.actor.tenant_id, idempotency_key))


@routes.get("/proposals/supportability/config")
@endpoint(
    "Return what is switched on for proposals, and whether the store answers",
    permission=Permission.RUNS_READ,
    without_store=True,
    response=ProposalConfigBody,
)
def get_proposal_config(call: Call | None = None) -> ProposalConfigBody:
    """Return the settings in force; while the store is away nobody can be known, and every token is answered."""
    settings = current.settings()
    ready = call is not None and store_answers()
    return ProposalConfigBody(
        store_backend=settings.store_backend,
        backend_ready=ready,
        backend_init_error=None if ready else STORE_AWAY,
        lifecycle_enabled=settings.proposal_lifecycle_enabled,
        support_apis_enabled=settings.proposal_support_apis_enabled,
        async_operations_enabled=settings.proposal_async_operations_enabled,
        store_evidence_bundle=settings.proposal_store_evidence,
        require_expected_state=settings.proposal_require_expected_state,
        allow_portfolio_id_change_on_new_version=settings.proposal_allow_portfolio_change,
        require_proposal_simulation_flag=settings.proposal_require_simulation_flag,
    )
