"""Versions of a proposal: add, list and read (proposals-api §1 routes 4, 5; delta 31)."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from pydantic import Field, TypeAdapter, ValidationError

from lotus_web.api.endpoint.auth import deciding_actor
from lotus_web.api.endpoint.error_bodies import Problem
from lotus_web.api.endpoint.refusals import InvalidRequest
from lotus_web.api.endpoint.routing import ApiBlueprint, Call, endpoint, json_response
from lotus_web.api.rebalance.proposals import refusals
from lotus_web.api.rebalance.proposals.documents import version_document
from lotus_web.api.rebalance.proposals.lifecycle import KEY, STEP_KEY, made_response
from lotus_web.api.rebalance.proposals.schemas import (
    EvidenceParams,
    ProposalVersionDetail,
    ProposalVersionMade,
    VersionList,
    VersionListItem,
)
from lotus_web.api.rebalance.refusals import KEY_CONFLICT, RESULT_TOO_LARGE, SIMULATION_DISABLED
from lotus_web.config.features import PROPOSALS
from lotus_web.domain.access import Permission
from lotus_web.queries.proposals.lookup import proposal_version, proposal_versions
from lotus_web.services.proposals.versions import create_version
from lotus_web.store.session import db
from lotus_web.wire.proposals.lifecycle import ProposalVersionBody

routes = ApiBlueprint("proposal_versions", __name__)
NUMBER = TypeAdapter(Annotated[int, Field(ge=1)])


@routes.post("/proposals/<ident:proposal_id>/versions")
@endpoint(
    "Add a version to a proposal",
    recorded_as="create_proposal_version",
    permission=Permission.PROPOSALS_WRITE,
    features=(PROPOSALS,),
    headers=(STEP_KEY,),
    body=ProposalVersionBody,
    response=ProposalVersionMade,
    refuses=(
        refusals.PROPOSAL_NOT_FOUND,
        refusals.ACTOR_MISMATCH,
        KEY_CONFLICT,
        refusals.VERSION_CONFLICT,
        refusals.TERMINAL_STATE,
        SIMULATION_DISABLED,
        refusals.PORTFOLIO_MISMATCH,
        RESULT_TOO_LARGE,
    ),
)
def post_version(call: Call, body: ProposalVersionBody, proposal_id: str) -> Response:
    """Simulate and record it; the proposal is a draft again and its approvals are void."""
    context = call.context(deciding_actor(call.actor, body.created_by))
    recorded = create_version(proposal_id, body, idempotency_key=call.headers[KEY], context=context)
    return made_response(call, recorded)


@routes.get("/proposals/<ident:proposal_id>/versions")
@endpoint(
    "List the versions of a proposal",
    permission=Permission.RUNS_READ,
    features=(PROPOSALS,),
    response=VersionList,
    refuses=(refusals.PROPOSAL_NOT_FOUND,),
)
def list_versions(call: Call, proposal_id: str) -> VersionList:
    """Return every version without its documents, oldest first."""
    proposal, versions = proposal_versions(db.session(), call.actor.tenant_id, proposal_id)
    return VersionList(
        proposal_id=proposal.proposal_id,
        current_version_no=proposal.current_version_no,
        versions=[VersionListItem.model_validate(row) for row in versions],
    )


@routes.get("/proposals/<ident:proposal_id>/versions/<ident:version_no>")
@endpoint(
    "Return a version of a proposal",
    permission=Permission.RUNS_READ,
    features=(PROPOSALS,),
    query=EvidenceParams,
    response=ProposalVersionDetail,
    refuses=(refusals.VERSION_NOT_FOUND,),
)
def get_version(call: Call, query: EvidenceParams, proposal_id: str, version_no: str) -> Response:
    """Return a version as it was made."""
    version = proposal_version(
        db.session(),
        call.actor.tenant_id,
        proposal_id,
        _number(version_no),
        include_evidence=query.include_evidence,
    )
    return json_response(version_document(version))


def _number(sent: str) -> int:
    """Return a version's number; raises InvalidRequest for what is none from 1."""
    try:
        return NUMBER.validate_python(sent)
    except ValidationError as wrong:
        problems = [
            Problem.of(one["type"], ["path", "version_no"], one["msg"], sent) for one in wrong.errors(include_url=False)
        ]
        raise InvalidRequest(problems) from None
