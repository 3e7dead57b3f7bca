"""What happened to a proposal: its events and its approvals, oldest first (proposals-api §1 routes 8, 9; delta 38)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.proposals.states import ProposalEvent, ProposalState
from lotus_web.models import ProposalApproval, ProposalEventRow
from lotus_web.queries.proposals.rows import ApprovalRow, EventRow

EVENT = tuple(getattr(ProposalEventRow, field.name) for field in fields(EventRow))
_DERIVED = {"voided_at", "voided_by_version_no"}
APPROVAL = tuple(getattr(ProposalApproval, field.name) for field in fields(ApprovalRow) if field.name not in _DERIVED)


def proposal_events(session: Session, tenant_id: str, proposal_id: str) -> Sequence[EventRow]:
    """Return the events of a proposal, oldest first; empty for one that does not exist."""
    query = select(*EVENT).where(ProposalEventRow.tenant_id == tenant_id, ProposalEventRow.proposal_id == proposal_id)
    return [EventRow(*found) for found in session.execute(query.order_by(ProposalEventRow.event_seq))]


def proposal_approvals(session: Session, tenant_id: str, proposal_id: str) -> Sequence[ApprovalRow]:
    """Return the approvals of a proposal, oldest first, void ones with what voided them. Two queries."""
    query = select(*APPROVAL).where(
        ProposalApproval.tenant_id == tenant_id, ProposalApproval.proposal_id == proposal_id
    )
    found = [ApprovalRow(*row) for row in session.execute(query.order_by(ProposalApproval.approval_seq))]
    if not found:
        return found
    voids = select(ProposalEventRow.related_version_no, ProposalEventRow.occurred_at).where(
        ProposalEventRow.tenant_id == tenant_id,
        ProposalEventRow.proposal_id == proposal_id,
        ProposalEventRow.event_type == ProposalEvent.NEW_VERSION_CREATED.value,
        ProposalEventRow.to_state == ProposalState.DRAFT.value,
    )
    drafts = session.execute(voids.order_by(ProposalEventRow.event_seq)).all()
    return [_voided(approval, [(row.related_version_no, row.occurred_at) for row in drafts]) for approval in found]


def _voided(approval: ApprovalRow, drafts: Sequence[tuple[int, datetime]]) -> ApprovalRow:
    """Return the approval with the first later version that sent the proposal back to DRAFT, if there was one.

    Nothing is derived for a version that kept the state: its approvals hold on (PROPOSAL_KEEP_STATE_ON_NEW_VERSION).
    """
    for version_no, at in drafts:
        if version_no > approval.related_version_no:
            return replace(approval, voided_at=at, voided_by_version_no=version_no)
    return approval
