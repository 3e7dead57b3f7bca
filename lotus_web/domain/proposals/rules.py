"""What may happen to a proposal now, in the order in which it is refused (proposals-api §3.1, deltas 30, 36, 37)."""

from __future__ import annotations

from dataclasses import dataclass

from lotus_web.domain.errors import InvalidInput, LotusError
from lotus_web.domain.proposals import refusals
from lotus_web.domain.proposals.states import (
    APPROVALS,
    NEEDS_APPROVAL,
    SUBMISSIONS,
    ApprovalType,
    ProposalEvent,
    ProposalState,
    approval_event,
    state_after,
    state_after_new_version,
)
from lotus_web.domain.sentences import Sentence


@dataclass(frozen=True, slots=True)
class ProposalRules:
    """What a deployment decides of proposals.

    ``keep_state`` leaves a proposal with a new version where it was, approvals included, as the reference does. Four eyes is
    a rule of items (domain/items/four_eyes.py).
    """

    store_evidence: bool = True
    require_expected_state: bool = True
    allow_portfolio_change: bool = False
    require_simulation_flag: bool = True
    keep_state: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a proposal stands: its state, its current version, who made that, which account recorded it, and who is behind it."""

    state: ProposalState
    version_no: int
    is_blocked: bool
    made_by: str
    recorded_by: str
    principals: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Expected:
    """The state and the version that a step is meant for, as far as its caller says."""

    state: ProposalState | None = None
    version_no: int | None = None


def check_expected(standing: Standing, expected: Expected, rules: ProposalRules) -> None:
    """Raise Conflict for a step that is meant for another state or version, or does not say which where it must."""
    if expected.state is None and rules.require_expected_state:
        raise refusals.state_required()
    if expected.state not in (None, standing.state):
        raise refusals.state_mismatch(standing.state)
    if expected.version_no not in (None, standing.version_no):
        raise refusals.version_conflict(standing.version_no)


def transition_refusal(standing: Standing, event: ProposalEvent) -> LotusError | None:
    """Return why a posted event cannot happen now, None where it can; ``state_after`` is then the new state."""
    if state_after(standing.state, event) is None:
        sentence = Sentence("{event} cannot follow in the state {state}.", event=event, state=standing.state)
        return InvalidInput(refusals.INVALID_TRANSITION, sentence)
    if event in NEEDS_APPROVAL:
        return InvalidInput(
            refusals.APPROVAL_REQUIRED, Sentence("{event} comes of an approval and is not posted.", event=event)
        )
    if event in SUBMISSIONS and standing.is_blocked:
        return InvalidInput(
            refusals.BLOCKED,
            Sentence("Version {number} is blocked: only a new version can be submitted.", number=standing.version_no),
        )
    return None


def check_transition(standing: Standing, event: ProposalEvent) -> ProposalState:
    """Return the state after a posted event; raises InvalidInput."""
    refused = transition_refusal(standing, event)
    after = state_after(standing.state, event)
    if refused is not None or after is None:
        raise refused or InvalidInput(refusals.INVALID_TRANSITION)
    return after


def check_approval(standing: Standing, approval: ApprovalType, *, approved: bool) -> ProposalState:
    """Return the state after an approval is given or withheld; raises InvalidInput ``INVALID_APPROVAL_STATE``."""
    event = approval_event(approval, approved=approved)
    after = state_after(standing.state, event)
    if APPROVALS[approval].due_in is not standing.state or after is None:
        sentence = Sentence("{approval} is not due in the state {state}.", approval=approval, state=standing.state)
        raise InvalidInput(refusals.INVALID_APPROVAL_STATE, sentence)
    return after


def check_new_version(standing: Standing, rules: ProposalRules) -> ProposalState:
    """Return the state after a new version; raises InvalidInput for a proposal that has ended."""
    after = state_after_new_version(standing.state, keep_state=rules.keep_state)
    if after is None:
        raise refusals.terminal_state(standing.state)
    return after
