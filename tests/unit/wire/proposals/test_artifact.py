"""The artifact of a proposal: its sections, and a hash that does not depend on the call (proposals-api §6, delta 34)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from lotus_web.domain.advisory.engine import simulate_proposal
from lotus_web.wire.proposals.artifact import artifact_hash, proposal_artifact
from lotus_web.wire.proposals.artifact_model import ProposalArtifact
from lotus_web.wire.proposals.request import SimulateRequestBody
from tests.unit.domain.advisory.bodies import proposal
from tests.unit.domain.advisory.test_properties import proposals
from tests.unit.wire.proposals.test_result import FULL

DEMOS = Path(__file__).parents[3] / "data" / "advisory-demos"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
# The contract's table: who looks next, and what the proposal is for.
TAGGED = {
    "10": ("RISK_REVIEW", ["RISK_ALIGNMENT", "CASH_DEPLOYMENT"]),
    "11": ("COMPLIANCE_REVIEW", ["RISK_ALIGNMENT"]),
    "12": ("COMPLIANCE_REVIEW", ["RISK_ALIGNMENT"]),
    "13": ("RISK_REVIEW", ["PORTFOLIO_MAINTENANCE"]),
    "14": ("RISK_REVIEW", ["RISK_ALIGNMENT"]),
    "15": ("RISK_REVIEW", ["RISK_ALIGNMENT"]),
    "16": ("CLIENT_CONSENT", ["RISK_ALIGNMENT"]),
    "17": ("COMPLIANCE_REVIEW", ["RISK_ALIGNMENT"]),
    "18": ("COMPLIANCE_REVIEW", ["RISK_ALIGNMENT"]),
    "19": ("CLIENT_CONSENT", ["RISK_ALIGNMENT", "CASH_DEPLOYMENT"]),
    "20": ("RISK_REVIEW", ["RISK_ALIGNMENT", "CASH_DEPLOYMENT"]),
    "21": ("RISK_REVIEW", ["RISK_ALIGNMENT", "CASH_DEPLOYMENT"]),
}


def artifact(document: Mapping[str, Any], *, key: str = "key-1", call: str = "corr_1", at: datetime = NOON) -> Any:
    body = SimulateRequestBody.model_validate(document)
    result = simulate_proposal(
        body.to_domain(), run_id="pr_0000abcd", correlation_id=call, request_hash="sha256:0", idempotency_key=key
    )
    return proposal_artifact(result, body, created_at=at)


@pytest.mark.parametrize("number", TAGGED)
def test_a_demo_artifact_names_its_next_step_and_its_purpose(number: str) -> None:
    (path,) = DEMOS.glob(f"{number}_*.json")
    document = json.loads(path.read_text(encoding="utf-8"))
    summary = artifact(document.get("simulate_request", document))["summary"]
    assert (summary["recommended_next_step"], summary["objective_tags"]) == TAGGED[number]


def test_the_sections_of_an_artifact() -> None:
    found = artifact(FULL)
    assert list(found) == [
        "artifact_id", "proposal_run_id", "correlation_id", "created_at", "status", "gate_decision", "summary",
        "portfolio_impact", "trades_and_funding", "suitability_summary", "assumptions_and_limits", "disclosures",
        "evidence_bundle", "artifact_hash",
    ]  # fmt: skip
    assert found["artifact_id"] == "pa_0000abcd"
    assert [row["code"] for row in found["summary"]["key_takeaways"]] == [
        "STATUS", "INTENTS", "CASH", "DRIFT", "SUITABILITY",
    ]  # fmt: skip
    trades = found["trades_and_funding"]
    assert trades["fx_list"] == [
        {"intent_id": "oi_fx_1", "pair": "USD/SGD", "buy_amount": "100.00", "sell_amount_estimated": "135.00",
         "rate": "1.3500"}
    ]  # fmt: skip
    assert trades["execution_notes"][0]["code"] == "DEPENDENCY"
    assert trades["trade_list"][0]["quantity"] == "3"
    assert found["disclosures"]["product_docs"] == [{"instrument_id": "US", "doc_ref": "product-document:US"}]
    assert list(found["evidence_bundle"]["inputs"]) == [
        "portfolio_snapshot", "market_data_snapshot", "shelf_entries", "options", "proposed_cash_flows",
        "proposed_trades", "reference_model",
    ]  # fmt: skip


def test_an_inverse_rate_is_not_shown_as_a_rate_of_the_pair() -> None:
    document = {**FULL, "market_data_snapshot": {**FULL["market_data_snapshot"]}}
    document["market_data_snapshot"]["fx_rates"] = [{"pair": "SGD/USD", "rate": "0.8"}]
    assert artifact(document)["trades_and_funding"]["fx_list"][0]["rate"] is None


def test_gates_that_are_switched_off_still_lead_somewhere() -> None:
    document = {**FULL, "options": {**FULL["options"], "enable_workflow_gates": False}}
    found = artifact(document)
    assert found["gate_decision"]["gate"] == "RISK_REVIEW_REQUIRED"
    assert found["summary"]["recommended_next_step"] == "RISK_REVIEW"
    quiet = {**document, "options": {**document["options"], "enable_suitability_scanner": False}}
    assert artifact(quiet)["summary"]["recommended_next_step"] == "CLIENT_CONSENT"
    assert artifact(quiet)["suitability_summary"]["status"] == "NOT_AVAILABLE"


def test_weight_changes_come_from_unrounded_weights() -> None:
    document = proposal(cash={"SGD": 3}, prices={"A": ("1", "SGD")}, trades=[("BUY", "A", 1)])
    assert artifact(document)["portfolio_impact"]["delta"]["largest_weight_changes"] == [
        {"bucket_type": "INSTRUMENT", "bucket_id": "A", "weight_before": "0.0000", "weight_after": "0.3333",
         "delta": "0.3333"}
    ]  # fmt: skip


@settings(max_examples=60)
@given(proposals())
def test_the_hash_depends_on_the_proposal_and_not_on_the_call(document: dict[str, Any]) -> None:
    first = artifact(document)
    other = artifact(document, key="key-2", call="corr_2", at=NOON.replace(year=2027))
    assert first["artifact_hash"] == other["artifact_hash"] == first["evidence_bundle"]["hashes"]["artifact_hash"]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in leaves(item, (*path, key))]
    if isinstance(value, list):
        return [found for place, item in enumerate(value) for found in leaves(item, (*path, place))]
    return [path]


def test_every_other_member_is_covered_by_the_hash() -> None:
    names = {"artifact_hash", "created_at", "correlation_id", "idempotency_key"}
    clean = artifact(FULL)
    for path in leaves(clean):
        changed = json.loads(json.dumps(clean))
        holder = changed
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = "tampered"
        assert (artifact_hash(changed) == clean["artifact_hash"]) is (path[-1] in names), path


@settings(max_examples=40)
@given(proposals())
def test_the_documented_shape_is_the_whole_shape(document: dict[str, Any]) -> None:
    found = json.loads(json.dumps(artifact(document)))
    read = ProposalArtifact.model_validate(found)
    again = read.model_dump(mode="json")
    assert again["evidence_bundle"] == found["evidence_bundle"]
    assert {**again, "created_at": None} == {**found, "created_at": None}
    assert read.created_at == NOON
