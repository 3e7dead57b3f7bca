"""The artifact of a run: everything that was decided, with a hash that anyone can recompute (dpm-api §10.1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lotus_web.domain.canonical import canonical_json, text_hash
from lotus_web.domain.identifiers import artifact_id

ARTIFACT_VERSION = "1.0"
HASH_FIELD = "artifact_hash"


def artifact_document(
    result: Mapping[str, Any],
    *,
    request_hash: str,
    idempotency_key: str | None,
    portfolio_id: str,
    created_at: datetime,
) -> dict[str, Any]:
    """Return the artifact of a recorded run from its result document; no clock, no randomness, so always the same."""
    run_id = result["rebalance_run_id"]
    document = {
        "artifact_id": artifact_id(run_id),
        "artifact_version": ARTIFACT_VERSION,
        "rebalance_run_id": run_id,
        "correlation_id": result["correlation_id"],
        "idempotency_key": idempotency_key,
        "portfolio_id": portfolio_id,
        "status": result["status"],
        "request_snapshot": {"portfolio_id": portfolio_id, "request_hash": request_hash},
        "before_summary": result["before"],
        "after_summary": result["after_simulated"],
        "order_intents": result["intents"],
        "rule_outcomes": result["rule_results"],
        "diagnostics": result["diagnostics"],
        "result": result,
        "evidence": {
            "engine_version": result["lineage"]["engine_version"] or "unknown",
            "run_created_at": created_at.isoformat(timespec="microseconds"),
            "hashes": {"request_hash": request_hash},
        },
    }
    document["evidence"]["hashes"][HASH_FIELD] = artifact_hash(document)
    return document


def artifact_hash(document: Mapping[str, Any]) -> str:
    """Return the hash over the artifact without any key named ``artifact_hash``, at any depth."""
    return text_hash(hashed_text(document))


def hashed_text(document: Mapping[str, Any]) -> str:
    """Return the canonical text that an artifact's hash is taken over."""
    return canonical_json(_without_hashes(document))


def _without_hashes(value: Any) -> Any:
    if type(value) is dict:
        return {key: _without_hashes(item) for key, item in value.items() if key != HASH_FIELD}
    if type(value) is list:
        return [_without_hashes(item) for item in value]
    return value
