"""Decisions: who decided what, when and why, on a page and as a file."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from lotus_web.config import current
from lotus_web.domain.access import Permission
from lotus_web.domain.decisions.gate import ITEM_ACTION, GateAction
from lotus_web.domain.decisions.reason_codes import reason_text
from lotus_web.queries.decisions.history import (
    DecisionFilter,
    DecisionRow,
    all_decisions,
    decision_counts,
    decision_page,
)
from lotus_web.store.session import db
from lotus_web.web.guard.access import current_actor, requires
from lotus_web.web.guard.invalid_filters import redisplay_invalid_filters
from lotus_web.web.shell.csv import attribute_cells, csv_export
from lotus_web.web.shell.htmx import page_or_fragment
from lotus_web.web.shell.links import same_page, with_query
from lotus_web.web.shell.query_args import check_order, enum_arg, instant_arg, text_arg

blueprint = Blueprint("decisions", __name__)
PAGE_SIZE = 50
COLUMNS = tuple(DecisionRow.__slots__)


@blueprint.get("/decisions")
@requires(Permission.RUNS_READ)
@redisplay_invalid_filters
def show() -> ResponseReturnValue:
    """Show a page of decisions, newest first, with counts over the same filter."""
    filters, tenant_id, cursor = filter_from_query(), current_actor().tenant_id, request.args.get("cursor")
    session, codes = db.session(), current.settings().reason_codes
    return page_or_fragment(
        "decisions/decisions.html",
        "decisions/_decisions.html",
        listing=decision_page(session, tenant_id, filters, limit=PAGE_SIZE, cursor=cursor or None),
        counts=decision_counts(session, tenant_id, filters),
        filters=filters,
        is_filtered=filters != DecisionFilter(),
        cursor=cursor,
        now=current.utcnow(),
        same_page=same_page,
        export_url=with_query(url_for("decisions.export")),
        reason_of=lambda row: reason_text(ITEM_ACTION[GateAction(row.action)], row.reason_code, codes),
        reason_text=partial(reason_text, codes=codes),
        actions=[action.value for action in GateAction],
    )


@blueprint.get("/decisions.csv")
@requires(Permission.RUNS_READ)
def export() -> ResponseReturnValue:
    """Send every decision of the filter as a file, a batch at a time."""
    tenant_id, filters = current_actor().tenant_id, filter_from_query()
    return csv_export(
        "decisions",
        COLUMNS,
        lambda session: (attribute_cells(row, COLUMNS) for row in all_decisions(session, tenant_id, filters)),
    )


def filter_from_query() -> DecisionFilter:
    """Return the filter that the address names; raises InvalidInput."""
    start, end = instant_arg("from"), instant_arg("to", end_of_day=True)
    check_order(start, end)
    return DecisionFilter(
        run_id=text_arg("rebalance_run_id"),
        action=enum_arg("action", GateAction),
        actor_id=text_arg("actor_id"),
        reason_code=text_arg("reason_code"),
        portfolio_id=text_arg("portfolio_id"),
        decided_from=start,
        decided_to=end,
        text=text_arg("q"),
    )
