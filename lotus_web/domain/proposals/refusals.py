"""The refusals of proposals, each with its stable code and one sentence for every surface (proposals-api §1, delta 36)."""

from __future__ import annotations

from lotus_web.domain.errors import Conflict, InvalidInput, NotFound
from lotus_web.domain.sentences import Sentence

STATE_REQUIRED = "STATE_CONFLICT: expected_state is required"
STATE_MISMATCH = "STATE_CONFLICT: expected_state mismatch"
VERSION_CONFLICT = "VERSION_CONFLICT"
INVALID_TRANSITION = "INVALID_TRANSITION"
INVALID_APPROVAL_STATE = "INVALID_APPROVAL_STATE"
APPROVAL_REQUIRED = "APPROVAL_REQUIRED"
BLOCKED = "PROPOSAL_BLOCKED"
FOUR_EYES = "FOUR_EYES"
TERMINAL_STATE = "PROPOSAL_TERMINAL_STATE: cannot create version"
SIMULATION_DISABLED = "PROPOSAL_SIMULATION_DISABLED: set options.enable_proposal_simulation=true"
RESULT_TOO_LARGE = "PROPOSAL_RESULT_TOO_LARGE: send fewer rows and attributes, or shorter names"
PORTFOLIO_MISMATCH = "PORTFOLIO_CONTEXT_MISMATCH"
LIFECYCLE_OFF = "Proposals with versions are switched off"


class ProposalNotFound(NotFound):
    """This tenant has no proposal with this id."""

    code = "PROPOSAL_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__(message="Proposal not found. The ID may be incomplete.")


class ProposalVersionNotFound(NotFound):
    """The proposal has no version with this number, or there is no such proposal."""

    code = "PROPOSAL_VERSION_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__(message="Version not found.")


class ProposalKeyNotFound(NotFound):
    """This tenant has created no proposal with this key."""

    code = "PROPOSAL_IDEMPOTENCY_KEY_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__(message="No proposal was created with this key.")


def simulation_disabled() -> InvalidInput:
    """Return the refusal of a request that does not ask for a simulation."""
    return InvalidInput(SIMULATION_DISABLED, "The options must switch enable_proposal_simulation on.")


def result_too_large(limit: int) -> InvalidInput:
    """Return the refusal of a request whose result would be over ``limit`` bytes (delta 48)."""
    sentence = Sentence("The result would be over {size} MiB.", size=limit // (1024 * 1024))
    return InvalidInput(RESULT_TOO_LARGE, sentence, details={"limit": limit})


def state_required() -> Conflict:
    """Return the refusal of a step that does not say which state it starts from."""
    return Conflict(STATE_REQUIRED, "Name the state that the proposal is expected to be in.")


def state_mismatch(state: str) -> Conflict:
    """Return the refusal of a step that starts from another state than the proposal is in."""
    return Conflict(
        STATE_MISMATCH, Sentence("The proposal is in {state} by now.", state=state), details={"state": state}
    )


def version_conflict(version_no: int) -> Conflict:
    """Return the refusal of a step that is about another version than the current one."""
    sentence = Sentence("Version {number} is the current one by now.", number=version_no)
    return Conflict(VERSION_CONFLICT, sentence, details={"version_no": version_no})


def terminal_state(state: str) -> InvalidInput:
    """Return the refusal of a new version of a proposal that has ended."""
    return InvalidInput(TERMINAL_STATE, Sentence("The proposal has ended: it is {state}.", state=state))


def portfolio_mismatch(portfolio_id: str) -> InvalidInput:
    """Return the refusal of a version of another portfolio than the proposal's."""
    return InvalidInput(
        PORTFOLIO_MISMATCH, Sentence("The proposal is of the portfolio {portfolio_id}.", portfolio_id=portfolio_id)
    )
