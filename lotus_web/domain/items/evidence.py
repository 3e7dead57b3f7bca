"""The evidence document: all that a decision on an item rests on, as the page shows it and as its digest is over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lotus_web.domain.canonical import content_hash, plain
from lotus_web.domain.errors import Conflict
from lotus_web.domain.items.actions import ACTIONS, Action
from lotus_web.domain.items.precedents import Precedents
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.subjects import Evidence

EVIDENCE_VERSION = 1
REQUIRED, CHANGED = "EVIDENCE_REQUIRED", "EVIDENCE_CHANGED"


@dataclass(frozen=True, slots=True)
class EvidenceDocument:
    """A document of JSON's own kinds, and the hash over it."""

    document: Mapping[str, Any]
    digest: str


@dataclass(frozen=True, slots=True)
class Presented:
    """The digest that came with a decision, and the document that it is of; None where there is another document to see now.

    ``seconds_open`` is the time from the page to the decision, None where nobody measured it.
    """

    digest: str
    document: Mapping[str, Any] | None
    seconds_open: int | None = None


def evidence_document(
    item: ItemState, basis: Evidence, subject: Mapping[str, Any] | None, precedents: Precedents
) -> EvidenceDocument:
    """Return what there is to see of an item: what asked for the review, precedents, and of its ``subject`` the findings, allocation,
    orders, cash and notes; None for an item that is about nothing stored here."""
    document = plain(
        {
            "evidence_version": EVIDENCE_VERSION,
            "item": {
                "workflow_id": item.workflow_id,
                "version": item.version,
                "subject": {"subject_type": item.subject_type, "subject_id": item.subject_id},
                "title": item.title,
                "portfolio_id": item.portfolio_id,
                "priority": item.priority.word,
                "request_reason": item.request_reason,
                "requested_by": item.requested_by_id,
                "requested_at": item.requested_at,
                "sla_due_at": item.sla_due_at,
            },
            "artifact_hash": basis.content_hash,
            "submitted_by": basis.submitted_by,
            "evidence": subject,
            "precedents": asdict(precedents),
        }
    )
    return EvidenceDocument(document, content_hash(document))


def check_presented(presented: Presented | None, action: Action, *, required: bool) -> None:
    """Raise Conflict for a decision on evidence that is not what there is to see, or on none where it is ``required``."""
    if presented is None and required and ACTIONS[action].decides:
        raise Conflict(
            REQUIRED, "A decision must say on what evidence it was taken: send the digest of what was shown."
        )
    if presented is not None and presented.document is None:
        raise Conflict(CHANGED, "The evidence of this item is not what you saw: look at it again.")
