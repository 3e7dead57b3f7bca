"""The summary of the store, the history of a key, and legal holds (RFC-0023, dpm-api §6, §9.2, delta 16)."""

from __future__ import annotations

from lotus_web.api.endpoint.auth import deciding_actor
from lotus_web.api.endpoint.routing import ApiBlueprint, Call, endpoint
from lotus_web.api.rebalance.refusals import ACTOR_MISMATCH, HOLD_UNCHANGED, KEY_NOT_FOUND, RUN_NOT_FOUND
from lotus_web.api.rebalance.schemas.idempotency import KeyHistoryBody
from lotus_web.api.rebalance.schemas.retention import LegalHoldBody, LegalHoldRequest
from lotus_web.api.rebalance.schemas.support import SummaryBody
from lotus_web.config import current
from lotus_web.config.features import IDEMPOTENCY_HISTORY, SUMMARY, SUPPORT
from lotus_web.domain.access import Permission
from lotus_web.domain.surface import Surface
from lotus_web.queries.idempotency.history import key_history
from lotus_web.queries.retention import legal_hold
from lotus_web.queries.support.summary import summary
from lotus_web.services.retention.legal_hold import set_legal_hold
from lotus_web.store.session import db, transaction

routes = ApiBlueprint("supportability", __name__)


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


@routes.get("/runs/<ident:rebalance_run_id>/legal-hold")
@endpoint(
    "Return whether a run is under legal hold",
    permission=Permission.RUNS_READ,
    features=(SUPPORT,),
    response=LegalHoldBody,
    refuses=(RUN_NOT_FOUND,),
)
def get_legal_hold(call: Call, rebalance_run_id: str) -> LegalHoldBody:
    """Return the hold of a run with its history."""
    return LegalHoldBody.model_validate(legal_hold(db.session(), call.actor.tenant_id, rebalance_run_id))


@routes.post("/runs/<ident:rebalance_run_id>/legal-hold")
@endpoint(
    "Set or lift the legal hold of a run",
    permission=Permission.ADMIN,
    features=(SUPPORT,),
    body=LegalHoldRequest,
    response=LegalHoldBody,
    refuses=(RUN_NOT_FOUND, ACTOR_MISMATCH, HOLD_UNCHANGED),
)
def post_legal_hold(call: Call, body: LegalHoldRequest, rebalance_run_id: str) -> LegalHoldBody:
    """Set or lift the hold and return its new state."""
    actor = deciding_actor(call.actor, body.actor_id)
    with transaction() as session:
        set_legal_hold(
            session,
            rebalance_run_id,
            hold=body.action == "SET",
            reason=body.reason,
            actor=actor,
            surface=Surface.RFC,
            now=call.now,
        )
        held = legal_hold(session, actor.tenant_id, rebalance_run_id)
    return LegalHoldBody.model_validate(held)
