"""One item with everything that a decision on it needs."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from lotus_web.domain.decisions.reason_codes import REASON_CODES, Catalogue
from lotus_web.domain.items.staleness import evidence_digest
from lotus_web.domain.items.state import ItemState
from lotus_web.queries.decisions.outcomes import with_reasons
from lotus_web.queries.items.lookup import stored_item
from lotus_web.queries.runs.page import RunDetail, find_run_detail
from lotus_web.queries.traces.timeline import Timeline, item_timeline


@dataclass(frozen=True, slots=True)
class ItemDetail:
    """An item as it is told, the run it is about (None for another system's or a purged one), what happened, and the digest of it all."""

    item: ItemState
    run: RunDetail | None
    timeline: Timeline
    digest: str


def item_detail(session: Session, tenant_id: str, workflow_id: str, *, codes: Catalogue = REASON_CODES) -> ItemDetail:
    """Return an item as it stands now; raises NotFound. Six queries, whatever it holds."""
    item = stored_item(session, tenant_id, workflow_id)
    run = find_run_detail(session, tenant_id, item.rebalance_run_id) if item.rebalance_run_id else None
    return ItemDetail(
        item=with_reasons(session, [item], codes)[0],
        run=run,
        timeline=item_timeline(session, tenant_id, trace_id=item.trace_id, workflow_id=workflow_id, codes=codes),
        digest=evidence_digest(item, run.run.artifact_hash if run else None),
    )
