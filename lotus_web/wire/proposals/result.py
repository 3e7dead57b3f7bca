"""A simulated proposal as JSON (proposals-api §5.7): decimals as texts, weights of states with four places."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lotus_web.domain.advisory import result
from lotus_web.domain.rebalance.values.codes import ReasonSeverity, RunStatus, Side
from lotus_web.wire.rebalance.diagnostics import Diagnostics
from lotus_web.wire.rebalance.intents import FxSpot, Rationale
from lotus_web.wire.rebalance.model import Money, Plain, ResultModel, Writer
from lotus_web.wire.rebalance.result import GateDecision, Lineage, Reconciliation, RuleResult
from lotus_web.wire.rebalance.state import State


class CashFlow(ResultModel):
    """Money paid in (positive) or out (negative)."""

    domain = result.CashFlow

    intent_type: Literal["CASH_FLOW"]
    intent_id: str
    currency: str
    amount: Plain
    description: str | None


class ManualTrade(ResultModel):
    """A proposed trade with its size; ``notional_base`` is null where no rate to the base currency is known."""

    domain = result.ManualTrade

    intent_type: Literal["SECURITY_TRADE"]
    intent_id: str
    instrument_id: str
    side: Side
    quantity: Plain
    notional: Money
    notional_base: Money | None
    dependencies: tuple[str, ...]
    rationale: Rationale
    constraints_applied: tuple[str, ...]


ProposalIntent = Annotated[CashFlow | ManualTrade | FxSpot, Field(discriminator="intent_type")]


class FundingPlanRow(ResultModel):
    """What the purchases in one currency need, and what pays for them."""

    domain = result.FundingPlanRow

    target_currency: str
    required: Plain
    available_before_fx: Plain
    fx_needed: Plain
    fx_pair: str | None
    funding_currency: str | None


class InsufficientCash(ResultModel):
    """By how much the balance nearest to paying falls short."""

    domain = result.InsufficientCash

    currency: str
    deficit: Plain


class ProposalDiagnostics(Diagnostics):
    """What the simulation noticed; the lists of a rebalance run are always empty."""

    domain = result.AdvisoryDiagnostics  # type: ignore[assignment]

    funding_plan: tuple[FundingPlanRow, ...]  # type: ignore[assignment]
    insufficient_cash: tuple[InsufficientCash, ...]  # type: ignore[assignment]


class DriftBucket(ResultModel):
    """The distance of one bucket from the model, before and after."""

    domain = result.DriftBucket

    bucket: str
    model_weight: Plain
    portfolio_weight_before: Plain
    portfolio_weight_after: Plain
    drift_before: Plain
    drift_after: Plain
    abs_drift_before: Plain
    abs_drift_after: Plain
    improvement: Plain


class DriftChange(ResultModel):
    """By how much a bucket came nearer to the model; negative for one that moved away."""

    domain = result.DriftBucket

    bucket: str
    improvement: Plain


class UnmodeledExposure(ResultModel):
    """A holding that the model does not know."""

    domain = result.UnmodeledExposure

    bucket: str
    portfolio_weight_before: Plain
    portfolio_weight_after: Plain
    max_portfolio_weight: Plain


class DriftDimension(ResultModel):
    """Drift over all buckets of one dimension."""

    domain = result.DriftDimension

    drift_total_before: Plain
    drift_total_after: Plain
    drift_total_delta: Plain
    top_contributors_before: tuple[DriftBucket, ...]
    buckets: tuple[DriftBucket, ...]


class DriftHighlights(ResultModel):
    """The buckets worth looking at first."""

    domain = result.DriftHighlights

    largest_improvements: tuple[DriftChange, ...]
    largest_deteriorations: tuple[DriftChange, ...]
    unmodeled_exposures: tuple[UnmodeledExposure, ...]


class ModelIdentity(ResultModel):
    """Which model drift was measured against."""

    domain = result.ModelIdentity

    model_id: str
    as_of: str
    base_currency: str


class DriftAnalysis(ResultModel):
    """Distance from the reference model by asset class and by instrument."""

    domain = result.DriftAnalysis

    reference_model: ModelIdentity
    asset_class: DriftDimension
    instrument: DriftDimension | None
    highlights: DriftHighlights


class SnapshotIds(ResultModel):
    """The snapshots that a finding was made on."""

    domain = result.SnapshotIds

    portfolio_snapshot_id: str
    market_data_snapshot_id: str


class IssueEvidence(ResultModel):
    """What a finding rests on."""

    domain = result.IssueEvidence

    as_of: str
    snapshot_ids: SnapshotIds


class SuitabilityIssue(ResultModel):
    """One finding of the suitability scan."""

    domain = result.SuitabilityIssue

    issue_id: str
    issue_key: str
    dimension: str
    severity: ReasonSeverity
    status_change: result.StatusChange
    summary: str
    details: dict[str, str]
    evidence: IssueEvidence


class SuitabilitySummary(ResultModel):
    """How many issues came, stayed and went."""

    domain = result.SuitabilitySummary

    new_count: int
    resolved_count: int
    persistent_count: int
    highest_severity_new: ReasonSeverity | None


class Suitability(ResultModel):
    """The suitability scan of the portfolio before and after."""

    domain = result.Suitability

    summary: SuitabilitySummary
    issues: tuple[SuitabilityIssue, ...]
    recommended_gate: result.RecommendedGate


class Explanation(ResultModel):
    """How the simulation ended."""

    domain = result.Explanation

    summary: str


class ProposalResult(ResultModel):
    """The result of a simulation; ``status`` is an outcome of the domain, so a BLOCKED proposal is still a 200."""

    domain = result.ProposalResult

    proposal_run_id: str
    correlation_id: str
    status: RunStatus
    before: State
    intents: tuple[ProposalIntent, ...]
    after_simulated: State
    reconciliation: Reconciliation
    rule_results: tuple[RuleResult, ...]
    explanation: Explanation
    diagnostics: ProposalDiagnostics
    drift_analysis: DriftAnalysis | None
    suitability: Suitability | None
    gate_decision: GateDecision | None
    lineage: Lineage


RESULT = Writer(ProposalResult)
