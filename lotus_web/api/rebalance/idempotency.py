"""The history of an idempotency key (RFC-0023, dpm-api §6)."""

from __future__ import annotations

from lotus_web.api.endpoint.routing import ApiBlueprint, Call, endpoint
from lotus_web.api.rebalance.refusals import KEY_NOT_FOUND
from lotus_web.api.rebalance.schemas.idempotency import KeyHistoryBody
from lotus_web.config.features import IDEMPOTENCY_HISTORY, SUPPORT
from lotus_web.domain.access import Permission
from lotus_web.queries.idempotency.history import key_history
from lotus_web.store.session import db

routes = ApiBlueprint("idempotency", __name__)


@routes.get("/idempotency/<ident:idempotency_key>/history")
@endpoint(
    "List the history of an idempotency key",
    permission=Permission.RUNS_READ,
    features=(SUPPORT, IDEMPOTENCY_HISTORY),
    response=KeyHistoryBody,
    refuses=(KEY_NOT_FOUND,),
)
def get_key_history(call: Call, idempotency_key: str) -> KeyHistoryBody:
    """Return recordings and replays under a key, oldest first."""
    return KeyHistoryBody.model_validate(key_history(db.session(), call.actor.tenant_id, idempotency_key))
