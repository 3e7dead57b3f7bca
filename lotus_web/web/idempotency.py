"""The history of an idempotency key: its recordings and replays (RFC-0023, dpm-api §6)."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint
from flask.typing import ResponseReturnValue

from lotus_web.config import current
from lotus_web.config.features import IDEMPOTENCY_HISTORY, SUPPORT
from lotus_web.domain.access import Permission
from lotus_web.queries.idempotency.history import HistoryEntry, LatestOfKey, latest_of_key
from lotus_web.store.session import db
from lotus_web.web.format.record_links import lineage_url
from lotus_web.web.guard.access import current_actor, requires
from lotus_web.web.guard.features import part_of
from lotus_web.web.shell.htmx import page_or_fragment

blueprint = Blueprint("idempotency", __name__)
# A key that is replayed for ever has a history without end.
MOST_SHOWN = 1_000


@blueprint.get("/idempotency/<ident:key>")
@requires(Permission.RUNS_READ)
@part_of(SUPPORT, IDEMPOTENCY_HISTORY)
def show(key: str) -> ResponseReturnValue:
    """Show the history of a key, newest first."""
    found = latest_of_key(db.session(), current_actor().tenant_id, key, limit=MOST_SHOWN)
    return page_or_fragment(
        "idempotency/key.html",
        "idempotency/_key.html",
        found=found,
        entries=list(with_replays(found))[::-1],
        lineage_url=lineage_url,
        now=current.utcnow(),
    )


def with_replays(found: LatestOfKey) -> Iterator[tuple[HistoryEntry, bool]]:
    """Yield each entry with whether it is a replay, oldest first: all but the first of a run are."""
    recorded = set(found.recorded_before)
    for entry in reversed(found.latest):
        yield entry, entry.rebalance_run_id in recorded
        recorded.add(entry.rebalance_run_id)
