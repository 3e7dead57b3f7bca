"""Decisions on proposals by programs: transitions and approvals, of which what is under review goes through its item.

So an approval that is posted and one that is given in the inbox are one command: the same checks, the same rows, one winner.
The refusals here have the codes of proposals-api, those of the item the codes of ``/api/v1``; the sentences are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from lotus_web.domain.decisions.gate import check_reason_code
from lotus_web.domain.errors import Forbidden, InvalidInput
from lotus_web.domain.items.actions import Action
from lotus_web.domain.items.four_eyes import CODE as FOUR_EYES
from lotus_web.domain.items.transitions import check_free_text
from lotus_web.domain.proposals import refusals
from lotus_web.domain.proposals.reviews import review_item_id
from lotus_web.domain.proposals.states import ApprovalType, ProposalEvent, approval_due, approval_event
from lotus_web.domain.proposals.steps import Step
from lotus_web.models import ProposalEventRow
from lotus_web.services.command import CommandContext
from lotus_web.services.items.action_records import AtSubject, ReviewAction
from lotus_web.services.items.actions import apply_action
from lotus_web.services.proposals import steps
from lotus_web.services.proposals.keys import Recorded
from lotus_web.services.proposals.standing import LoadedProposal
from lotus_web.services.proposals.steps import Asked


def transition_proposal(
    session: Session, proposal_id: str, event_type: ProposalEvent, asked: Asked, context: CommandContext
) -> Recorded:
    """Let an event happen to a proposal (services/proposals/steps.py); rejecting what is under review decides its item."""
    return steps.transition(session, proposal_id, event_type, asked, context, decide=_through_the_item)


def approve_proposal(
    session: Session,
    proposal_id: str,
    approval: ApprovalType,
    asked: Asked,
    context: CommandContext,
    *,
    approved: bool,
) -> Recorded:
    """Record that an approval is given or withheld (services/proposals/steps.py); risk and compliance decide the item."""
    return steps.approve(session, proposal_id, approval, asked, context, approved=approved, decide=_through_the_item)


def take_step(session: Session, proposal_id: str, step: Step, asked: Asked, context: CommandContext) -> Recorded:
    """Take a step by its name (domain/proposals/steps.py): an approval that is given or withheld, or an event."""
    if step.approval is not None:
        return approve_proposal(session, proposal_id, step.approval, asked, context, approved=step.approved)
    assert step.event is not None, "a step is either"
    return transition_proposal(session, proposal_id, step.event, asked, context)


def _through_the_item(
    session: Session,
    loaded: LoadedProposal,
    reason: Mapping[str, Any],
    context: CommandContext,
    *,
    approved: bool,
    as_approval: bool,
) -> ProposalEventRow:
    text, code = _words(reason)
    event = _event_of(loaded, approved=approved)
    asked = ReviewAction(
        action=Action.APPROVE if approved else Action.REJECT,
        text=text,
        reason_code=code or event.value,
        at_subject=AtSubject(reason, as_approval, loaded),
    )
    try:
        reviewed = apply_action(session, review_item_id(loaded.row.proposal_id), asked, context)
    except Forbidden as refused:
        if refused.code != FOUR_EYES:
            raise
        raise Forbidden(refusals.FOUR_EYES, refused.sentence, details=refused.details) from None
    assert isinstance(reviewed.decided, ProposalEventRow)
    return reviewed.decided


def _event_of(loaded: LoadedProposal, *, approved: bool) -> ProposalEvent:
    due = approval_due(loaded.standing.state)
    assert due is not None, "what nobody waits for was checked before"
    return approval_event(due, approved=approved)


def _words(reason: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the comment and the reason code of a program's free details, as far as they can be shown with the decision."""
    text, code = reason.get("comment"), reason.get("reason_code")
    try:
        text = check_free_text(text) or None if isinstance(text, str) else None
    except InvalidInput:
        text = None
    try:
        code = check_reason_code(code) if isinstance(code, str) else None
    except InvalidInput:
        code = None
    return text, code
