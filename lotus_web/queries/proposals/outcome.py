"""What one event of a proposal left, as it was then: from it the first answer is built, however late it is asked (delta 39)."""

from __future__ import annotations

from dataclasses import dataclass, fields

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from lotus_web.domain.proposals.refusals import ProposalNotFound
from lotus_web.models import Proposal, ProposalApproval, ProposalEventRow
from lotus_web.queries.proposals.history import APPROVAL, EVENT
from lotus_web.queries.proposals.lookup import proposal_version
from lotus_web.queries.proposals.page import SUMMARY
from lotus_web.queries.proposals.rows import ApprovalRow, EventRow, ProposalSummary, StoredVersion

_EVENTS = len(fields(EventRow))


@dataclass(frozen=True, slots=True)
class VersionOutcome:
    """What making a proposal or a version left: the proposal as it stood then, the version, and its event."""

    proposal: ProposalSummary
    version: StoredVersion
    event: EventRow


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What a transition or an approval left; ``approval`` is None for a transition."""

    event: EventRow
    approval: ApprovalRow | None


def version_outcome(session: Session, tenant_id: str, event_id: str) -> VersionOutcome:
    """Return what the event of a create or of a new version left; raises NotFound. Two queries."""
    facts = [column for column in SUMMARY if column.key not in ("current_state", "current_version_no", "last_event_at")]
    own = and_(Proposal.tenant_id == ProposalEventRow.tenant_id, Proposal.proposal_id == ProposalEventRow.proposal_id)
    query = select(*EVENT, *(column.label(f"p_{column.key}") for column in facts)).join(Proposal, own)
    query = query.where(ProposalEventRow.tenant_id == tenant_id, ProposalEventRow.event_id == event_id)
    found = session.execute(query).one_or_none()
    if found is None:
        raise ProposalNotFound
    event = EventRow(*found[:_EVENTS])
    named = dict(zip((column.key for column in facts), found[_EVENTS:], strict=True))
    proposal = ProposalSummary(
        **named,
        current_state=event.to_state,
        current_version_no=event.related_version_no,
        last_event_at=event.occurred_at,
    )
    version = proposal_version(session, tenant_id, event.proposal_id, event.related_version_no)
    return VersionOutcome(proposal, version, event)


def step_outcome(session: Session, tenant_id: str, event_id: str) -> StepOutcome:
    """Return what the event of a transition or an approval left; raises NotFound. One query."""
    caused = and_(
        ProposalApproval.tenant_id == ProposalEventRow.tenant_id, ProposalApproval.event_id == ProposalEventRow.event_id
    )
    query = select(*EVENT, *(column.label(f"a_{column.key}") for column in APPROVAL)).outerjoin(
        ProposalApproval, caused
    )
    query = query.where(ProposalEventRow.tenant_id == tenant_id, ProposalEventRow.event_id == event_id)
    found = session.execute(query).one_or_none()
    if found is None:
        raise ProposalNotFound
    approval = None if found[_EVENTS] is None else ApprovalRow(*found[_EVENTS:])
    return StepOutcome(EventRow(*found[:_EVENTS]), approval)
