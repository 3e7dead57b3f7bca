"""POST /rebalance/runs/{id}/replay: compute a stored request again with the current engine and compare."""

from __future__ import annotations

import json

from flask import Response

from lotus_web.api.endpoint.routing import ApiBlueprint, Call, endpoint, json_response
from lotus_web.api.rebalance.refusals import NOT_REPLAYABLE, RUN_NOT_FOUND
from lotus_web.api.rebalance.runs import run_document
from lotus_web.api.rebalance.schemas.runs import ReplayBody, RunDiffBody
from lotus_web.config import current
from lotus_web.config.features import SUPPORT
from lotus_web.domain.access import Permission
from lotus_web.http.responses import utf8_json
from lotus_web.queries.runs.diff import run_diff
from lotus_web.queries.runs.lookup import stored_run
from lotus_web.services.runs.replay import replay_run
from lotus_web.store.session import db

routes = ApiBlueprint("replay", __name__)


@routes.post("/runs/<ident:rebalance_run_id>/replay")
@endpoint(
    "Replay a run with today's engine and compare",
    permission=Permission.RUNS_WRITE,
    features=(SUPPORT,),
    response=ReplayBody,
    refuses=(RUN_NOT_FOUND, NOT_REPLAYABLE),
)
def replay(call: Call, rebalance_run_id: str) -> Response:
    """Record the new run and return it with the difference."""
    run_id = replay_run(
        rebalance_run_id,
        correlation_id=call.correlation_id,
        actor=call.actor,
        policy=current.policy(),
        clock=current.utcnow,
    )
    session, tenant_id = db.session(), call.actor.tenant_id
    diff = RunDiffBody.model_validate(run_diff(session, tenant_id, rebalance_run_id, run_id))
    run = run_document(stored_run(session, tenant_id, run_id))
    named = json.dumps(rebalance_run_id).encode()
    return json_response(b'{"replayed_from":%s,"diff":%s,"run":%s}' % (named, utf8_json(diff), run))
