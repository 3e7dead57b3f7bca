"""The refusals that routes of runs document."""

from __future__ import annotations

from lotus_web.api.endpoint.routing import Refuses
from lotus_web.domain.items import evidence, signing
from lotus_web.domain.proposals import refusals

TOO_MANY_EXPORTS = Refuses(
    429,
    "TOO_MANY_ATTEMPTS",
    "as many exports as there may be at once are being sent; `Retry-After` says when to try again",
)
RUN_NOT_FOUND = Refuses(404, "DPM_RUN_NOT_FOUND", "there is no such run in this tenant")
KEY_NOT_FOUND = Refuses(404, "DPM_IDEMPOTENCY_KEY_NOT_FOUND", "the tenant has no run with this key")
INVALID_CURSOR = Refuses(422, "INVALID_CURSOR", "the cursor was not issued by this list")
KEY_CONFLICT = Refuses(409, "IDEMPOTENCY_KEY_CONFLICT: request hash mismatch", "the key was used with another request")
KEY_IN_PROGRESS = Refuses(409, "IDEMPOTENCY_KEY_IN_PROGRESS", "the same request is being computed for more than 10 s")
STORE_INCONSISTENT = Refuses(503, "DPM_IDEMPOTENCY_STORE_INCONSISTENT", "the run of the key is missing from the store")
NOT_REQUIRED = Refuses(409, "DPM_WORKFLOW_NOT_REQUIRED_FOR_RUN_STATUS", "runs of this status need no review")
INVALID_TRANSITION = Refuses(409, "DPM_WORKFLOW_INVALID_TRANSITION", "the gate does not allow this action now")
EVIDENCE_REQUIRED = Refuses(409, evidence.REQUIRED, "`LOTUS_REQUIRE_EVIDENCE` is on and the decision names no evidence")
EVIDENCE_CHANGED = Refuses(409, evidence.CHANGED, "the evidence is not, or no longer, the one with this digest")
SIGNATURE_REQUIRED = Refuses(
    409, signing.REQUIRED, "`LOTUS_SIGN_DECISIONS` has a person sign such a decision, on the page of its item"
)
ACTOR_MISMATCH = Refuses(403, "ACTOR_MISMATCH", "actor_id is not the token's account, which may not act on behalf")
FOUR_EYES = Refuses(
    403,
    "FOUR_EYES",
    "the account or person that submitted the run does not APPROVE it: a client that does both needs a second account;"
    " `LOTUS_FOUR_EYES=false`, or a tenant in `LOTUS_FOUR_EYES_EXEMPT_TENANTS`, lifts this rule",
)
OPERATION_NOT_FOUND = Refuses(404, "DPM_ASYNC_OPERATION_NOT_FOUND", "there is no such operation in this tenant")
NOT_EXECUTABLE = Refuses(
    409, "DPM_ASYNC_OPERATION_NOT_EXECUTABLE", "the operation is not PENDING, or another caller executed it first"
)
NOT_REPLAYABLE = Refuses(409, "DPM_RUN_NOT_REPLAYABLE", "the stored request is not one that this version accepts")
HOLD_UNCHANGED = Refuses(409, "LEGAL_HOLD_UNCHANGED", "the run is already, or is not, under legal hold")
SIMULATION_DISABLED = Refuses(
    422,
    "PROPOSAL_SIMULATION_DISABLED: set options.enable_proposal_simulation=true",
    "the request does not ask for a simulation",
)
RESULT_TOO_LARGE = Refuses(
    422,
    refusals.RESULT_TOO_LARGE,
    "a request of many rows and long names gives a result that is many times as large",
)
