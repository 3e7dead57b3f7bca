"""What a proposal would be, before anyone makes it: computed and forgotten."""

from __future__ import annotations

from lotus_web.domain.canonical import HASH_PREFIX
from lotus_web.domain.proposals.evidence import ProposalEvidence, proposal_evidence
from lotus_web.services.proposals.compute import simulated
from lotus_web.wire.proposals.request import SimulateRequestBody
from lotus_web.wire.proposals.result import RESULT


def preview(body: SimulateRequestBody) -> ProposalEvidence:
    """Return the evidence of a simulation; nothing is written. BLOCKED is an answer."""
    result = simulated(body, request_hash=HASH_PREFIX, idempotency_key=None, correlation_id="preview")
    return proposal_evidence(RESULT.document(result))
