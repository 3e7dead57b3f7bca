"""Runs: finding them, on a page and as a file, and the page of one that shows what its reviewer sees."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request, url_for
from flask.typing import ResponseReturnValue

from lotus_web.config import current
from lotus_web.domain.access import Permission
from lotus_web.domain.decisions.gate import gate_status
from lotus_web.domain.rebalance.values.codes import RunStatus
from lotus_web.queries.runs.lookup import RunFilter, RunRow, all_runs, run_page
from lotus_web.queries.runs.page import run_detail, run_payloads, workflow_id_of_run
from lotus_web.queries.traces.timeline import item_timeline
from lotus_web.services.audit.transaction import AuditedAction, audited_transaction
from lotus_web.services.decisions.gate import open_review
from lotus_web.store.session import db
from lotus_web.web.guard.access import current_actor, form_context, requires
from lotus_web.web.guard.invalid_filters import redisplay_invalid_filters
from lotus_web.web.items.page import item_page
from lotus_web.web.shell.csv import attribute_cells, csv_export
from lotus_web.web.shell.htmx import page_or_fragment, see_other
from lotus_web.web.shell.links import same_page, with_query
from lotus_web.web.shell.query_args import check_order, enum_arg, instant_arg, text_arg
from lotus_web.web.support.run_panel import run_support

blueprint = Blueprint("runs", __name__)
PAGE_SIZE = 50
OPEN_REVIEW = "runs_start_review"
COLUMNS = tuple(RunRow.__slots__)


@blueprint.get("/runs")
@requires(Permission.RUNS_READ)
@redisplay_invalid_filters
def listing() -> ResponseReturnValue:
    """Show a page of runs, newest first."""
    filters, cursor = filter_from_query(), request.args.get("cursor")
    page = run_page(db.session(), current_actor().tenant_id, filters, limit=PAGE_SIZE, cursor=cursor or None)
    return page_or_fragment(
        "runs/runs.html",
        "runs/_runs.html",
        listing=page,
        filters=filters,
        is_filtered=filters != RunFilter(),
        cursor=cursor,
        now=current.utcnow(),
        same_page=same_page,
        export_url=with_query(url_for("runs.export")),
        statuses=[status.value for status in RunStatus],
    )


@blueprint.get("/runs.csv")
@requires(Permission.RUNS_READ)
def export() -> ResponseReturnValue:
    """Send every run of the filter as a file, a batch at a time."""
    tenant_id, filters = current_actor().tenant_id, filter_from_query()
    return csv_export(
        "runs",
        COLUMNS,
        lambda session: (attribute_cells(row, COLUMNS) for row in all_runs(session, tenant_id, filters)),
    )


def filter_from_query() -> RunFilter:
    """Return the filter that the address names (RFC-0017 §4.1); raises InvalidInput."""
    start, end = instant_arg("from"), instant_arg("to", end_of_day=True)
    check_order(start, end)
    status = enum_arg("status", RunStatus)
    return RunFilter(
        status=status.value if status else None,
        request_hash=text_arg("request_hash"),
        portfolio_id=text_arg("portfolio_id"),
        created_from=start,
        created_to=end,
    )


@blueprint.get("/runs/<ident:run_id>")
@requires(Permission.RUNS_READ)
def show(run_id: str) -> ResponseReturnValue:
    """Show a run: with its item if it has one, else alone with what the gate says of it."""
    workflow_id = workflow_id_of_run(db.session(), current_actor().tenant_id, run_id)
    return _run_alone(run_id) if workflow_id is None else item_page(workflow_id)


def _run_alone(run_id: str) -> Response:
    session, actor, policy = db.session(), current_actor(), current.policy()
    run = run_detail(session, actor.tenant_id, run_id)
    required = policy.requires_review(run.run.status)
    return page_or_fragment(
        "runs/run.html",
        "runs/_run.html",
        run=run,
        gate=gate_status(required=required, item_status=None),
        required=required,
        workflow_enabled=policy.workflow_enabled,
        review_statuses=policy.review_statuses,
        support=run_support(session, actor.tenant_id, run_id),
        timeline=item_timeline(session, actor.tenant_id, trace_id=run.run.correlation_id, workflow_id=None),
        now=current.utcnow(),
    )


@blueprint.post("/runs/<ident:run_id>")
@requires(Permission.WORKFLOW_REVIEW)
def start_review(run_id: str) -> ResponseReturnValue:
    """Bring a run that was recorded while reviews were off into the inbox, and go to its item."""
    context = form_context()
    with audited_transaction(AuditedAction(context, OPEN_REVIEW, run_id)) as session:
        workflow_id = open_review(session, run_id, context)
    flash("The review was opened. Its SLA starts now.", "success")
    return see_other(url_for("items.show", workflow_id=workflow_id))


@blueprint.get("/runs/<ident:run_id>/raw")
@requires(Permission.RUNS_READ)
def raw(run_id: str) -> ResponseReturnValue:
    """Show the stored request or result as it is, as a page or inside its fold."""
    part = "request" if request.args.get("part") == "request" else "result"
    payloads = run_payloads(db.session(), current_actor().tenant_id, run_id)
    return page_or_fragment(
        "runs/raw.html", "runs/_raw.html", within=True, run=payloads.run, part=part, payload=getattr(payloads, part)
    )
