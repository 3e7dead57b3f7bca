"""Who may do what to a proposal: advisers make and carry on, reviewers decide what is under review (workflow.md §7)."""

from __future__ import annotations

from lotus_web.domain.access import Actor, Permission, check_permission, forbidden
from lotus_web.domain.proposals.states import IN_REVIEW, ApprovalType, ProposalEvent, ProposalState


def approval_permission(approval: ApprovalType) -> Permission:
    """Return what recording an approval needs; the client's consent is recorded by the adviser."""
    return Permission.PROPOSALS_WRITE if approval is ApprovalType.CLIENT_CONSENT else Permission.WORKFLOW_REVIEW


def transition_permission(state: ProposalState, event: ProposalEvent) -> Permission:
    """Return what posting an event needs: rejecting what is under review is a reviewer's."""
    rejects_review = event is ProposalEvent.REJECTED and state in IN_REVIEW
    return Permission.WORKFLOW_REVIEW if rejects_review else Permission.PROPOSALS_WRITE


def check_may_ever_post(actor: Actor, event: ProposalEvent) -> None:
    """Raise Forbidden for an event that the actor may post in no state, before anything is looked up."""
    if not any(actor.may(transition_permission(state, event)) for state in ProposalState):
        raise forbidden(Permission.PROPOSALS_WRITE)


def check_may_post(actor: Actor, state: ProposalState, event: ProposalEvent) -> None:
    """Raise Forbidden for an event that the actor may not post in this state."""
    check_permission(actor, transition_permission(state, event))
