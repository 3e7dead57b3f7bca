"""The state machine of a proposal as a table, and the approvals that move it (proposals-api §3.1, delta 30)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ProposalState(StrEnum):
    """Where a proposal is on its way from draft to execution."""

    DRAFT = "DRAFT"
    RISK_REVIEW = "RISK_REVIEW"
    COMPLIANCE_REVIEW = "COMPLIANCE_REVIEW"
    AWAITING_CLIENT_CONSENT = "AWAITING_CLIENT_CONSENT"
    EXECUTION_READY = "EXECUTION_READY"
    EXECUTED = "EXECUTED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


class ProposalEvent(StrEnum):
    """What happens to a proposal; EXECUTION_REQUESTED is part of the vocabulary and never takes effect."""

    CREATED = "CREATED"
    NEW_VERSION_CREATED = "NEW_VERSION_CREATED"
    SUBMITTED_FOR_RISK_REVIEW = "SUBMITTED_FOR_RISK_REVIEW"
    RISK_APPROVED = "RISK_APPROVED"
    SUBMITTED_FOR_COMPLIANCE_REVIEW = "SUBMITTED_FOR_COMPLIANCE_REVIEW"
    COMPLIANCE_APPROVED = "COMPLIANCE_APPROVED"
    CLIENT_CONSENT_RECORDED = "CLIENT_CONSENT_RECORDED"
    EXECUTION_REQUESTED = "EXECUTION_REQUESTED"
    EXECUTED = "EXECUTED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"


class ApprovalType(StrEnum):
    """Whose approval is recorded."""

    RISK = "RISK"
    COMPLIANCE = "COMPLIANCE"
    CLIENT_CONSENT = "CLIENT_CONSENT"


@dataclass(frozen=True, slots=True)
class ApprovalStep:
    """Where an approval is due, and the event that follows when it is given; one that is withheld rejects the proposal."""

    due_in: ProposalState
    approved: ProposalEvent


APPROVALS = {
    ApprovalType.RISK: ApprovalStep(ProposalState.RISK_REVIEW, ProposalEvent.RISK_APPROVED),
    ApprovalType.COMPLIANCE: ApprovalStep(ProposalState.COMPLIANCE_REVIEW, ProposalEvent.COMPLIANCE_APPROVED),
    ApprovalType.CLIENT_CONSENT: ApprovalStep(
        ProposalState.AWAITING_CLIENT_CONSENT, ProposalEvent.CLIENT_CONSENT_RECORDED
    ),
}

TERMINAL = frozenset({ProposalState.EXECUTED, ProposalState.REJECTED, ProposalState.CANCELLED, ProposalState.EXPIRED})
OPEN = frozenset(ProposalState) - TERMINAL
# States in which a person other than the author has work to do.
IN_REVIEW = frozenset({ProposalState.RISK_REVIEW, ProposalState.COMPLIANCE_REVIEW})
# Events that only an approval brings about (delta 30).
NEEDS_APPROVAL = frozenset(step.approved for step in APPROVALS.values())
# Events that put a proposal before somebody; a blocked version cannot be put there (delta 30).
SUBMISSIONS = frozenset({ProposalEvent.SUBMITTED_FOR_RISK_REVIEW, ProposalEvent.SUBMITTED_FOR_COMPLIANCE_REVIEW})

_S, _E = ProposalState, ProposalEvent
TRANSITIONS: dict[tuple[ProposalState, ProposalEvent], ProposalState] = {
    (_S.DRAFT, _E.SUBMITTED_FOR_RISK_REVIEW): _S.RISK_REVIEW,
    (_S.DRAFT, _E.SUBMITTED_FOR_COMPLIANCE_REVIEW): _S.COMPLIANCE_REVIEW,
    (_S.RISK_REVIEW, _E.RISK_APPROVED): _S.AWAITING_CLIENT_CONSENT,
    (_S.RISK_REVIEW, _E.REJECTED): _S.REJECTED,
    (_S.COMPLIANCE_REVIEW, _E.COMPLIANCE_APPROVED): _S.AWAITING_CLIENT_CONSENT,
    (_S.COMPLIANCE_REVIEW, _E.REJECTED): _S.REJECTED,
    (_S.AWAITING_CLIENT_CONSENT, _E.CLIENT_CONSENT_RECORDED): _S.EXECUTION_READY,
    (_S.AWAITING_CLIENT_CONSENT, _E.REJECTED): _S.REJECTED,
    (_S.EXECUTION_READY, _E.EXECUTED): _S.EXECUTED,
    (_S.EXECUTION_READY, _E.EXPIRED): _S.EXPIRED,
    **{(state, _E.CANCELLED): _S.CANCELLED for state in sorted(OPEN)},
}


def state_after(state: ProposalState, event: ProposalEvent) -> ProposalState | None:
    """Return the state after a posted event, None where the table knows no such step."""
    return TRANSITIONS.get((state, event))


def approval_event(approval: ApprovalType, *, approved: bool) -> ProposalEvent:
    """Return the event that an approval brings about."""
    return APPROVALS[approval].approved if approved else ProposalEvent.REJECTED


def approval_due(state: ProposalState) -> ApprovalType | None:
    """Return whose approval a state waits for, if anybody's."""
    return next((kind for kind, step in APPROVALS.items() if step.due_in is state), None)


def state_after_new_version(state: ProposalState, *, keep_state: bool) -> ProposalState | None:
    """Return the state after a new version; None for a proposal that has ended.

    A new version sends a proposal back to DRAFT, so that nobody's approval of another version carries it on;
    ``keep_state`` leaves it where it is, as the reference does (delta 30).
    """
    if state in TERMINAL:
        return None
    return state if keep_state else ProposalState.DRAFT
