"""Legal holds on runs (RFC-0023, delta 16)."""

from __future__ import annotations

from lotus_web.api.endpoint.auth import deciding_actor
from lotus_web.api.endpoint.routing import ApiBlueprint, Call, endpoint
from lotus_web.api.rebalance.refusals import ACTOR_MISMATCH, HOLD_UNCHANGED, RUN_NOT_FOUND
from lotus_web.api.rebalance.schemas.retention import LegalHoldBody, LegalHoldRequest
from lotus_web.config.features import SUPPORT
from lotus_web.domain.access import Permission
from lotus_web.domain.surface import Surface
from lotus_web.queries.retention import legal_hold
from lotus_web.services.retention.legal_hold import set_legal_hold
from lotus_web.store.session import db, transaction

routes = ApiBlueprint("retention", __name__)


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
    recorded_as="change_legal_hold",
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
