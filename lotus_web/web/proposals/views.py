"""Proposals: finding them, on a page and as a file."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from lotus_web.config import current
from lotus_web.config.features import PROPOSALS
from lotus_web.domain.access import Permission
from lotus_web.domain.proposals.states import ProposalState
from lotus_web.queries.proposals.page import ProposalFilter, all_proposals, proposal_page
from lotus_web.queries.proposals.rows import ProposalSummary
from lotus_web.store.session import db
from lotus_web.web.guard.access import current_actor, requires
from lotus_web.web.guard.features import part_of
from lotus_web.web.guard.invalid_filters import redisplay_invalid_filters
from lotus_web.web.shell.csv import attribute_cells, csv_export
from lotus_web.web.shell.htmx import page_or_fragment
from lotus_web.web.shell.links import same_page, with_query
from lotus_web.web.shell.query_args import enum_arg, text_arg

blueprint = Blueprint("proposals", __name__)
PAGE_SIZE = 50
COLUMNS = tuple(ProposalSummary.__slots__)


class Age(StrEnum):
    """How old the listed proposals are."""

    DAY = "day"
    WEEK = "week"
    OVER_WEEK = "over_week"
    OVER_MONTH = "over_month"


AGES = {
    Age.DAY: "At most a day",
    Age.WEEK: "At most a week",
    Age.OVER_WEEK: "More than a week",
    Age.OVER_MONTH: "More than 30 days",
}
# Days since the creation: at most, or at least, so many.
AT_MOST = {Age.DAY: 1, Age.WEEK: 7}
AT_LEAST = {Age.OVER_WEEK: 7, Age.OVER_MONTH: 30}


@blueprint.get("/proposals")
@requires(Permission.RUNS_READ)
@part_of(PROPOSALS)
@redisplay_invalid_filters
def listing() -> ResponseReturnValue:
    """Show a page of proposals, newest first."""
    now = current.utcnow()
    filters, cursor = filter_from_query(now), request.args.get("cursor")
    page = proposal_page(db.session(), current_actor().tenant_id, filters, limit=PAGE_SIZE, cursor=cursor or None)
    return page_or_fragment(
        "proposals/proposals.html",
        "proposals/_proposals.html",
        listing=page,
        filters=filters,
        age=text_arg("age"),
        is_filtered=filters != ProposalFilter(),
        cursor=cursor,
        now=now,
        same_page=same_page,
        export_url=with_query(url_for("proposals.export")),
        states=[state.value for state in ProposalState],
        ages=[(age.value, label) for age, label in AGES.items()],
    )


@blueprint.get("/proposals.csv")
@requires(Permission.RUNS_READ)
@part_of(PROPOSALS)
def export() -> ResponseReturnValue:
    """Send every proposal of the filter as a file, a batch at a time."""
    tenant_id, filters = current_actor().tenant_id, filter_from_query(current.utcnow())
    return csv_export(
        "proposals",
        COLUMNS,
        lambda session: (attribute_cells(row, COLUMNS) for row in all_proposals(session, tenant_id, filters)),
    )


def filter_from_query(now: datetime) -> ProposalFilter:
    """Return the filter that the address names; raises InvalidInput."""
    state = enum_arg("state", ProposalState)
    age = enum_arg("age", Age)
    return ProposalFilter(
        portfolio_id=text_arg("portfolio_id"),
        state=state.value if state else None,
        created_by=text_arg("created_by"),
        created_from=now - timedelta(days=AT_MOST[age]) if age in AT_MOST else None,
        created_to=now - timedelta(days=AT_LEAST[age]) if age in AT_LEAST else None,
    )
