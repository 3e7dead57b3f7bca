"""Operations: list, look-ups and manual execution (RFC-0018, dpm-api §5.3)."""

from __future__ import annotations

from flask import Response

from lotus_web.api.endpoint.routing import ApiBlueprint, Call, endpoint, json_response
from lotus_web.api.rebalance.refusals import INVALID_CURSOR, NOT_EXECUTABLE, OPERATION_NOT_FOUND
from lotus_web.api.rebalance.schemas.operations import OperationBody, OperationFacts, OperationList, OperationListParams
from lotus_web.config import current
from lotus_web.config.features import ASYNC_MANUAL_EXECUTION, ASYNC_OPERATIONS, SUPPORT
from lotus_web.domain.access import Permission
from lotus_web.http.responses import utf8_json
from lotus_web.queries.operations.lookup import (
    OperationFilter,
    StoredOperation,
    latest_operation,
    operation_page,
    stored_operation,
)
from lotus_web.services.handlers import HANDLERS
from lotus_web.services.operations.leases import LeaseTerms
from lotus_web.services.operations.worker import execute_now
from lotus_web.store.session import db

routes = ApiBlueprint("operations", __name__)


@routes.get("/operations")
@endpoint(
    "List operations, newest first",
    permission=Permission.RUNS_READ,
    features=(SUPPORT, ASYNC_OPERATIONS),
    query=OperationListParams,
    response=OperationList,
    refuses=(INVALID_CURSOR,),
)
def list_operations(call: Call, query: OperationListParams) -> OperationList:
    """Return a page of operations without their results."""
    filters = OperationFilter(query.operation_type, query.status, query.correlation_id, query.from_, query.to)
    page = operation_page(db.session(), call.actor.tenant_id, filters, limit=query.limit, cursor=query.cursor)
    return OperationList.of(page)


@routes.get("/operations/<ident:operation_id>")
@endpoint(
    "Look an operation up by its id",
    permission=Permission.RUNS_READ,
    features=(SUPPORT, ASYNC_OPERATIONS),
    response=OperationBody,
    refuses=(OPERATION_NOT_FOUND,),
)
def get_operation(call: Call, operation_id: str) -> Response:
    """Return an operation with its result."""
    return json_response(operation_document(stored_operation(db.session(), call.actor.tenant_id, operation_id)))


@routes.get("/operations/by-correlation/<ident:correlation_id>")
@endpoint(
    "Look up the newest operation of a correlation id",
    permission=Permission.RUNS_READ,
    features=(SUPPORT, ASYNC_OPERATIONS),
    response=OperationBody,
    refuses=(OPERATION_NOT_FOUND,),
)
def get_operation_by_correlation(call: Call, correlation_id: str) -> Response:
    """Return an operation with its result."""
    return json_response(operation_document(latest_operation(db.session(), call.actor.tenant_id, correlation_id)))


@routes.post("/operations/<ident:operation_id>/execute")
@endpoint(
    "Execute an operation that is PENDING",
    permission=Permission.OPERATIONS_EXECUTE,
    features=(ASYNC_OPERATIONS, ASYNC_MANUAL_EXECUTION),
    response=OperationBody,
    refuses=(OPERATION_NOT_FOUND, NOT_EXECUTABLE),
)
def execute_operation(call: Call, operation_id: str) -> Response:
    """Execute the operation and return it finished; of several concurrent callers only one executes it."""
    stored_operation(db.session(), call.actor.tenant_id, operation_id)
    execute_now(
        operation_id,
        tenant_id=call.actor.tenant_id,
        handlers=HANDLERS,
        policy=current.policy(),
        terms=LeaseTerms.of(current.settings()),
        clock=current.utcnow,
    )
    return json_response(operation_document(stored_operation(db.session(), call.actor.tenant_id, operation_id)))


def operation_document(operation: StoredOperation) -> bytes:
    """Return an operation with its stored result spliced in unparsed."""
    facts = utf8_json(OperationFacts.model_validate(operation.row))
    return facts[:-1] + b',"result":' + (operation.result or b"null") + b"}"
