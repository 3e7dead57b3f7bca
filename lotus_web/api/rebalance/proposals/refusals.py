"""The refusals that routes of proposals document (proposals-api §1, deltas 30, 36)."""

from __future__ import annotations

from lotus_web.api.endpoint.routing import Refuses
from lotus_web.domain.operations import PROPOSAL_OPERATION_NOT_FOUND
from lotus_web.domain.proposals import refusals

PROPOSAL_NOT_FOUND = Refuses(404, "PROPOSAL_NOT_FOUND", "there is no such proposal in this tenant")
OPERATION_NOT_FOUND = Refuses(404, PROPOSAL_OPERATION_NOT_FOUND, "there is no such operation in this tenant")
VERSION_NOT_FOUND = Refuses(404, "PROPOSAL_VERSION_NOT_FOUND", "the proposal has no such version")
KEY_NOT_FOUND = Refuses(404, "PROPOSAL_IDEMPOTENCY_KEY_NOT_FOUND", "the tenant has created no proposal with this key")
STATE_REQUIRED = Refuses(
    409, refusals.STATE_REQUIRED, "`expected_state` is missing and `PROPOSAL_REQUIRE_EXPECTED_STATE` is on"
)
STATE_MISMATCH = Refuses(409, refusals.STATE_MISMATCH, "the proposal is not in the expected state, or no longer")
VERSION_CONFLICT = Refuses(409, refusals.VERSION_CONFLICT, "the version named is not the current one, or no longer")
INVALID_TRANSITION = Refuses(422, refusals.INVALID_TRANSITION, "the event cannot follow in this state")
INVALID_APPROVAL_STATE = Refuses(422, refusals.INVALID_APPROVAL_STATE, "the approval is not due in this state")
APPROVAL_REQUIRED = Refuses(422, refusals.APPROVAL_REQUIRED, "the event comes of an approval: post that instead")
BLOCKED = Refuses(422, refusals.BLOCKED, "the current version is BLOCKED and cannot be submitted")
TERMINAL_STATE = Refuses(422, refusals.TERMINAL_STATE, "the proposal has ended")
PORTFOLIO_MISMATCH = Refuses(
    422,
    refusals.PORTFOLIO_MISMATCH,
    "the version is of another portfolio than the proposal; `PROPOSAL_ALLOW_PORTFOLIO_CHANGE_ON_NEW_VERSION` allows it",
)
ACTOR_MISMATCH = Refuses(
    403, "ACTOR_MISMATCH", "the account named is not the token's, which may not act on behalf of others"
)
FOUR_EYES = Refuses(
    403,
    refusals.FOUR_EYES,
    "who made the current version does not approve it for risk or compliance; `PROPOSAL_FOUR_EYES=false`, or a tenant in"
    " `LOTUS_FOUR_EYES_EXEMPT_TENANTS`, lifts this rule",
)
