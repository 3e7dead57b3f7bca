"""Transitions and approvals of a proposal, checked under the lock in one order of refusals (delta 36)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from lotus_web.domain.access import check_permission
from lotus_web.domain.events.envelope import EventType
from lotus_web.domain.proposals.permissions import approval_permission, check_may_ever_post, check_may_post
from lotus_web.domain.proposals.refusals import FOUR_EYES
from lotus_web.domain.proposals.rules import (
    Expected,
    check_approval,
    check_expected,
    check_four_eyes,
    check_transition,
)
from lotus_web.domain.proposals.states import ApprovalType, ProposalEvent
from lotus_web.models import ProposalEventRow
from lotus_web.services.audit.records import AuditCategory, record_audit
from lotus_web.services.command import CommandContext
from lotus_web.services.proposals.events import (
    Payloads,
    append_proposal_events,
    approval_recorded,
    step_taken,
)
from lotus_web.services.proposals.keys import Keyed, Recorded, first_answer, keep_key
from lotus_web.services.proposals.records import record_approval, record_event
from lotus_web.services.proposals.standing import LoadedProposal, lock_proposal


@dataclass(frozen=True, slots=True)
class Asked:
    """What a step is meant for, what its caller says about it, and the key it came with."""

    keyed: Keyed
    expected: Expected = field(default_factory=Expected)
    reason: Mapping[str, Any] = field(default_factory=dict)


def transition(
    session: Session, proposal_id: str, event_type: ProposalEvent, asked: Asked, context: CommandContext
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
    event = record_event(session, loaded, event_type, after, context, reason=asked.reason)
    return _kept(session, loaded, event, asked.keyed, step_taken(loaded.version, event), context)


def approve(
    session: Session,
    proposal_id: str,
    approval: ApprovalType,
    asked: Asked,
    context: CommandContext,
    *,
    approved: bool,
) -> Recorded:
    """Record that an approval of the current version is given or withheld, or return what the key did before.

    Raises, in this order: Forbidden; NotFound; Conflict as ``transition`` does; InvalidInput ``INVALID_APPROVAL_STATE``;
    Forbidden ``FOUR_EYES``.
    """
    actor, rules = context.actor, context.policy.proposals
    check_permission(actor, approval_permission(approval))
    loaded = lock_proposal(session, actor.tenant_id, proposal_id)
    found = first_answer(session, actor.tenant_id, proposal_id, asked.keyed)
    if found is not None:
        return found
    standing = loaded.standing
    check_expected(standing, asked.expected, rules)
    check_approval(standing, approval, approved=approved)
    exempted = check_four_eyes(
        standing,
        approval,
        approved=approved,
        decider=actor.decider_id,
        tenant_id=actor.tenant_id,
        rules=rules,
    )
    if exempted:
        _put_exemption_on_record(session, proposal_id, approval, context)
    event = record_approval(session, loaded, approval, context, approved=approved, details=asked.reason)
    told = step_taken(loaded.version, event)
    if approval is not ApprovalType.CLIENT_CONSENT:
        told = ((EventType.APPROVAL_RECORDED, approval_recorded(event, context, approved=approved)), *told)
    return _kept(session, loaded, event, asked.keyed, told, context)


def _kept(
    session: Session,
    loaded: LoadedProposal,
    event: ProposalEventRow,
    keyed: Keyed,
    told: Payloads,
    context: CommandContext,
) -> Recorded:
    keep_key(session, loaded.row.proposal_id, keyed, event, context)
    append_proposal_events(session, loaded.row.proposal_id, event.event_id, told, context)
    session.flush()
    return Recorded.of(event)


def _put_exemption_on_record(
    session: Session, proposal_id: str, approval: ApprovalType, context: CommandContext
) -> None:
    record_audit(
        session,
        AuditCategory.EXEMPTED,
        actor=context.actor,
        action=approval.value,
        subject=proposal_id,
        code=FOUR_EYES,
        message="Approved by the person who made the version: this tenant has a single reviewer.",
        surface=context.surface,
        now=context.now,
        request_id=context.correlation_id,
    )
