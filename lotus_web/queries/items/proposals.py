"""The version of a proposal that an item is about: what a decision rests on, and all that the item's page shows of it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from lotus_web.domain.accounts.acting import principals_of
from lotus_web.domain.errors import NotFound
from lotus_web.domain.events.envelope import OWN_PRODUCER, EventType, own_event_key
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.subjects import Evidence
from lotus_web.domain.proposals.reviews import reviewed_version
from lotus_web.domain.proposals.states import SUBMISSIONS
from lotus_web.models import EventLogEntry, Proposal, ProposalEventRow, ProposalVersion
from lotus_web.queries.proposals.lookup import proposal_summary
from lotus_web.queries.proposals.rows import ProposalSummary, VersionRow
from lotus_web.queries.proposals.view import VersionView, view_of_version


@dataclass(frozen=True, slots=True)
class ReviewedProposal:
    """A proposal and its version under review, or that was.

    ``reviewed_before`` is the version that was last submitted before this one, None for the first.
    """

    proposal: ProposalSummary
    version: VersionView
    reviewed_before: int | None

    @property
    def basis(self) -> Evidence:
        """What a decision rests on."""
        row = self.version.row
        return _evidence(row)


def _evidence(row: VersionRow | ProposalVersion) -> Evidence:
    principals = principals_of(row.acted_by)
    return Evidence(row.artifact_hash, row.created_by, row.version_no, row.recorded_by, principals)


def version_evidence(session: Session, item: ItemState) -> Evidence:
    """Return what a decision on the item rests on; empty where the version is not stored, or no longer."""
    number = reviewed_version(item)
    row = session.get(ProposalVersion, (item.tenant_id, item.subject_id, number)) if number is not None else None
    return Evidence() if row is None else _evidence(row)


def proposal_state(session: Session, item: ItemState) -> str | None:
    """Return where the item's proposal stands now; None for one that is not stored, or no longer."""
    asked = (Proposal.tenant_id == item.tenant_id, Proposal.proposal_id == item.subject_id)
    return session.scalar(select(Proposal.current_state).where(*asked))


def reviewed_proposal(session: Session, item: ItemState) -> ReviewedProposal | None:
    """Return the proposal of an item with the version that it is about, verified now; None if it is not stored. Three queries."""
    number = reviewed_version(item)
    if number is None:
        return None
    try:
        proposal = proposal_summary(session, item.tenant_id, item.subject_id)
        version = view_of_version(session, item.tenant_id, item.subject_id, number)
    except NotFound:
        return None
    return ReviewedProposal(proposal, version, session.scalar(_submitted_before(version.row, item.tenant_id)))


def _submitted_before(version: VersionRow, tenant_id: str) -> Select[int | None]:
    return select(func.max(ProposalEventRow.related_version_no)).where(
        ProposalEventRow.tenant_id == tenant_id,
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
