"""The search box of every page: an id leads to its record, several or a word give a list."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from lotus_web.config import current
from lotus_web.domain.access import Permission
from lotus_web.domain.lineage import EntityKind
from lotus_web.queries.search import MOST_EACH, Hit, find_exact, find_related
from lotus_web.store.session import db
from lotus_web.web.format.record_links import proposal_url, record_url
from lotus_web.web.guard.access import current_actor, requires
from lotus_web.web.guard.features import shown_operations
from lotus_web.web.guard.invalid_filters import redisplay_invalid_filters
from lotus_web.web.shell.htmx import page_or_fragment, see_other
from lotus_web.web.shell.query_args import text_arg

blueprint = Blueprint("search", __name__)


@blueprint.get("/search")
@requires(Permission.RUNS_READ)
@redisplay_invalid_filters
def show() -> ResponseReturnValue:
    """Jump to the one record that the text names, else list what it may mean."""
    text, session, tenant_id = text_arg("q"), db.session(), current_actor().tenant_id
    hits = find_exact(session, tenant_id, text, families=shown_operations()) if text else ()
    if len(hits) == 1:
        return see_other(_url(hits[0]))
    if text and not hits:
        hits = find_related(session, tenant_id, text)
    return page_or_fragment(
        "search/search.html",
        "search/_hits.html",
        text=text,
        search_text=text,
        hits=[(hit, _url(hit)) for hit in hits],
        most=MOST_EACH,
        now=current.utcnow(),
    )


def _url(hit: Hit) -> str:
    return proposal_url(hit.entity_id) if hit.kind is EntityKind.PROPOSAL else record_url(hit.kind, hit.entity_id)
