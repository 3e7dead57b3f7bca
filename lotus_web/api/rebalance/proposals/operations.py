"""Creating proposals and versions as operations, and looking the operations up (proposals-api §4, ADR-0001)."""

from __future__ import annotations

from typing import Literal

from flask import Response

from lotus_web.api.endpoint.auth import deciding_actor
from lotus_web.api.endpoint.params import Answer, Stamp
from lotus_web.api.endpoint.routing import ApiBlueprint, Call, endpoint, json_response
from lotus_web.api.rebalance.deliveries import CALLBACKS_OFF, checked
from lotus_web.api.rebalance.proposals import refusals
from lotus_web.api.rebalance.proposals.documents import made_document
from lotus_web.api.rebalance.proposals.lifecycle import CREATE_KEY, KEY, STEP_KEY
from lotus_web.api.rebalance.proposals.schemas import ProposalVersionMade
from lotus_web.api.rebalance.schemas.operations import OperationErrorBody, Status
from lotus_web.config import current
from lotus_web.config.features import PROPOSAL_ASYNC_OPERATIONS, PROPOSALS
from lotus_web.domain.access import Permission
from lotus_web.domain.operations import OperationFamily, status_url
from lotus_web.http.responses import utf8_json
from lotus_web.queries.operations.lookup import latest_operation, stored_operation
from lotus_web.queries.operations.proposals import ProposalOperation, proposal_operation
from lotus_web.services.operations.leases import LeaseTerms
from lotus_web.services.operations.submit import Accepted
from lotus_web.services.proposals.operation import submit_create, submit_version
from lotus_web.store.session import db
from lotus_web.wire.proposals.lifecycle import CreateProposalOperationBody, ProposalVersionOperationBody

routes = ApiBlueprint("proposal_operations", __name__)
FEATURES = (PROPOSALS, PROPOSAL_ASYNC_OPERATIONS)
FAMILY = OperationFamily.PROPOSALS
OperationKind = Literal["CREATE_PROPOSAL", "CREATE_PROPOSAL_VERSION"]


class ProposalOperationAccepted(Answer):
    """An operation as it was accepted, whether or not it is finished by now."""

    operation_id: str
    operation_type: OperationKind
    status: Literal["PENDING"]
    correlation_id: str
    created_at: Stamp
    status_url: str

    @classmethod
    def of(cls, accepted: Accepted) -> ProposalOperationAccepted:
        """Return the answer to a request that was accepted."""
        facts = {name: getattr(accepted, name) for name in ("operation_id", "operation_type", "correlation_id")}
        url = status_url(FAMILY, accepted.operation_id)
        return cls.model_validate({**facts, "status": "PENDING", "created_at": accepted.created_at, "status_url": url})


class ProposalOperationFacts(Answer):
    """An operation without its result, which is put together from what is stored."""

    operation_id: str
    operation_type: OperationKind
    status: Status
    correlation_id: str
    idempotency_key: str | None
    proposal_id: str | None
    created_by: str
    created_at: Stamp
    started_at: Stamp | None
    finished_at: Stamp | None
    error: OperationErrorBody | None


class ProposalOperationBody(ProposalOperationFacts):
    """An operation with its result, or the error that it ended with; no result either once retention has removed that."""

    result: ProposalVersionMade | None


@routes.post("/proposals/async")
@endpoint(
    "Accept a new proposal as an operation",
    permission=Permission.PROPOSALS_WRITE,
    features=FEATURES,
    headers=(CREATE_KEY,),
    body=CreateProposalOperationBody,
    response=ProposalOperationAccepted,
    status=202,
    refuses=(refusals.ACTOR_MISMATCH, CALLBACKS_OFF),
)
def post_proposal_async(call: Call, body: CreateProposalOperationBody) -> ProposalOperationAccepted:
    """Store the operation and, in INLINE mode, create the proposal before the response."""
    settings = current.settings()
    accepted = submit_create(
        body.command(),
        idempotency_key=call.headers[KEY] or "",
        callback_url=checked(body.callback_url),
        context=call.context(deciding_actor(call.actor, body.created_by)),
        terms=LeaseTerms.of(settings),
        inline=settings.executes_inline,
        clock=current.utcnow,
    )
    return ProposalOperationAccepted.of(accepted)


@routes.post("/proposals/<ident:proposal_id>/versions/async")
@endpoint(
    "Accept a new version of a proposal as an operation",
    permission=Permission.PROPOSALS_WRITE,
    features=FEATURES,
    headers=(STEP_KEY,),
    body=ProposalVersionOperationBody,
    response=ProposalOperationAccepted,
    status=202,
    refuses=(refusals.ACTOR_MISMATCH, CALLBACKS_OFF),
)
def post_version_async(call: Call, body: ProposalVersionOperationBody, proposal_id: str) -> ProposalOperationAccepted:
    """Store the operation and, in INLINE mode, add the version before the response; an unknown proposal ends it FAILED."""
    settings = current.settings()
    accepted = submit_version(
        proposal_id,
        body.command(),
        idempotency_key=call.headers[KEY],
        callback_url=checked(body.callback_url),
        context=call.context(deciding_actor(call.actor, body.created_by)),
        terms=LeaseTerms.of(settings),
        inline=settings.executes_inline,
        clock=current.utcnow,
    )
    return ProposalOperationAccepted.of(accepted)


@routes.get("/proposals/operations/<ident:operation_id>")
@endpoint(
    "Look an operation on proposals up by its id",
    permission=Permission.RUNS_READ,
    features=FEATURES,
    response=ProposalOperationBody,
    refuses=(refusals.OPERATION_NOT_FOUND,),
)
def get_proposal_operation(call: Call, operation_id: str) -> Response:
    """Return an operation with its result."""
    session, tenant_id = db.session(), call.actor.tenant_id
    return _response(
        proposal_operation(session, tenant_id, stored_operation(session, tenant_id, operation_id, (FAMILY,)))
    )


@routes.get("/proposals/operations/by-correlation/<ident:correlation_id>")
@endpoint(
    "Look up the newest operation on proposals of a correlation id",
    permission=Permission.RUNS_READ,
    features=FEATURES,
    response=ProposalOperationBody,
    refuses=(refusals.OPERATION_NOT_FOUND,),
)
def get_proposal_operation_by_correlation(call: Call, correlation_id: str) -> Response:
    """Return an operation with its result."""
    session, tenant_id = db.session(), call.actor.tenant_id
    return _response(
        proposal_operation(session, tenant_id, latest_operation(session, tenant_id, correlation_id, FAMILY))
    )


def _response(found: ProposalOperation) -> Response:
    row = found.row
    facts = ProposalOperationFacts.model_validate(
        {
            **{name: getattr(row, name) for name in ProposalOperationFacts.model_fields if hasattr(row, name)},
            "proposal_id": row.subject_id,
            "created_by": row.submitted_by,
        }
    )
    result = b"null" if found.outcome is None else made_document(found.outcome)
    return json_response(utf8_json(facts)[:-1] + b',"result":' + result + b"}")
