"""What the page of a run shows to whoever follows it up: its lineage in short, its bundle, its replay, its hold, its key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from lotus_web.config.features import IDEMPOTENCY_HISTORY, LINEAGE, SUPPORT, SUPPORT_BUNDLE
from lotus_web.domain.lineage import EdgeType, EntityKind
from lotus_web.queries.lineage import EdgeRow, LineageFilter, lineage_page
from lotus_web.web.format.record_links import lineage_url, record_url

MOST_EDGES = 12


@dataclass(frozen=True, slots=True)
class RunSupport:
    """The parts that are switched on; ``edges`` are the oldest of the run's own, None while lineage is off.

    ``more`` tells that there are further edges; ``is_replay`` that the run is a replay of another.
    """

    bundle: bool
    key_history: bool
    edges: tuple[EdgeRow, ...] | None
    more: bool
    is_replay: bool
    record_url: Callable[[str, str], str] = record_url
    lineage_url: Callable[..., str | None] = lineage_url


def run_support(session: Session, tenant_id: str, run_id: str) -> RunSupport | None:
    """Return what may be shown of a run; None while support is switched off. Two queries."""
    if not SUPPORT.is_on:
        return None
    found = lineage_page(session, tenant_id, run_id, LineageFilter(), limit=MOST_EDGES)
    return RunSupport(
        bundle=SUPPORT_BUNDLE.is_on,
        key_history=IDEMPOTENCY_HISTORY.is_on,
        edges=found.edges if LINEAGE.is_on else None,
        more=found.next_cursor is not None,
        is_replay=any(_says_replay(edge, run_id) for edge in found.edges),
    )


def _says_replay(edge: EdgeRow, run_id: str) -> bool:
    return edge.edge_type == EdgeType.REPLAYED_FROM and edge.ends[0] == (EntityKind.RUN, run_id)
