"""Two versions of a proposal side by side."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from lotus_web.config import current
from lotus_web.config.features import PROPOSALS
from lotus_web.domain.access import Permission
from lotus_web.domain.errors import InvalidInput
from lotus_web.queries.proposals.diff import version_diff
from lotus_web.queries.proposals.lookup import proposal_versions
from lotus_web.store.session import db
from lotus_web.web.guard.access import current_actor, requires
from lotus_web.web.guard.features import part_of
from lotus_web.web.guard.invalid_filters import redisplay_invalid_filters
from lotus_web.web.runs.diff_rows import diff_rows
from lotus_web.web.shell.htmx import page_or_fragment
from lotus_web.web.shell.query_args import text_arg

blueprint = Blueprint("proposal_diff", __name__)
MOST_DIGITS = 10


@blueprint.get("/proposals/<ident:proposal_id>/diff")
@requires(Permission.RUNS_READ)
@part_of(PROPOSALS)
@redisplay_invalid_filters
def show(proposal_id: str) -> ResponseReturnValue:
    """Compare two versions: ``from`` and ``to``, by default the last two."""
    session, tenant_id = db.session(), current_actor().tenant_id
    proposal, versions = proposal_versions(session, tenant_id, proposal_id)
    newest = versions[-1].version_no
    before, after = _number("from", max(1, newest - 1), newest), _number("to", newest, newest)
    found = version_diff(session, tenant_id, proposal_id, before, after)
    return page_or_fragment(
        "proposals/diff.html",
        "proposals/_diff.html",
        proposal=proposal,
        diff=found,
        tables=[(name, diff_rows(changes)) for name, changes in found.tables],
        numbers=[row.version_no for row in versions],
        now=current.utcnow(),
    )


def _number(name: str, default: int, newest: int) -> int:
    word = text_arg(name)
    if word is None:
        return default
    number = int(word) if word.isascii() and word.isdigit() and len(word) < MOST_DIGITS else 0
    if not 1 <= number <= newest:
        raise InvalidInput("invalid_argument", "There is no version with this number.", loc=("query", name))
    return number
