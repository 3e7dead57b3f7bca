"""What can be done with a proposal now, and for everything else why not: one table for buttons and their refusals."""

from __future__ import annotations

from dataclasses import dataclass

from lotus_web.domain.access import Actor, Permission, check_permission
from lotus_web.domain.errors import LotusError
from lotus_web.domain.items.actions import Action
from lotus_web.domain.items.four_eyes import FourEyes, Parties
from lotus_web.domain.items.subjects import SUBJECTS, SubjectType
from lotus_web.domain.proposals.permissions import approval_permission, check_may_post
from lotus_web.domain.proposals.rules import (
    ProposalRules,
    Standing,
    check_approval,
    check_new_version,
    check_transition,
)
from lotus_web.domain.proposals.states import ApprovalType, ProposalEvent
from lotus_web.domain.sentences import Sentence

_E, _A = ProposalEvent, ApprovalType


@dataclass(frozen=True, slots=True)
class Step:
    """A step that a person takes: a posted event, or an approval that is given or withheld; ``done`` says that it was."""

    name: str
    label: str
    done: str
    event: ProposalEvent | None = None
    approval: ApprovalType | None = None
    approved: bool = False


STEPS = {
    step.name: step
    for step in (
        Step(
            "submit_risk",
            "Submit for risk review",
            "The proposal was submitted for risk review.",
            event=_E.SUBMITTED_FOR_RISK_REVIEW,
        ),
        Step(
            "submit_compliance",
            "Submit for compliance review",
            "The proposal was submitted for compliance review.",
            event=_E.SUBMITTED_FOR_COMPLIANCE_REVIEW,
        ),
        Step("approve_risk", "Approve for risk", "Approved for risk.", approval=_A.RISK, approved=True),
        Step("reject_risk", "Reject for risk", "Rejected for risk.", approval=_A.RISK),
        Step(
            "approve_compliance",
            "Approve for compliance",
            "Approved for compliance.",
            approval=_A.COMPLIANCE,
            approved=True,
        ),
        Step("reject_compliance", "Reject for compliance", "Rejected for compliance.", approval=_A.COMPLIANCE),
        Step(
            "consent",
            "Record the client's consent",
            "The client's consent was recorded.",
            approval=_A.CLIENT_CONSENT,
            approved=True,
        ),
        Step("refuse", "Record the client's refusal", "The client's refusal was recorded.", approval=_A.CLIENT_CONSENT),
        Step("execute", "Record the execution", "The execution was recorded.", event=_E.EXECUTED),
        Step("expire", "Let the proposal expire", "The proposal has expired.", event=_E.EXPIRED),
        Step("cancel", "Cancel the proposal", "The proposal was cancelled.", event=_E.CANCELLED),
    )
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A step, and the sentence that refuses it now; None where it can be taken."""

    step: Step
    refusal: Sentence | None


def choices(standing: Standing, actor: Actor, four_eyes: FourEyes) -> tuple[Choice, ...]:
    """Return every step, in the order of a proposal's way, with why it cannot be taken now."""
    return tuple(Choice(step, _refusal(step, standing, actor, four_eyes)) for step in STEPS.values())


def _refusal(step: Step, standing: Standing, actor: Actor, four_eyes: FourEyes) -> Sentence | None:
    """Return why a step is refused: the state first, as the service does, then who asks."""
    try:
        if step.event is not None:
            check_transition(standing, step.event)
            check_may_post(actor, standing.state, step.event)
        elif step.approval is not None:
            check_approval(standing, step.approval, approved=step.approved)
            check_permission(actor, approval_permission(step.approval))
    except LotusError as refused:
        return _sentence(refused)
    if step.approved and step.approval is not ApprovalType.CLIENT_CONSENT:
        return four_eyes.refusal(Action.APPROVE, actor, _parties(standing))
    return None


def _parties(standing: Standing) -> Parties:
    """Return who does not approve the current version: its maker (delta 37)."""
    did = SUBJECTS[SubjectType.PROPOSAL].submitted.format(version_no=standing.version_no)
    return Parties(standing.made_by, None, did, True, standing.recorded_by, standing.principals)


def new_version_refusal(standing: Standing, actor: Actor, rules: ProposalRules) -> Sentence | None:
    """Return why no new version can be made now, None where one can."""
    try:
        check_new_version(standing, rules)
        check_permission(actor, Permission.PROPOSALS_WRITE)
    except LotusError as refused:
        return _sentence(refused)
    return None


def _sentence(refused: LotusError) -> Sentence:
    return refused.sentence or Sentence.literal(refused.code)
