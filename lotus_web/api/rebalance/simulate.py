"""POST /rebalance/simulate: one run for each key (dpm-api §3, deltas 1–5)."""

from __future__ import annotations

from flask import Response

from lotus_web.api.endpoint.inputs import HeaderParam
from lotus_web.api.endpoint.routing import ApiBlueprint, Call, endpoint, json_response
from lotus_web.api.rebalance.policy_packs import PACK_INVALID, POLICY_PACK, named_pack
from lotus_web.api.rebalance.refusals import KEY_CONFLICT, KEY_IN_PROGRESS, STORE_INCONSISTENT
from lotus_web.config import current
from lotus_web.domain.access import Permission
from lotus_web.domain.identifiers import check_idempotency_key
from lotus_web.http.request_ids import current_ids
from lotus_web.services.runs.simulate import simulate as simulate_run
from lotus_web.wire.rebalance.request import RebalanceRequestBody
from lotus_web.wire.rebalance.result import RebalanceResult

routes = ApiBlueprint("simulate", __name__)

IDEMPOTENCY_KEY = HeaderParam(
    "Idempotency-Key", check_idempotency_key, "1–255 visible characters; the same key and request give the same run"
)


@routes.post("/simulate")
@endpoint(
    "Simulate a rebalance and record the run",
    permission=Permission.RUNS_WRITE,
    headers=(IDEMPOTENCY_KEY, POLICY_PACK),
    body=RebalanceRequestBody,
    response=RebalanceResult,
    refuses=(KEY_CONFLICT, KEY_IN_PROGRESS, PACK_INVALID, STORE_INCONSISTENT),
)
def simulate(call: Call, body: RebalanceRequestBody) -> Response:
    """Return the stored result; a replay has the correlation id of the run that it repeats."""
    done = simulate_run(
        body,
        idempotency_key=call.headers[IDEMPOTENCY_KEY.name] or "",
        correlation_id=call.correlation_id,
        actor=call.actor,
        policy=current.policy(),
        clock=current.utcnow,
        policy_pack_id=named_pack(call),
    )
    current_ids().correlation_id = done.correlation_id
    return json_response(done.result)
