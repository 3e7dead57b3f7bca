"""POST /rebalance/proposals/simulate and …/artifact: a proposal computed once for each key (proposals-api §5, §6)."""

from __future__ import annotations

from flask import Response

from lotus_web.api.endpoint.inputs import HeaderParam
from lotus_web.api.endpoint.routing import ApiBlueprint, Call, endpoint, json_response
from lotus_web.api.rebalance.refusals import KEY_CONFLICT, RESULT_TOO_LARGE, SIMULATION_DISABLED
from lotus_web.domain.access import Permission
from lotus_web.domain.identifiers import check_idempotency_key
from lotus_web.http.request_ids import current_ids
from lotus_web.services.proposals.simulate import StoredSimulation, simulate_once
from lotus_web.wire.proposals.artifact_model import ProposalArtifact
from lotus_web.wire.proposals.request import SimulateRequestBody
from lotus_web.wire.proposals.result import ProposalResult

routes = ApiBlueprint("proposal_simulations", __name__)

IDEMPOTENCY_KEY = HeaderParam(
    "Idempotency-Key",
    check_idempotency_key,
    "1–255 visible characters; the same key and request give the same answer, on both routes",
)
REFUSES = (SIMULATION_DISABLED, RESULT_TOO_LARGE, KEY_CONFLICT)


def _simulated(call: Call, body: SimulateRequestBody) -> StoredSimulation:
    """Return the simulation; a repetition carries the correlation id of the call that it repeats."""
    done = simulate_once(body, idempotency_key=call.headers[IDEMPOTENCY_KEY.name] or "", context=call.context())
    current_ids().correlation_id = done.correlation_id
    return done


@routes.post("/proposals/simulate")
@endpoint(
    "Simulate a proposal",
    recorded_as="simulate_proposal",
    permission=Permission.PROPOSALS_WRITE,
    headers=(IDEMPOTENCY_KEY,),
    body=SimulateRequestBody,
    response=ProposalResult,
    refuses=REFUSES,
)
def simulate_proposal(call: Call, body: SimulateRequestBody) -> Response:
    """Answer with the stored result; BLOCKED is a 200 too."""
    return json_response(_simulated(call, body).result)


@routes.post("/proposals/artifact")
@endpoint(
    "Simulate a proposal and return its artifact",
    recorded_as="simulate_proposal",
    permission=Permission.PROPOSALS_WRITE,
    headers=(IDEMPOTENCY_KEY,),
    body=SimulateRequestBody,
    response=ProposalArtifact,
    refuses=REFUSES,
)
def proposal_artifact(call: Call, body: SimulateRequestBody) -> Response:
    """Answer with the stored artifact; its hash covers the proposal and not the call."""
    return json_response(_simulated(call, body).artifact)
