"""The version of a proposal that an item is about: what a decision rests on, and all that the item's page shows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from lotus_web.domain.events.envelope import OWN_PRODUCER, EventType, own_event_key
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.subjects import Evidence
from lotus_web.domain.proposals.evidence import ProposalEvidence, proposal_evidence
from lotus_web.domain.proposals.reviews import reviewed_version
from lotus_web.domain.proposals.states import SUBMISSIONS
from lotus_web.models import EventLogEntry, Proposal, ProposalDocument, ProposalEventRow, ProposalVersion
from lotus_web.queries.proposals.rows import ProposalSummary, VersionRow
from lotus_web.wire.packed import unpack_document
from lotus_web.wire.proposals.artifact import artifact_hash


@dataclass(frozen=True, slots=True)
class ReviewedProposal:
    """A proposal and its version under review, or that was; ``verified`` tells whether the stored result has the recorded hash.

    ``reviewed_before`` is the version that was last submitted before this one, None for the first.
    """

    proposal: ProposalSummary
    version: VersionRow
    evidence: ProposalEvidence
    verified: bool
    reviewed_before: int | None


def version_evidence(session: Session, item: ItemState) -> Evidence:
    """Return what a decision on the item rests on; empty where the version is not stored, or no longer."""
    number = reviewed_version(item)
    row = session.get(ProposalVersion, (item.tenant_id, item.subject_id, number)) if number is not None else None
    return Evidence() if row is None else Evidence(row.artifact_hash, row.created_by, row.version_no)


def proposal_state(session: Session, item: ItemState) -> str | None:
    """Return where the item's proposal stands now; None for one that is not stored, or no longer."""
    asked = (Proposal.tenant_id == item.tenant_id, Proposal.proposal_id == item.subject_id)
    return session.scalar(select(Proposal.current_state).where(*asked))


def reviewed_proposal(session: Session, item: ItemState) -> ReviewedProposal | None:
    """Return the proposal of an item with the version that it is about; None if it is not stored, or no longer. Two queries."""
    of_version = and_(
        ProposalVersion.tenant_id == Proposal.tenant_id, ProposalVersion.proposal_id == Proposal.proposal_id
    )
    of_document = and_(
        ProposalDocument.tenant_id == ProposalVersion.tenant_id,
        ProposalDocument.proposal_id == ProposalVersion.proposal_id,
        ProposalDocument.version_no == ProposalVersion.version_no,
    )
    query = (
        select(Proposal, ProposalVersion, ProposalDocument.result)
        .join(ProposalVersion, of_version)
        .join(ProposalDocument, of_document)
        .where(
            Proposal.tenant_id == item.tenant_id,
            Proposal.proposal_id == item.subject_id,
            ProposalVersion.version_no == reviewed_version(item),
        )
    )
    found = session.execute(query.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        return None
    proposal, version, packed = found
    result = unpack_document(packed)
    return ReviewedProposal(
        proposal=ProposalSummary(**_values(ProposalSummary, proposal)),
        version=VersionRow(**_values(VersionRow, version)),
        evidence=proposal_evidence(result),
        verified=artifact_hash(result) == version.simulation_hash,
        reviewed_before=session.scalar(_submitted_before(version)),
    )


def _values(kind: type[ProposalSummary] | type[VersionRow], row: Proposal | ProposalVersion) -> Mapping[str, Any]:
    return {field.name: getattr(row, field.name) for field in fields(kind)}


def _submitted_before(version: ProposalVersion) -> Select[int | None]:
    return select(func.max(ProposalEventRow.related_version_no)).where(
        ProposalEventRow.tenant_id == version.tenant_id,
        ProposalEventRow.proposal_id == version.proposal_id,
        ProposalEventRow.event_type.in_(sorted(event.value for event in SUBMISSIONS)),
        ProposalEventRow.related_version_no < version.version_no,
    )


def version_evaluation(item: ItemState) -> Select[EventLogEntry]:
    """Ask for what the rules said of the version: a proposal's trace holds the evaluations of all its versions."""
    key = own_event_key(str(item.metadata.get("evidence", {}).get("version_id")), EventType.POLICY_EVALUATED)
    return select(EventLogEntry).where(
        EventLogEntry.tenant_id == item.tenant_id,
        EventLogEntry.producer_id == OWN_PRODUCER,
        EventLogEntry.idempotency_key == key,
    )
