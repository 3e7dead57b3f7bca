"""The evidence document of an item as it is, or was, shown at a moment."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy.orm import Session

from lotus_web.domain.decisions.reason_codes import REASON_CODES, Catalogue
from lotus_web.domain.items.evidence import EvidenceDocument, Presented, evidence_document
from lotus_web.domain.items.precedents import Precedents
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.subjects import Evidence
from lotus_web.queries.items.lookup import stored_item
from lotus_web.queries.items.precedents import item_precedents
from lotus_web.queries.items.subjects import READERS, SubjectDetail


def shown_evidence(
    item: ItemState, basis: Evidence, about: SubjectDetail | None, precedents: Precedents
) -> EvidenceDocument:
    """Return the document of what a page shows; no query."""
    evidence = None if about is None else READERS[item.subject].evidence(about)
    return evidence_document(item, basis, None if evidence is None else asdict(evidence), precedents)


def item_evidence(
    session: Session, tenant_id: str, workflow_id: str, *, at: datetime, codes: Catalogue = REASON_CODES
) -> EvidenceDocument:
    """Return the document of what a page shows of an item that is opened at a moment; raises NotFound."""
    item = stored_item(session, tenant_id, workflow_id)
    basis, about = READERS[item.subject].page(session, item)
    return shown_evidence(item, basis, about, item_precedents(session, item, now=at, codes=codes))


def presented(
    session: Session,
    tenant_id: str,
    workflow_id: str,
    digest: str,
    *,
    opened_at: datetime,
    seconds_open: int | None = None,
    codes: Catalogue = REASON_CODES,
) -> Presented:
    """Return what a decision says that was presented, with the document if that is what there was to see; raises NotFound.

    Nothing that a caller sends but the digest is believed: the document is read from the store anew.
    """
    found = item_evidence(session, tenant_id, workflow_id, at=opened_at, codes=codes)
    return Presented(digest, found.document if found.digest == digest else None, seconds_open)
