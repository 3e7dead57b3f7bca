"""The rows that a step of a proposal leaves: its event, its approval, and the proposal moved, together (deltas 29, 38)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from lotus_web.domain.proposals.refusals import state_mismatch
from lotus_web.domain.proposals.rules import check_approval
from lotus_web.domain.proposals.states import ApprovalType, ProposalEvent, ProposalState, approval_event
from lotus_web.domain.support import Counter
from lotus_web.models import Proposal, ProposalApproval, ProposalEventRow
from lotus_web.services.command import CommandContext
from lotus_web.services.proposals.standing import LoadedProposal
from lotus_web.services.support import count
from lotus_web.store.new_ids import new_id

ID_DIGITS = 12


def record_event(
    session: Session,
    loaded: LoadedProposal,
    event_type: ProposalEvent,
    to_state: ProposalState,
    context: CommandContext,
    *,
    reason: Mapping[str, Any],
    version_no: int | None = None,
) -> ProposalEventRow:
    """Add an event and move the proposal with it, in one conditional update; ``version_no`` is given by a new version.

    The proposal is locked and the step was checked. Raises Conflict where the row is not what was checked after all.
    """
    standing = loaded.standing
    number = version_no or standing.version_no
    _move(session, loaded, {"current_state": to_state.value, "current_version_no": number}, context)
    event = event_row(
        loaded.row.proposal_id,
        event_type,
        (standing.state, to_state),
        context,
        reason=reason,
        version_no=number,
    )
    session.add(event)
    session.flush()
    return event


def _move(session: Session, loaded: LoadedProposal, to: Mapping[str, Any], context: CommandContext) -> None:
    row, standing = loaded.row, loaded.standing
    moved = session.execute(
        update(Proposal)
        .where(
            Proposal.tenant_id == row.tenant_id,
            Proposal.proposal_id == row.proposal_id,
            Proposal.current_state == standing.state.value,
            Proposal.current_version_no == standing.version_no,
        )
        .values(**to, last_event_at=context.now)
        .returning(Proposal.proposal_id)
        .execution_options(synchronize_session=False)
    )
    if moved.one_or_none() is None:
        raise state_mismatch(standing.state)
    count(session, row.tenant_id, Counter.PROPOSALS, standing.state.value, -1)
    count(session, row.tenant_id, Counter.PROPOSALS, to["current_state"])


def event_row(
    proposal_id: str,
    event_type: ProposalEvent,
    states: tuple[ProposalState | None, ProposalState],
    context: CommandContext,
    *,
    reason: Mapping[str, Any],
    version_no: int,
) -> ProposalEventRow:
    """Return the row of an event that leads from one state to another."""
    before, after = states
    return ProposalEventRow(
        event_id=new_id("pwe_", ID_DIGITS),
        tenant_id=context.actor.tenant_id,
        proposal_id=proposal_id,
        event_type=event_type.value,
        from_state=None if before is None else before.value,
        to_state=after.value,
        actor_id=context.actor.decider_id,
        recorded_by=context.actor.actor_id,
        acted_by=context.actor.acted_by,
        occurred_at=context.now,
        reason=dict(reason),
        related_version_no=version_no,
        correlation_id=context.correlation_id,
        surface=context.surface.value,
    )


def record_approval(
    session: Session,
    loaded: LoadedProposal,
    approval: ApprovalType,
    context: CommandContext,
    *,
    approved: bool,
    details: Mapping[str, Any],
) -> ProposalEventRow:
    """Add an approval of the current version, the event that it causes, and move the proposal; returns the event.

    Raises InvalidInput ``INVALID_APPROVAL_STATE``.
    """
    after = check_approval(loaded.standing, approval, approved=approved)
    event_type = approval_event(approval, approved=approved)
    event = record_event(session, loaded, event_type, after, context, reason=details)
    session.add(
        ProposalApproval(
            approval_id=new_id("pap_", ID_DIGITS),
            tenant_id=event.tenant_id,
            proposal_id=event.proposal_id,
            approval_type=approval.value,
            approved=approved,
            actor_id=event.actor_id,
            recorded_by=event.recorded_by,
            occurred_at=event.occurred_at,
            details=dict(details),
            related_version_no=event.related_version_no,
            event_id=event.event_id,
        )
    )
    session.flush()
    return event
