"""POST /rebalance/analyze and /rebalance/analyze/async: several scenarios of one portfolio (dpm-api §4, §5.1)."""

from __future__ import annotations

import json

from flask import Response

from lotus_web.api.endpoint.routing import ApiBlueprint, Call, endpoint, json_response
from lotus_web.api.rebalance.deliveries import CALLBACKS_OFF, checked
from lotus_web.api.rebalance.policy_packs import PACK_INVALID, POLICY_PACK, named_pack
from lotus_web.api.rebalance.schemas.operations import AcceptedBody, BatchBody
from lotus_web.config import current
from lotus_web.config.features import ASYNC_OPERATIONS
from lotus_web.domain.access import Permission
from lotus_web.domain.operations import OperationFamily, status_url
from lotus_web.http.request_ids import CORRELATION_HEADER, sent_header
from lotus_web.http.responses import utf8_safe
from lotus_web.services.analyses.operation import submit_analysis
from lotus_web.services.analyses.scenarios import analyze as analyze_batch
from lotus_web.services.operations.leases import LeaseTerms
from lotus_web.wire.rebalance.request import BatchOperationBody, BatchRequestBody

routes = ApiBlueprint("analyze", __name__)


@routes.post("/analyze")
@endpoint(
    "Analyze up to twenty scenarios of one portfolio and record each as a run",
    permission=Permission.RUNS_WRITE,
    headers=(POLICY_PACK,),
    body=BatchRequestBody,
    response=BatchBody,
    refuses=(PACK_INVALID,),
)
def analyze(call: Call, body: BatchRequestBody) -> Response:
    """Return every scenario's result or failure."""
    document = analyze_batch(
        body,
        correlation_id=sent_header(CORRELATION_HEADER),
        asked_under=call.correlation_id,
        actor=call.actor,
        policy=current.policy(),
        clock=current.utcnow,
        policy_pack_id=named_pack(call),
    )
    return json_response(utf8_safe(json.dumps(document, separators=(",", ":"), ensure_ascii=False)))


@routes.post("/analyze/async")
@endpoint(
    "Accept an analysis as an operation",
    permission=Permission.RUNS_WRITE,
    features=(ASYNC_OPERATIONS,),
    headers=(POLICY_PACK,),
    body=BatchOperationBody,
    response=AcceptedBody,
    status=202,
    refuses=(CALLBACKS_OFF,),
)
def analyze_async(call: Call, body: BatchOperationBody) -> AcceptedBody:
    """Store the operation and, in INLINE mode, execute it before the response."""
    settings = current.settings()
    accepted = submit_analysis(
        body.analysis(),
        correlation_id=call.correlation_id,
        actor=call.actor,
        policy=current.policy(),
        terms=LeaseTerms.of(settings),
        inline=settings.executes_inline,
        clock=current.utcnow,
        policy_pack_id=named_pack(call),
        callback_url=checked(body.callback_url),
    )
    url = status_url(OperationFamily.REBALANCE, accepted.operation_id)
    return AcceptedBody(
        operation_id=accepted.operation_id,
        operation_type=accepted.operation_type,
        status="PENDING",
        correlation_id=accepted.correlation_id,
        created_at=accepted.created_at,
        status_url=url,
        execute_url=f"{url}/execute",
    )
