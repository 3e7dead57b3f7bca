"""One item with everything that a decision on it needs."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from lotus_web.domain.decisions.reason_codes import REASON_CODES, Catalogue
from lotus_web.domain.items.staleness import evidence_digest
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.subjects import Evidence
from lotus_web.queries.decisions.outcomes import with_reasons
from lotus_web.queries.items.lookup import stored_item
from lotus_web.queries.items.subjects import READERS, SubjectDetail
from lotus_web.queries.traces.timeline import Timeline, item_timeline


@dataclass(frozen=True, slots=True)
class ItemDetail:
    """An item with its reason, what it is about (None where that is not, or no longer, stored), what happened, and the digest."""

    item: ItemState
    evidence: Evidence
    about: SubjectDetail | None
    timeline: Timeline
    digest: str

    @property
    def sent_by(self) -> str | None:
        """The account that asked for the review in whomever's name; None for what was opened here."""
        return None if self.item.made_by else self.evidence.recorded_by


def item_detail(session: Session, tenant_id: str, workflow_id: str, *, codes: Catalogue = REASON_CODES) -> ItemDetail:
    """Return an item as it is now; raises NotFound. At most six queries."""
    item = stored_item(session, tenant_id, workflow_id)
    evidence, about = READERS[item.subject].page(session, item)
    return ItemDetail(
        item=with_reasons(session, [item], codes)[0],
        evidence=evidence,
        about=about,
        timeline=item_timeline(session, tenant_id, trace_id=item.trace_id, workflow_id=workflow_id, codes=codes),
        digest=evidence_digest(item, evidence),
    )
