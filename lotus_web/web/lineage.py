"""Lineage: what hangs together with an id of any kind, drawn and in a table that says the same (RFC-0023, delta 17)."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue

from lotus_web import current
from lotus_web.db import db
from lotus_web.domain.access import Permission
from lotus_web.domain.errors import InvalidInput
from lotus_web.queries.lineage import DEEPEST, LineageFilter, LineagePage, lineage_page
from lotus_web.queries.runs import RunFilter, run_page
from lotus_web.queries.search import lineage_start
from lotus_web.web.access import current_actor, requires
from lotus_web.web.features import LINEAGE, SUPPORT, part_of
from lotus_web.web.htmx import page_or_fragment, see_other
from lotus_web.web.lineage_graph import MOST_NODES, Drawing, draw, nodes_of
from lotus_web.web.links import same_page
from lotus_web.web.query_args import text_arg
from lotus_web.web.record_links import lineage_url, record_url

blueprint = Blueprint("lineage", __name__)
PAGE_SIZE = 120
RECENT = 6


@blueprint.get("/lineage")
@requires(Permission.RUNS_READ)
@part_of(SUPPORT, LINEAGE)
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
    found = lineage_page(
        session, tenant_id, entity_id, LineageFilter(), limit=PAGE_SIZE, cursor=cursor or None, depth=depth
    )
    if not found.edges and not cursor:
        start = lineage_start(session, tenant_id, entity_id)
        if start is not None and start != entity_id:
            return see_other(url_for("lineage.walk", entity_id=start, depth=request.args.get("depth")))
    return _page(found, cursor)


def depth_arg() -> int:
    """Return how many steps to walk, 1 unless the address says; raises InvalidInput."""
    word = text_arg("depth") or "1"
    if word not in {str(depth) for depth in range(1, DEEPEST + 1)}:
        raise InvalidInput("invalid_argument", f"Depth is a number from 1 to {DEEPEST}.", loc=("query", "depth"))
    return int(word)


def _page(found: LineagePage, cursor: str | None) -> Response:
    whole = not (cursor or found.next_cursor or found.truncated)
    drawing: Drawing | None = draw(found.entity_id, found.edges) if whole else None
    nodes = nodes_of(found.edges)
    return page_or_fragment(
        "lineage/lineage.html",
        "lineage/_lineage.html",
        200 if found.edges or cursor else 404,
        found=found,
        drawing=drawing,
        kinds=[kind for kind, node_id in nodes if node_id == found.entity_id],
        node_count=len(nodes),
        most_nodes=MOST_NODES,
        depths=range(1, DEEPEST + 1),
        cursor=cursor,
        record_url=record_url,
        lineage_url=lineage_url,
        same_page=same_page,
        now=current.utcnow(),
    )
