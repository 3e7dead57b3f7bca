"""GET /rebalance/lineage/{id}: the lineage edges of an id of any kind (RFC-0023, dpm-api §9.1, delta 17)."""

from __future__ import annotations

from flask import Response

from lotus_web.api.endpoint.routing import ApiBlueprint, Call, endpoint, json_response
from lotus_web.api.rebalance.refusals import INVALID_CURSOR
from lotus_web.api.rebalance.schemas.lineage import LineageBody, LineageParams, LineageWalkBody
from lotus_web.config.features import LINEAGE, SUPPORT
from lotus_web.domain.access import Permission
from lotus_web.http.responses import utf8_json
from lotus_web.queries.lineage import LineageFilter, lineage_page
from lotus_web.store.session import db

routes = ApiBlueprint("lineage", __name__)


@routes.get("/lineage/<ident:entity_id>")
@endpoint(
    "List the edges of an id",
    permission=Permission.RUNS_READ,
    features=(SUPPORT, LINEAGE),
    query=LineageParams,
    response=LineageBody,
    refuses=(INVALID_CURSOR,),
)
def get_lineage(call: Call, query: LineageParams, entity_id: str) -> LineageBody | Response:
    """Return a page of edges, oldest first; an unknown id has none. One step is answered as the reference does."""
    page = lineage_page(
        db.session(),
        call.actor.tenant_id,
        entity_id,
        LineageFilter(query.edge_type, query.from_, query.to),
        limit=query.limit,
        cursor=query.cursor,
        depth=query.depth,
    )
    if query.depth == 1:
        return LineageBody.model_validate(page)
    return json_response(utf8_json(LineageWalkBody.model_validate(page)))
