"""A simulation in the form in which a version is stored: its documents, its hashes, its gate. Asks the store nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lotus_web.domain.advisory.engine import simulate_proposal
from lotus_web.domain.advisory.result import ProposalResult
from lotus_web.domain.canonical import HASH_PREFIX
from lotus_web.domain.rebalance.values.codes import Gate
from lotus_web.wire.proposals.artifact import artifact_hash, proposal_artifact
from lotus_web.wire.proposals.documents import DocumentParts, parts_of
from lotus_web.wire.proposals.request import SimulateRequestBody

RUN_ID_DIGITS = 8


@dataclass(frozen=True, slots=True)
class ComputedVersion:
    """A version that is not recorded yet; ``result`` is the document in its parts, ``gate`` what the rules came to."""

    portfolio_id: str
    request_hash: str
    simulation_hash: str
    artifact_hash: str
    status: str
    gate: Gate
    gate_decision: Mapping[str, Any] | None
    engine_version: str
    result: Mapping[str, Any]
    parts: DocumentParts


def simulated(
    body: SimulateRequestBody, *, request_hash: str, idempotency_key: str | None, correlation_id: str
) -> ProposalResult:
    """Run the engine on a request; the id of the simulation follows from the request's hash."""
    return simulate_proposal(
        body.to_domain(),
        run_id="pr_" + request_hash.removeprefix(HASH_PREFIX)[:RUN_ID_DIGITS],
        correlation_id=correlation_id,
        request_hash=request_hash,
        idempotency_key=idempotency_key,
    )


def compute_version(
    body: SimulateRequestBody,
    *,
    request_hash: str,
    idempotency_key: str | None,
    correlation_id: str,
    now: datetime,
    store_evidence: bool,
) -> ComputedVersion:
    """Simulate and build the artifact; its hash covers the evidence whether or not that is stored."""
    result = simulated(body, request_hash=request_hash, idempotency_key=idempotency_key, correlation_id=correlation_id)
    artifact = proposal_artifact(result, body, created_at=now)
    document = artifact["evidence_bundle"]["engine_outputs"]["proposal_result"]
    return ComputedVersion(
        portfolio_id=body.portfolio_snapshot.portfolio_id,
        request_hash=request_hash,
        simulation_hash=artifact_hash(document),
        artifact_hash=artifact["artifact_hash"],
        status=result.status.value,
        gate=result.gate.gate,
        gate_decision=document["gate_decision"],
        engine_version=result.lineage.engine_version,
        result=document,
        parts=parts_of(artifact, store_evidence=store_evidence),
    )
