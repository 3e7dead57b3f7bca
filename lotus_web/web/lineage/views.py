"""Lineage: what is connected with an id of any kind, drawn and in a table that says the same (RFC-0023, delta 17)."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue

from lotus_web.config import current
from lotus_web.config.features import LINEAGE, SUPPORT
from lotus_web.domain.access import Permission
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.lineage import EdgeType
from lotus_web.domain.sentences import Sentence
from lotus_web.queries.lineage import DEEPEST, LineageFilter, LineagePage, lineage_page
from lotus_web.queries.runs.lookup import RunFilter, run_page
from lotus_web.queries.search import lineage_start
from lotus_web.store.session import db
from lotus_web.web.format.record_links import lineage_url, record_url
from lotus_web.web.format.sentences import page_message
from lotus_web.web.guard.access import current_actor, requires
from lotus_web.web.guard.features import part_of
from lotus_web.web.guard.invalid_filters import redisplay_invalid_filters
from lotus_web.web.lineage.graph import MOST_NODES, Drawing, draw, nodes_of
from lotus_web.web.shell.htmx import page_or_fragment, see_other
from lotus_web.web.shell.links import same_page, with_query
from lotus_web.web.shell.query_args import check_order, instant_arg, text_arg

blueprint = Blueprint("lineage", __name__)
PAGE_SIZE = 120
RECENT = 6
EDGE_TYPES = [kind.value for kind in EdgeType]


@blueprint.get("/lineage")
@requires(Permission.RUNS_READ)
@part_of(SUPPORT, LINEAGE)
@redisplay_invalid_filters
def show() -> ResponseReturnValue:
    """Ask for an id, and lead to its lineage."""
    entity_id = text_arg("id")
    if entity_id is not None:
        return see_other(url_for("lineage.walk", entity_id=entity_id))
    recent = run_page(db.session(), current_actor().tenant_id, RunFilter(), limit=RECENT, cursor=None)
    return page_or_fragment(
        "lineage/start.html", "lineage/_start.html", recent=recent.items, lineage_url=lineage_url, now=current.utcnow()
    )


@blueprint.get("/lineage/<ident:entity_id>")
@requires(Permission.RUNS_READ)
@part_of(SUPPORT, LINEAGE)
def walk(entity_id: str) -> ResponseReturnValue:
    """Show the edges within some steps of an id; one that has no edges itself leads to what it names."""
    session, tenant_id, depth, cursor = db.session(), current_actor().tenant_id, depth_arg(), request.args.get("cursor")
    try:
        filters = filter_from_query()
    except InvalidInput as wrong:
        return _page(LineagePage(entity_id, depth, (), None), 422, wrong=wrong)
    read = partial(lineage_page, session, tenant_id, entity_id, depth=depth)
    found = read(filters, limit=PAGE_SIZE, cursor=cursor or None)
    known = bool(found.edges or cursor or (filters != LineageFilter() and read(LineageFilter(), limit=1).edges))
    if not known:
        start = lineage_start(session, tenant_id, entity_id)
        if start is not None and start != entity_id:
            return see_other(with_query(url_for("lineage.walk", entity_id=start)))
    return _page(found, 200 if known else 404, cursor=cursor, is_filtered=known and filters != LineageFilter())


def filter_from_query() -> LineageFilter:
    """Return the filter that the address names; raises InvalidInput."""
    start, end = instant_arg("from"), instant_arg("to", end_of_day=True)
    check_order(start, end)
    edge_type = text_arg("edge_type")
    if edge_type is not None and edge_type.upper() not in EDGE_TYPES:
        raise InvalidInput("invalid_argument", "Choose a kind of edge from the list.", loc=("query", "edge_type"))
    return LineageFilter(edge_type and edge_type.upper(), start, end)


def depth_arg() -> int:
    """Return how many steps to walk, 1 unless the address says; raises InvalidInput."""
    word = text_arg("depth") or "1"
    if word not in {str(depth) for depth in range(1, DEEPEST + 1)}:
        raise InvalidInput(
            "invalid_argument",
            Sentence("Depth is a number from 1 to {deepest}.", deepest=DEEPEST),
            loc=("query", "depth"),
        )
    return int(word)


def _page(
    found: LineagePage,
    status: int,
    *,
    cursor: str | None = None,
    is_filtered: bool = False,
    wrong: InvalidInput | None = None,
) -> Response:
    whole = not (cursor or found.next_cursor or found.truncated)
    drawing: Drawing | None = draw(found.entity_id, found.edges) if whole else None
    nodes = nodes_of(found.edges)
    return page_or_fragment(
        "lineage/lineage.html",
        "lineage/_lineage.html",
        status,
        found=found,
        drawing=drawing,
        kinds=[kind for kind, node_id in nodes if node_id == found.entity_id],
        node_count=len(nodes),
        most_nodes=MOST_NODES,
        depths=range(1, DEEPEST + 1),
        edge_types=EDGE_TYPES,
        is_filtered=is_filtered,
        wrong={str(wrong.loc[-1]): page_message(wrong)} if wrong else {},
        cursor=cursor,
        record_url=record_url,
        lineage_url=lineage_url,
        same_page=same_page,
        now=current.utcnow(),
    )
