"""The gate of a run: its state, its history and the three decisions, by run, correlation id or key (RFC-0020 §4.1)."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from lotus_web.api.endpoint.auth import deciding_actor
from lotus_web.api.endpoint.presented import EVIDENCE_TAG, presented_by
from lotus_web.api.endpoint.routing import ApiBlueprint, Call, Declare, endpoint
from lotus_web.api.rebalance.refusals import (
    ACTOR_MISMATCH,
    EVIDENCE_CHANGED,
    EVIDENCE_REQUIRED,
    FOUR_EYES,
    INVALID_TRANSITION,
    KEY_NOT_FOUND,
    NOT_REQUIRED,
    RUN_NOT_FOUND,
    SIGNATURE_REQUIRED,
)
from lotus_web.api.rebalance.schemas.decisions import GateActionBody, GateHistoryBody, GateStateBody
from lotus_web.config import current
from lotus_web.config.features import SUPPORT, WORKFLOW
from lotus_web.domain.access import Permission
from lotus_web.domain.decisions.gate import ITEM_ACTION, gate_status
from lotus_web.domain.errors import NotFound
from lotus_web.domain.items.subjects import SubjectType, item_id
from lotus_web.http.refusal_log import set_audit_subject
from lotus_web.queries.decisions.gate import GateState, gate_history, run_gate
from lotus_web.queries.decisions.of_run import decision_record
from lotus_web.queries.idempotency.keys import key_mapping
from lotus_web.queries.runs.lookup import correlation_of_run, run_id_of_correlation
from lotus_web.services.audit.transaction import AuditedAction, Subject, audited_transaction
from lotus_web.services.decisions.gate import DecidedRun, decide_run
from lotus_web.store.session import db

routes = ApiBlueprint("gate", __name__)

FindRun = Callable[[Session, str, str], str]


def same_id(_session: Session, _tenant_id: str, run_id: str) -> str:
    """Return a run id as it is."""
    return run_id


def run_id_of_key(session: Session, tenant_id: str, key: str) -> str:
    """Return the id of the run of an idempotency key; raises NotFound."""
    return key_mapping(session, tenant_id, key).rebalance_run_id


def _reads(summary: str, response: type[GateStateBody | GateHistoryBody], *, by_key: bool = False) -> Declare:
    return endpoint(
        summary,
        permission=Permission.RUNS_READ,
        features=(SUPPORT, WORKFLOW),
        response=response,
        refuses=(KEY_NOT_FOUND, RUN_NOT_FOUND) if by_key else (RUN_NOT_FOUND,),
    )


def _decides(summary: str, *, by_key: bool = False) -> Declare:
    not_found = (KEY_NOT_FOUND, RUN_NOT_FOUND) if by_key else (RUN_NOT_FOUND,)
    return endpoint(
        summary,
        permission=Permission.WORKFLOW_REVIEW,
        features=(SUPPORT, WORKFLOW),
        headers=(EVIDENCE_TAG,),
        body=GateActionBody,
        response=GateStateBody,
        refuses=(
            *not_found,
            ACTOR_MISMATCH,
            FOUR_EYES,
            NOT_REQUIRED,
            INVALID_TRANSITION,
            EVIDENCE_REQUIRED,
            EVIDENCE_CHANGED,
            SIGNATURE_REQUIRED,
        ),
    )


def _state(call: Call, named: str, find: FindRun) -> GateStateBody:
    session, tenant_id = db.session(), call.actor.tenant_id
    run_id = find(session, tenant_id, named)
    return GateStateBody.model_validate(
        run_gate(session, tenant_id, run_id, requires_review=current.policy().requires_review)
    )


def _history(call: Call, named: str, find: FindRun) -> GateHistoryBody:
    session, tenant_id = db.session(), call.actor.tenant_id
    return GateHistoryBody.model_validate(gate_history(session, tenant_id, find(session, tenant_id, named)))


def _decide(call: Call, body: GateActionBody, named: str, find: FindRun) -> GateStateBody:
    """Decide, and answer with the state that the decision led to, not with one that a later decision made."""
    action, subject = ITEM_ACTION[body.action].value, _subject(call, named, find)
    set_audit_subject(action, subject)
    context = call.context(deciding_actor(call.actor, body.actor_id))
    tenant_id = context.actor.tenant_id
    run_id = find(db.session(), tenant_id, named)
    with audited_transaction(AuditedAction(context, action, subject)) as session:
        decided = decide_run(
            session,
            run_id,
            action=body.action,
            reason_code=body.reason_code,
            comment=body.comment,
            context=context,
            presented=lambda workflow_id: presented_by(call, workflow_id, body.evidence_digest),
        )
    return GateStateBody.model_validate(_state_after(run_id, decided))


def _state_after(run_id: str, decided: DecidedRun) -> GateState:
    status = gate_status(required=decided.requires_review, item_status=decided.reviewed.item.status)
    latest = decision_record(decided.reviewed.decision) if decided.reviewed.decision else None
    return GateState(run_id, decided.run_status, status, decided.requires_review, latest)


def _subject(call: Call, named: str, find: FindRun) -> Subject:
    """Return how to find the item that a decision is about, whether or not it exists yet; ``named`` without such a run."""
    tenant_id = call.actor.tenant_id

    def found(session: Session) -> str:
        try:
            run_id = find(session, tenant_id, named)
            return item_id(correlation_of_run(session, tenant_id, run_id), SubjectType.RUN, run_id)
        except NotFound:
            return named

    return found


@routes.get("/runs/<ident:rebalance_run_id>/workflow")
@_reads("Return the gate of a run", GateStateBody)
def get_gate(call: Call, rebalance_run_id: str) -> GateStateBody:
    """Return the gate of a run."""
    return _state(call, rebalance_run_id, same_id)


@routes.get("/runs/by-correlation/<ident:correlation_id>/workflow")
@_reads("Return the gate of the newest run of a correlation id", GateStateBody)
def get_gate_by_correlation(call: Call, correlation_id: str) -> GateStateBody:
    """Return the gate of the newest run of a correlation id."""
    return _state(call, correlation_id, run_id_of_correlation)


@routes.get("/runs/idempotency/<ident:idempotency_key>/workflow")
@_reads("Return the gate of the run of an idempotency key", GateStateBody, by_key=True)
def get_gate_by_key(call: Call, idempotency_key: str) -> GateStateBody:
    """Return the gate of the run of an idempotency key."""
    return _state(call, idempotency_key, run_id_of_key)


@routes.get("/runs/<ident:rebalance_run_id>/workflow/history")
@_reads("List the decisions on a run", GateHistoryBody)
def get_history(call: Call, rebalance_run_id: str) -> GateHistoryBody:
    """Return the decisions on a run."""
    return _history(call, rebalance_run_id, same_id)


@routes.get("/runs/by-correlation/<ident:correlation_id>/workflow/history")
@_reads("List the decisions on the newest run of a correlation id", GateHistoryBody)
def get_history_by_correlation(call: Call, correlation_id: str) -> GateHistoryBody:
    """Return the decisions on the newest run of a correlation id."""
    return _history(call, correlation_id, run_id_of_correlation)


@routes.get("/runs/idempotency/<ident:idempotency_key>/workflow/history")
@_reads("List the decisions on the run of an idempotency key", GateHistoryBody, by_key=True)
def get_history_by_key(call: Call, idempotency_key: str) -> GateHistoryBody:
    """Return the decisions on the run of an idempotency key."""
    return _history(call, idempotency_key, run_id_of_key)


@routes.post("/runs/<ident:rebalance_run_id>/workflow/actions")
@_decides("Decide on a run")
def decide(call: Call, body: GateActionBody, rebalance_run_id: str) -> GateStateBody:
    """Apply APPROVE, REJECT or REQUEST_CHANGES."""
    return _decide(call, body, rebalance_run_id, same_id)


@routes.post("/runs/by-correlation/<ident:correlation_id>/workflow/actions")
@_decides("Decide on the newest run of a correlation id")
def decide_by_correlation(call: Call, body: GateActionBody, correlation_id: str) -> GateStateBody:
    """Apply APPROVE, REJECT or REQUEST_CHANGES."""
    return _decide(call, body, correlation_id, run_id_of_correlation)


@routes.post("/runs/idempotency/<ident:idempotency_key>/workflow/actions")
@_decides("Decide on the run of an idempotency key", by_key=True)
def decide_by_key(call: Call, body: GateActionBody, idempotency_key: str) -> GateStateBody:
    """Apply APPROVE, REJECT or REQUEST_CHANGES."""
    return _decide(call, body, idempotency_key, run_id_of_key)
