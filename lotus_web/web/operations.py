"""Operations: what is waiting, running, finished or failed, one of them with its progress, and executing them manually."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request, url_for
from flask.typing import ResponseReturnValue

from lotus_web.config import current
from lotus_web.config.features import (
    ASYNC_MANUAL_EXECUTION,
    ASYNC_OPERATIONS,
    SUPPORT,
    SUPPORT_BUNDLE,
)
from lotus_web.domain.access import Permission
from lotus_web.domain.errors import Conflict
from lotus_web.domain.operations import FINISHED, OperationStatus, OperationType
from lotus_web.http.request_ids import current_ids
from lotus_web.queries.deliveries.undelivered import dead_here
from lotus_web.queries.operations.lookup import OperationFilter, failed_scenarios, operation_page
from lotus_web.queries.operations.page import operation_detail, operation_payloads
from lotus_web.services.analyses.rerun import run_again
from lotus_web.services.handlers import HANDLERS
from lotus_web.services.operations.leases import LeaseTerms
from lotus_web.services.operations.worker import execute_now
from lotus_web.store.session import db
from lotus_web.web.format.fields import shown
from lotus_web.web.format.record_links import lineage_url
from lotus_web.web.guard.access import current_actor, requires
from lotus_web.web.guard.features import part_of, shown_operations
from lotus_web.web.guard.invalid_filters import redisplay_invalid_filters
from lotus_web.web.guard.refusal_log import logging_refusals
from lotus_web.web.shell.htmx import page_or_fragment, see_other
from lotus_web.web.shell.links import same_page
from lotus_web.web.shell.query_args import check_order, enum_arg, instant_arg, text_arg

blueprint = Blueprint("operations", __name__)
PAGE_SIZE = 50
# How often an open page asks, in seconds: while something moves, and while it waits for someone to take it up.
RUNNING_EVERY, WAITING_EVERY = 2, 5


@blueprint.get("/operations")
@requires(Permission.RUNS_READ)
@part_of(SUPPORT, ASYNC_OPERATIONS)
@redisplay_invalid_filters
def listing() -> ResponseReturnValue:
    """Show a page of operations, newest first."""
    filters, cursor = _filters_from_query(), request.args.get("cursor")
    session, tenant_id = db.session(), current_actor().tenant_id
    page = operation_page(
        session, tenant_id, filters, limit=PAGE_SIZE, cursor=cursor or None, families=shown_operations()
    )
    return page_or_fragment(
        "operations/operations.html",
        "operations/_operations.html",
        listing=page,
        failed=failed_scenarios(session, tenant_id, [row.operation_id for row in page.items]),
        given_up=dead_here(session, tenant_id),
        filters=filters,
        is_filtered=filters != OperationFilter(),
        moving=any(OperationStatus(row.status) not in FINISHED for row in page.items),
        every=WAITING_EVERY,
        cursor=cursor,
        now=current.utcnow(),
        same_page=same_page,
        statuses=[status.value for status in OperationStatus],
        types=[kind.value for kind in OperationType],
    )


def _filters_from_query() -> OperationFilter:
    start, end = instant_arg("from"), instant_arg("to", end_of_day=True)
    check_order(start, end)
    status, kind = enum_arg("status", OperationStatus), enum_arg("operation_type", OperationType)
    return OperationFilter(
        operation_type=kind.value if kind else None,
        status=status.value if status else None,
        correlation_id=text_arg("correlation_id"),
        created_from=start,
        created_to=end,
    )


@blueprint.get("/operations/<ident:operation_id>")
@requires(Permission.RUNS_READ)
@part_of(SUPPORT, ASYNC_OPERATIONS)
def show(operation_id: str) -> ResponseReturnValue:
    """Show an operation: its scenarios, how far it is, and what may be done about it."""
    return _page(operation_id)


def _page(operation_id: str, *, status: int = 200, conflict: Conflict | None = None) -> Response:
    detail = operation_detail(db.session(), current_actor().tenant_id, operation_id, shown_operations())
    return page_or_fragment(
        "operations/operation.html",
        "operations/_operation.html",
        status,
        detail=detail,
        operation=detail.row,
        finished=OperationStatus(detail.row.status) in FINISHED,
        every=RUNNING_EVERY if detail.row.status == OperationStatus.RUNNING else WAITING_EVERY,
        conflict=conflict,
        by_hand=ASYNC_MANUAL_EXECUTION.is_on,
        bundles=SUPPORT_BUNDLE.is_on,
        lineage_url=lineage_url,
        shown=shown,
        now=current.utcnow(),
    )


@blueprint.post("/operations/<ident:operation_id>/execute")
@requires(Permission.OPERATIONS_EXECUTE)
@part_of(ASYNC_OPERATIONS, ASYNC_MANUAL_EXECUTION)
def execute(operation_id: str) -> ResponseReturnValue:
    """Carry a waiting operation out now, or show why it cannot be."""
    try:
        with logging_refusals():
            execute_now(
                operation_id,
                tenant_id=current_actor().tenant_id,
                handlers=HANDLERS,
                policy=current.policy(),
                terms=LeaseTerms.of(current.settings()),
                clock=current.utcnow,
            )
    except Conflict as conflict:
        return _page(operation_id, status=409, conflict=conflict)
    flash("The operation was executed.", "success")
    return see_other(url_for("operations.show", operation_id=operation_id))


@blueprint.post("/operations/<ident:operation_id>/again")
@requires(Permission.OPERATIONS_EXECUTE)
@part_of(ASYNC_OPERATIONS)
def again(operation_id: str) -> ResponseReturnValue:
    """Accept the same request as a new operation and go there, or show why it cannot be."""
    settings = current.settings()
    try:
        with logging_refusals():
            accepted = run_again(
                operation_id,
                correlation_id=current_ids().correlation_id,
                actor=current_actor(),
                policy=current.policy(),
                terms=LeaseTerms.of(settings),
                inline=settings.executes_inline,
                clock=current.utcnow,
            )
    except Conflict as conflict:
        return _page(operation_id, status=409, conflict=conflict)
    flash("Accepted as a new operation.", "success")
    return see_other(url_for("operations.show", operation_id=accepted.operation_id))


@blueprint.get("/operations/<ident:operation_id>/raw")
@requires(Permission.RUNS_READ)
@part_of(SUPPORT, ASYNC_OPERATIONS)
def raw(operation_id: str) -> ResponseReturnValue:
    """Show the stored request or result as it is, as a page or inside its fold."""
    part = "request" if request.args.get("part") == "request" else "result"
    payloads = operation_payloads(db.session(), current_actor().tenant_id, operation_id, shown_operations())
    return page_or_fragment(
        "operations/raw.html",
        "operations/_raw.html",
        within=True,
        operation=payloads.row,
        part=part,
        payload=getattr(payloads, part) or "Nothing yet: the operation has not succeeded.",
    )
