"""Decisions across runs (RFC-0020 §4.1, dpm-api §8.1)."""

from __future__ import annotations

from lotus_web.api.endpoint.routing import ApiBlueprint, Call, endpoint
from lotus_web.api.rebalance.refusals import INVALID_CURSOR, RUN_NOT_FOUND
from lotus_web.api.rebalance.schemas.decisions import DecisionList, DecisionListParams, GateHistoryBody
from lotus_web.config.features import SUPPORT, WORKFLOW
from lotus_web.domain.access import Permission
from lotus_web.domain.paging import Page
from lotus_web.queries.decisions.gate import gate_history
from lotus_web.queries.decisions.history import DecisionFilter, decision_page
from lotus_web.queries.runs.lookup import run_id_of_correlation
from lotus_web.store.session import db

routes = ApiBlueprint("decisions", __name__)


@routes.get("/workflow/decisions")
@endpoint(
    "List decisions across runs, newest first",
    permission=Permission.RUNS_READ,
    features=(SUPPORT, WORKFLOW),
    query=DecisionListParams,
    response=DecisionList,
    refuses=(INVALID_CURSOR,),
)
def list_decisions(call: Call, query: DecisionListParams) -> DecisionList:
    """Return a page of decisions."""
    if query.matches_nothing:
        return DecisionList.of(Page((), None))
    filters = DecisionFilter(
        run_id=query.rebalance_run_id,
        action=query.action,
        actor_id=query.actor_id,
        reason_code=query.reason_code,
        decided_from=query.from_,
        decided_to=query.to,
    )
    page = decision_page(db.session(), call.actor.tenant_id, filters, limit=query.limit, cursor=query.cursor)
    return DecisionList.of(page)


@routes.get("/workflow/decisions/by-correlation/<ident:correlation_id>")
@endpoint(
    "List the decisions on the newest run of a correlation id",
    permission=Permission.RUNS_READ,
    features=(SUPPORT, WORKFLOW),
    response=GateHistoryBody,
    refuses=(RUN_NOT_FOUND,),
)
def list_decisions_by_correlation(call: Call, correlation_id: str) -> GateHistoryBody:
    """Return the decisions on the newest run of a correlation id."""
    session, tenant_id = db.session(), call.actor.tenant_id
    return GateHistoryBody.model_validate(
        gate_history(session, tenant_id, run_id_of_correlation(session, tenant_id, correlation_id))
    )
