"""Transitions and approvals of a proposal, checked under the lock in one order of refusals (delta 36).

What is under review is decided through its item of the inbox, which this room does not know: whoever calls brings the way
(services/decisions/approvals.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy.orm import Session

from lotus_web.domain.access import check_permission
from lotus_web.domain.proposals.permissions import approval_permission, check_may_ever_post, check_may_post
from lotus_web.domain.proposals.rules import Expected, check_approval, check_expected, check_transition
from lotus_web.domain.proposals.states import IN_REVIEW, ApprovalType, ProposalEvent, ProposalState
from lotus_web.models import ProposalEventRow
from lotus_web.services.command import CommandContext
from lotus_web.services.proposals.events import append_proposal_events, step_taken
from lotus_web.services.proposals.keys import Keyed, Recorded, first_answer, keep_key
from lotus_web.services.proposals.records import record_approval, record_event
from lotus_web.services.proposals.reviews import follow_with_review
from lotus_web.services.proposals.standing import LoadedProposal, lock_proposal


@dataclass(frozen=True, slots=True)
class Asked:
    """What a step is meant for, what its caller says about it, and the key it came with."""

    keyed: Keyed
    expected: Expected = field(default_factory=Expected)
    reason: Mapping[str, Any] = field(default_factory=dict)


class Decide(Protocol):
    """The way in which a version under review is decided; ``as_approval`` is False for a rejection that is posted as an event."""

    def __call__(
        self,
        session: Session,
        loaded: LoadedProposal,
        reason: Mapping[str, Any],
        context: CommandContext,
        *,
        approved: bool,
        as_approval: bool,
    ) -> ProposalEventRow:
        """Record the decision with all that follows from it and return its event."""


def transition(
    session: Session,
    proposal_id: str,
    event_type: ProposalEvent,
    asked: Asked,
    context: CommandContext,
    *,
    decide: Decide,
) -> Recorded:
    """Let an event happen to a proposal, or return what the key did before.

    Raises, in this order: Forbidden for an event that is never the actor's; NotFound; Conflict for a key used with another
    request; Conflict ``STATE_CONFLICT: …``; Conflict ``VERSION_CONFLICT``; InvalidInput ``INVALID_TRANSITION``,
    ``APPROVAL_REQUIRED``, ``PROPOSAL_BLOCKED``; Forbidden for an event that is not the actor's in this state.
    """
    check_may_ever_post(context.actor, event_type)
    loaded = lock_proposal(session, context.actor.tenant_id, proposal_id)
    found = first_answer(session, context.actor.tenant_id, proposal_id, asked.keyed)
    if found is not None:
        return found
    standing = loaded.standing
    check_expected(standing, asked.expected, context.policy.proposals)
    after = check_transition(standing, event_type)
    check_may_post(context.actor, standing.state, event_type)
    if event_type is ProposalEvent.REJECTED and standing.state in IN_REVIEW:
        event = decide(session, loaded, asked.reason, context, approved=False, as_approval=False)
    else:
        event = record_event(session, loaded, event_type, after, context, reason=asked.reason)
        _tell(session, loaded, event, (standing.state, after), context)
    return _kept(session, event, asked.keyed, context)


def approve(
    session: Session,
    proposal_id: str,
    approval: ApprovalType,
    asked: Asked,
    context: CommandContext,
    *,
    approved: bool,
    decide: Decide,
) -> Recorded:
    """Record that an approval of the current version is given or withheld, or return what the key did before.

    Raises, in this order: Forbidden; NotFound; Conflict as ``transition`` does; InvalidInput ``INVALID_APPROVAL_STATE``;
    Forbidden ``FOUR_EYES``.
    """
    actor = context.actor
    check_permission(actor, approval_permission(approval))
    loaded = lock_proposal(session, actor.tenant_id, proposal_id)
    found = first_answer(session, actor.tenant_id, proposal_id, asked.keyed)
    if found is not None:
        return found
    standing = loaded.standing
    check_expected(standing, asked.expected, context.policy.proposals)
    after = check_approval(standing, approval, approved=approved)
    if standing.state in IN_REVIEW:
        event = decide(session, loaded, asked.reason, context, approved=approved, as_approval=True)
    else:
        event = record_approval(session, loaded, approval, context, approved=approved, details=asked.reason)
        _tell(session, loaded, event, (standing.state, after), context)
    return _kept(session, event, asked.keyed, context)


def _tell(
    session: Session,
    loaded: LoadedProposal,
    event: ProposalEventRow,
    states: tuple[ProposalState, ProposalState],
    context: CommandContext,
) -> None:
    """Write a step into the log and let the item of the proposal's review follow it."""
    told = step_taken(loaded.version, event)
    append_proposal_events(session, event.proposal_id, event.event_id, told, context)
    kind = ProposalEvent(event.event_type)
    follow_with_review(session, loaded.row, loaded.version, kind, states, event.event_id, context)


def _kept(session: Session, event: ProposalEventRow, keyed: Keyed, context: CommandContext) -> Recorded:
    keep_key(session, event.proposal_id, keyed, event, context)
    session.flush()
    return Recorded.of(event)
