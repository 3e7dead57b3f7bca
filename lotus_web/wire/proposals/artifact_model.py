"""The shape of a proposal's artifact, for the documentation and for reading one back (proposals-api §6)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from lotus_web.domain.rebalance.values.codes import ReasonSeverity, RunStatus, Side, ValuationMode
from lotus_web.wire.proposals.result import ProposalResult, SuitabilityIssue
from lotus_web.wire.rebalance.intents import Rationale
from lotus_web.wire.rebalance.model import Money, Plain, Weight
from lotus_web.wire.rebalance.result import GateDecision, Reconciliation
from lotus_web.wire.rebalance.state import AllocationRow


class Part(BaseModel):
    """A part of an artifact; optional members are always present, null where there is nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Takeaway(Part):
    """One sentence worth knowing."""

    code: str
    value: str


class Summary(Part):
    """What the proposal is for, and who looks at it next."""

    title: str
    objective_tags: list[str]
    advisor_notes: list[str]
    recommended_next_step: str
    key_takeaways: list[Takeaway]


class StateSummary(Part):
    """A valued portfolio, heaviest buckets first."""

    total_value: Money
    allocation_by_asset_class: list[AllocationRow]
    allocation_by_instrument: list[AllocationRow]


class WeightChange(Part):
    """By how much the weight of an instrument changes; four places, from unrounded weights."""

    bucket_type: Literal["INSTRUMENT"]
    bucket_id: str
    weight_before: Weight
    weight_after: Weight
    delta: Weight


class Delta(Part):
    """What the proposal changes."""

    total_value_delta: Money
    largest_weight_changes: list[WeightChange]


class Impact(Part):
    """The portfolio before and after."""

    before: StateSummary
    after: StateSummary
    delta: Delta
    reconciliation: Reconciliation


class Trade(Part):
    """A proposed trade with its estimated value."""

    intent_id: str
    type: Literal["SECURITY_TRADE"]
    instrument_id: str
    side: Side
    quantity: Plain
    estimated_notional: Money
    estimated_notional_base: Money | None
    dependencies: list[str]
    rationale: Rationale


class Exchange(Part):
    """A currency exchange; ``rate`` is null where only the inverse pair is quoted."""

    intent_id: str
    pair: str
    buy_amount: Plain
    sell_amount_estimated: Plain
    rate: Weight | None


class Note(Part):
    """A remark."""

    code: str
    text: str


class TradesAndFunding(Part):
    """What is to be done, in which order."""

    trade_list: list[Trade]
    fx_list: list[Exchange]
    ordering_policy: str
    execution_notes: list[Note]


class SuitabilitySummary(Part):
    """The suitability scan, or that there was none."""

    status: Literal["AVAILABLE", "NOT_AVAILABLE"]
    new_issues: int
    resolved_issues: int
    persistent_issues: int
    highest_severity_new: ReasonSeverity | None
    highlights: list[Note]
    issues: list[SuitabilityIssue]


class Pricing(Part):
    """Where the prices come from."""

    market_data_snapshot_id: str
    prices_as_of: str
    fx_as_of: str
    valuation_mode: ValuationMode


class NotIncluded(Part):
    """What the estimate leaves out."""

    included: bool
    notes: str


class Assumptions(Part):
    """What the figures rest on and leave out."""

    pricing: Pricing
    costs_and_fees: NotIncluded
    tax: NotIncluded
    execution: NotIncluded


class ProductDocument(Part):
    """Where the document of a traded instrument is found."""

    instrument_id: str
    doc_ref: str


class Disclosures(Part):
    """What a client is told."""

    risk_disclaimer: str
    product_docs: list[ProductDocument]


class EngineOutputs(Part):
    """What the engine answered."""

    proposal_result: ProposalResult


class Hashes(Part):
    """The hashes of request and artifact."""

    request_hash: str
    artifact_hash: str


class Evidence(Part):
    """Everything that the artifact was made from; ``inputs`` is the request with its defaults filled in."""

    inputs: dict[str, Any]
    engine_outputs: EngineOutputs
    hashes: Hashes
    engine_version: str


class ProposalArtifact(Part):
    """The artifact of a proposal; ``artifact_hash`` covers everything but what names the call (delta 34)."""

    artifact_id: str
    proposal_run_id: str
    correlation_id: str
    created_at: datetime
    status: RunStatus
    gate_decision: GateDecision
    summary: Summary
    portfolio_impact: Impact
    trades_and_funding: TradesAndFunding
    suitability_summary: SuitabilitySummary
    assumptions_and_limits: Assumptions
    disclosures: Disclosures
    evidence_bundle: Evidence
    artifact_hash: str
