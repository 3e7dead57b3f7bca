"""The summary of the store (RFC-0023, dpm-api §9.2)."""

from __future__ import annotations

from lotus_web.api.endpoint.routing import ApiBlueprint, Call, endpoint
from lotus_web.api.rebalance.schemas.support import SummaryBody
from lotus_web.config import current
from lotus_web.config.features import SUMMARY, SUPPORT
from lotus_web.domain.access import Permission
from lotus_web.queries.support.summary import summary
from lotus_web.store.session import db

routes = ApiBlueprint("support", __name__)


@routes.get("/supportability/summary")
@endpoint(
    "Summarise what the store holds",
    permission=Permission.RUNS_READ,
    features=(SUPPORT, SUMMARY),
    response=SummaryBody,
)
def get_summary(call: Call) -> SummaryBody:
    """Return counts by status, action and reason, and the ages of the oldest and newest."""
    settings = current.settings()
    found = summary(
        db.session(),
        call.actor.tenant_id,
        store_backend=settings.store_backend,
        retention_days=settings.retention_days,
    )
    return SummaryBody.model_validate(found)
