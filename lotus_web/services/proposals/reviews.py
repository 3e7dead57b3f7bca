"""A proposal's review as an item of the inbox: asked for on submission, withdrawn when nobody needs it any more (ADR 0021)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.events.envelope import OWN_PRODUCER, EventType, own_event_key
from lotus_web.domain.items.values import Priority
from lotus_web.domain.proposals.reviews import Needless, ReviewedVersion, review_ends, review_item_id, review_requested
from lotus_web.domain.proposals.states import IN_REVIEW, ProposalEvent, ProposalState
from lotus_web.domain.rebalance.values.codes import Gate
from lotus_web.models import EventLogEntry, Proposal, ProposalVersion
from lotus_web.services.command import CommandContext
from lotus_web.services.events.withdrawal import withdraw_review
from lotus_web.services.proposals.events import append_proposal_events, proposal_title


def ask_for_review(
    session: Session,
    proposal: Proposal,
    version: ProposalVersion,
    state: ProposalState,
    key: str,
    context: CommandContext,
) -> None:
    """Append the event that opens the proposal's item, or opens it again for this version; ``key`` is the id of the step."""
    asked = ReviewedVersion(
        proposal_id=proposal.proposal_id,
        version_no=version.version_no,
        version_id=version.proposal_version_id,
        portfolio_id=version.portfolio_id,
        title=proposal_title(proposal),
        artifact_hash=version.artifact_hash,
        engine_version=version.engine_version,
        made_by=version.created_by,
        state=state,
        findings=_findings(session, version),
        priority=Priority.HIGH if version.gate == Gate.COMPLIANCE_REVIEW_REQUIRED else Priority.NORMAL,
    )
    payload: Mapping[str, Any] = review_requested(asked)
    told = ((EventType.WORKFLOW_REVIEW_REQUESTED, payload),)
    append_proposal_events(session, proposal.proposal_id, key, told, context)


def follow_with_review(
    session: Session,
    proposal: Proposal,
    version: ProposalVersion,
    event: ProposalEvent,
    states: tuple[ProposalState, ProposalState],
    key: str,
    context: CommandContext,
) -> None:
    """Let the item follow a step that nobody took through it: what enters a review is asked for, what leaves it is withdrawn.

    A new version that keeps the state is reviewed in place of the one before. The step is recorded and in the log.
    """
    before, after = states
    if after in IN_REVIEW:
        ask_for_review(session, proposal, version, after, key, context)
    elif review_ends(before, after, event):
        why = Needless(event, version.version_no)
        item = review_item_id(proposal.proposal_id)
        withdraw_review(session, item, context, text=why.words, why=why.details)


def _findings(session: Session, version: ProposalVersion) -> list[str]:
    """Return the ids of the failing rules and new findings of a version, as the log has them since it was made."""
    query = select(EventLogEntry.payload).where(
        EventLogEntry.tenant_id == version.tenant_id,
        EventLogEntry.producer_id == OWN_PRODUCER,
        EventLogEntry.idempotency_key == own_event_key(version.proposal_version_id, EventType.POLICY_EVALUATED),
    )
    payload = session.scalars(query).one_or_none()
    return [str(found["rule_id"]) for found in payload["violations"]] if payload else []
