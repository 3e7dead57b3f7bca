"""The artifact of a proposal: what was proposed, why, and a hash that anyone can recompute (proposals-api §6, delta 34)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from lotus_web.domain.advisory.result import CashFlow, ManualTrade, ProposalResult, RecommendedGate, StatusChange
from lotus_web.domain.canonical import content_hash
from lotus_web.domain.identifiers import proposal_artifact_id
from lotus_web.domain.proposals.refusals import result_too_large
from lotus_web.domain.rebalance.values.codes import Gate, ReasonSeverity, ReasonSource, RunStatus
from lotus_web.domain.rebalance.values.intent import FxSpot
from lotus_web.domain.rebalance.values.state import AllocationMetric, SimulatedState
from lotus_web.wire.proposals.request import SimulateRequestBody
from lotus_web.wire.proposals.result import RESULT
from lotus_web.wire.rebalance.model import Writer, four_places
from lotus_web.wire.rebalance.result import GateDecision

HASH_FIELD = "artifact_hash"
GATE = Writer(GateDecision)
# What names one call and not what was proposed: left out of the hash wherever it occurs (delta 34).
NOT_HASHED = frozenset({HASH_FIELD, "created_at", "correlation_id", "idempotency_key"})
# A version is answered with its result three times, with each issue and allocation once more: 64 MiB at most.
LARGEST_RESULT = 12 * 1024 * 1024
ORDERING = "CASH_FLOW->SELL->FX->BUY"
DISCLAIMER = "A simulation from the prices and rates given; actual trades may be filled at others, and values may fall."
NOT_INCLUDED = {
    "costs_and_fees": "Commissions, charges and spreads are not part of the estimate.",
    "tax": "Taxes are not part of the estimate.",
    "execution": "Orders are assumed to be filled in full at the prices given.",
}
NEXT_STEPS = {
    Gate.COMPLIANCE_REVIEW_REQUIRED: "COMPLIANCE_REVIEW",
    Gate.RISK_REVIEW_REQUIRED: "RISK_REVIEW",
    Gate.CLIENT_CONSENT_REQUIRED: "CLIENT_CONSENT",
    Gate.EXECUTION_READY: "EXECUTION_READY",
}


def proposal_artifact(
    result: ProposalResult,
    body: SimulateRequestBody,
    *,
    created_at: datetime,
) -> dict[str, Any]:
    """Return the artifact of a simulation; computed from unrounded figures, so always the same for the same proposal.

    Raises InvalidInput for a result of more than ``LARGEST_RESULT`` bytes (delta 48).
    """
    document = _document(result)
    artifact: dict[str, Any] = {
        "artifact_id": proposal_artifact_id(result.proposal_run_id),
        "proposal_run_id": result.proposal_run_id,
        "correlation_id": result.correlation_id,
        "created_at": created_at.isoformat(timespec="microseconds"),
        "status": result.status.value,
        "gate_decision": GATE.document(result.gate),
        "summary": _summary(result, body.portfolio_snapshot.portfolio_id),
        "portfolio_impact": _impact(result, document, body.options.drift_top_contributors_limit),
        "trades_and_funding": _trades(result, document, body),
        "suitability_summary": _suitability(result, document, body.options.drift_top_contributors_limit),
        "assumptions_and_limits": _assumptions(result, body),
        "disclosures": _disclosures(result),
        "evidence_bundle": _evidence(result, body, document),
    }
    digest = artifact_hash(artifact)
    artifact["evidence_bundle"]["hashes"][HASH_FIELD] = digest
    artifact[HASH_FIELD] = digest
    return artifact


def _document(result: ProposalResult) -> dict[str, Any]:
    written = RESULT.json(result)
    if len(written) > LARGEST_RESULT:
        raise result_too_large(LARGEST_RESULT)
    document: dict[str, Any] = json.loads(written)
    return document


def artifact_hash(artifact: Mapping[str, Any]) -> str:
    """Return the hash over an artifact without what names the call (``NOT_HASHED``), at any depth."""
    return content_hash(_hashed(artifact))


def _hashed(value: Any) -> Any:
    kind = type(
        value
    )  # JSON's own kinds: a large artifact has a million parts, and asking for more costs as much again
    if kind is dict:
        return {key: _hashed(item) for key, item in value.items() if key not in NOT_HASHED}
    return [_hashed(item) for item in value] if kind is list else value


def next_step(result: ProposalResult) -> str:
    """Return who looks at the proposal next: a review, the client, or execution."""
    if result.gate.gate is Gate.BLOCKED:
        high = any(
            row.source is ReasonSource.SUITABILITY and row.severity is ReasonSeverity.HIGH
            for row in result.gate.reasons
        )
        return "COMPLIANCE_REVIEW" if high else "RISK_REVIEW"
    if result.gate_decision is None:
        recommended = result.suitability.recommended_gate if result.suitability else RecommendedGate.NONE
        if recommended is not RecommendedGate.NONE:
            return recommended.value
        return "CLIENT_CONSENT" if result.status is RunStatus.READY else "RISK_REVIEW"
    return NEXT_STEPS[result.gate.gate]


def _summary(result: ProposalResult, portfolio_id: str) -> dict[str, Any]:
    return {
        "title": f"Proposal for portfolio {portfolio_id}",
        "objective_tags": _objectives(result),
        "advisor_notes": [],
        "recommended_next_step": next_step(result),
        "key_takeaways": _takeaways(result),
    }


def _objectives(result: ProposalResult) -> list[str]:
    drift = result.drift_analysis
    tags = {
        "RISK_ALIGNMENT": any(isinstance(row, ManualTrade) for row in result.intents),
        "CASH_DEPLOYMENT": any(isinstance(row, CashFlow) for row in result.intents),
        "DRIFT_REDUCTION": drift is not None and drift.asset_class.drift_total_delta < 0,
    }
    return [tag for tag, present in tags.items() if present] or ["PORTFOLIO_MAINTENANCE"]


def _takeaways(result: ProposalResult) -> list[dict[str, str]]:
    trades = sum(isinstance(row, ManualTrade) for row in result.intents)
    exchanges = sum(isinstance(row, FxSpot) for row in result.intents)
    before, after = (four_places(_cash_weight(state)) for state in (result.before, result.after_simulated))
    rows = {
        "STATUS": f"The proposal is {result.status.value}.",
        "INTENTS": f"{trades} security trades and {exchanges} currency exchanges.",
        "CASH": f"Cash goes from {before} to {after} of the portfolio.",
    }
    if result.drift_analysis is not None:
        drift = result.drift_analysis.asset_class
        rows["DRIFT"] = (
            f"Drift by asset class goes from {four_places(drift.drift_total_before)}"
            f" to {four_places(drift.drift_total_after)}."
        )
    if result.suitability is not None:
        counts = result.suitability.summary
        rows["SUITABILITY"] = (
            f"{counts.new_count} new, {counts.persistent_count} persistent and {counts.resolved_count} resolved issues."
        )
    return [{"code": code, "value": text} for code, text in rows.items()]


def _cash_weight(state: SimulatedState) -> Decimal:
    return next(row.weight for row in state.allocation_by_asset_class if row.key == "CASH")


def _impact(result: ProposalResult, document: Mapping[str, Any], limit: int) -> dict[str, Any]:
    states = {"before": (result.before, "before"), "after": (result.after_simulated, "after_simulated")}
    impact: dict[str, Any] = {name: _state(state, document[key]) for name, (state, key) in states.items()}
    impact["delta"] = {
        "total_value_delta": document["reconciliation"]["delta"],
        "largest_weight_changes": _weight_changes(result, limit),
    }
    impact["reconciliation"] = document["reconciliation"]
    return impact


def _state(state: SimulatedState, document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "total_value": document["total_value"],
        **{
            name: _heaviest_first(getattr(state, name), document[name])
            for name in ("allocation_by_asset_class", "allocation_by_instrument")
        },
    }


def _heaviest_first(rows: Sequence[AllocationMetric], documents: Sequence[Any]) -> list[Any]:
    pairs = sorted(zip(rows, documents, strict=True), key=lambda pair: (-pair[0].weight, pair[0].key))
    return [document for _, document in pairs]


def _weight_changes(result: ProposalResult, limit: int) -> list[dict[str, str]]:
    before = {row.key: row.weight for row in result.before.allocation_by_instrument}
    after = {row.key: row.weight for row in result.after_simulated.allocation_by_instrument}
    zero = Decimal(0)
    changes = {key: after.get(key, zero) - before.get(key, zero) for key in before | after}
    largest = sorted(changes.items(), key=lambda change: (-abs(change[1]), change[0]))
    return [
        {
            "bucket_type": "INSTRUMENT",
            "bucket_id": key,
            "weight_before": four_places(before.get(key, zero)),
            "weight_after": four_places(after.get(key, zero)),
            "delta": four_places(delta),
        }
        for key, delta in largest
        if delta
    ][:limit]


def _trades(result: ProposalResult, document: Mapping[str, Any], body: SimulateRequestBody) -> dict[str, Any]:
    trades = [_trade(row) for row in document["intents"] if row["intent_type"] == "SECURITY_TRADE"]
    rates = {row.pair: row.rate for row in body.market_data_snapshot.fx_rates if row.rate > 0}
    exchanges = sorted(
        (row for row in result.intents if isinstance(row, FxSpot)), key=lambda row: (row.pair, row.intent_id)
    )
    waits = any(row["dependencies"] for row in trades)
    note = {"code": "DEPENDENCY", "text": "Some trades wait for other orders: send them in the order of this list."}
    return {
        "trade_list": trades,
        "fx_list": [_exchange(row, rates.get(row.pair)) for row in exchanges],
        "ordering_policy": ORDERING,
        "execution_notes": [note] if waits else [],
    }


def _trade(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "intent_id": row["intent_id"],
        "type": row["intent_type"],
        "instrument_id": row["instrument_id"],
        "side": row["side"],
        "quantity": _trimmed(row["quantity"]),
        "estimated_notional": row["notional"],
        "estimated_notional_base": row["notional_base"],
        "dependencies": row["dependencies"],
        "rationale": row["rationale"],
    }


def _trimmed(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number


def _exchange(row: FxSpot, rate: Decimal | None) -> dict[str, Any]:
    return {
        "intent_id": row.intent_id,
        "pair": row.pair,
        "buy_amount": format(row.buy_amount, "f"),
        "sell_amount_estimated": format(row.sell_amount_estimated, "f"),
        "rate": None if rate is None else four_places(rate),
    }


def _suitability(result: ProposalResult, document: Mapping[str, Any], limit: int) -> dict[str, Any]:
    scan = result.suitability
    issues = document["suitability"]["issues"] if scan else []
    counts = {change: sum(row["status_change"] == change for row in issues) for change in StatusChange}
    highest = scan.summary.highest_severity_new if scan else None
    return {
        "status": "AVAILABLE" if scan else "NOT_AVAILABLE",
        "new_issues": counts[StatusChange.NEW],
        "resolved_issues": counts[StatusChange.RESOLVED],
        "persistent_issues": counts[StatusChange.PERSISTENT],
        "highest_severity_new": highest.value if highest else None,
        "highlights": [{"code": row["status_change"], "text": row["summary"]} for row in issues[:limit]],
        "issues": issues,
    }


def _assumptions(result: ProposalResult, body: SimulateRequestBody) -> dict[str, Any]:
    snapshot = result.lineage.market_data_snapshot_id
    return {
        "pricing": {
            "market_data_snapshot_id": snapshot,
            "prices_as_of": snapshot,
            "fx_as_of": snapshot,
            "valuation_mode": body.options.valuation_mode.value,
        },
        **{name: {"included": False, "notes": text} for name, text in NOT_INCLUDED.items()},
    }


def _disclosures(result: ProposalResult) -> dict[str, Any]:
    traded = sorted({row.instrument_id for row in result.intents if isinstance(row, ManualTrade)})
    documents = [{"instrument_id": key, "doc_ref": f"product-document:{key}"} for key in traded]
    return {"risk_disclaimer": DISCLAIMER, "product_docs": documents}


def _evidence(result: ProposalResult, body: SimulateRequestBody, document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "inputs": body.model_dump(mode="json"),
        "engine_outputs": {"proposal_result": document},
        "hashes": {"request_hash": result.lineage.request_hash},
        "engine_version": result.lineage.engine_version,
    }
