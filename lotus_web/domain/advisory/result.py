"""What a simulation gives: intents, funding, drift, suitability and the finished result (proposals-api §5.7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from lotus_web.domain.rebalance.values.codes import ReasonSeverity, RunStatus, Side
from lotus_web.domain.rebalance.values.diagnostics import (
    CashLadderBreach,
    CashLadderPoint,
    DataQuality,
    DroppedIntent,
    GroupConstraintEvent,
    SuppressedIntent,
    TaxBudgetConstraintEvent,
)
from lotus_web.domain.rebalance.values.intent import FxSpot, Rationale
from lotus_web.domain.rebalance.values.money import Money
from lotus_web.domain.rebalance.values.result import GateDecision, LineageData, Reconciliation, RuleResult
from lotus_web.domain.rebalance.values.state import SimulatedState

MANUAL = Rationale("MANUAL_PROPOSAL", "Proposed by the adviser")
FUNDING = Rationale("FUNDING", "Buys the currency that proposed purchases need")


@dataclass(frozen=True, slots=True)
class CashFlow:
    """Money paid in (positive) or out (negative)."""

    intent_type: ClassVar[str] = "CASH_FLOW"

    intent_id: str
    currency: str
    amount: Decimal
    description: str | None = None


@dataclass(frozen=True, slots=True)
class ManualTrade:
    """A proposed trade with its size; ``notional_base`` is None where no rate to the base currency is known."""

    intent_type: ClassVar[str] = "SECURITY_TRADE"
    constraints_applied: ClassVar[tuple[str, ...]] = ()

    intent_id: str
    instrument_id: str
    side: Side
    quantity: Decimal
    notional: Money
    notional_base: Money | None
    dependencies: tuple[str, ...] = ()
    rationale: Rationale = MANUAL


AdvisoryIntent = CashFlow | ManualTrade | FxSpot


@dataclass(frozen=True, slots=True)
class FundingPlanRow:
    """What the purchases in one currency need; amounts are in ``target_currency``, rounded to its minor unit."""

    target_currency: str
    required: Decimal
    available_before_fx: Decimal
    fx_needed: Decimal
    fx_pair: str | None = None
    funding_currency: str | None = None


@dataclass(frozen=True, slots=True)
class InsufficientCash:
    """By how much the balance nearest to paying for a purchase falls short, in that balance's currency."""

    currency: str
    deficit: Decimal


@dataclass(frozen=True, slots=True)
class AdvisoryDiagnostics:
    """What a simulation noticed on its way; the lists of a rebalance run are part of the shape and always empty."""

    suppressed_intents: ClassVar[tuple[SuppressedIntent, ...]] = ()
    dropped_intents: ClassVar[tuple[DroppedIntent, ...]] = ()
    group_constraint_events: ClassVar[tuple[GroupConstraintEvent, ...]] = ()
    tax_budget_constraint_events: ClassVar[tuple[TaxBudgetConstraintEvent, ...]] = ()
    cash_ladder: ClassVar[tuple[CashLadderPoint, ...]] = ()
    cash_ladder_breaches: ClassVar[tuple[CashLadderBreach, ...]] = ()

    warnings: tuple[str, ...] = ()
    data_quality: DataQuality = field(default_factory=DataQuality)
    missing_fx_pairs: tuple[str, ...] = ()
    funding_plan: tuple[FundingPlanRow, ...] = ()
    insufficient_cash: tuple[InsufficientCash, ...] = ()


@dataclass(frozen=True, slots=True)
class DriftBucket:
    """The distance of one bucket from the model, before and after; weights are fractions, unrounded."""

    bucket: str
    model_weight: Decimal
    portfolio_weight_before: Decimal
    portfolio_weight_after: Decimal
    drift_before: Decimal
    drift_after: Decimal
    abs_drift_before: Decimal
    abs_drift_after: Decimal
    improvement: Decimal


@dataclass(frozen=True, slots=True)
class DriftDimension:
    """Drift over all buckets of one dimension; a total is half the sum of the absolute drifts."""

    drift_total_before: Decimal
    drift_total_after: Decimal
    drift_total_delta: Decimal
    top_contributors_before: tuple[DriftBucket, ...]
    buckets: tuple[DriftBucket, ...]


@dataclass(frozen=True, slots=True)
class UnmodeledExposure:
    """A holding that the model does not know."""

    bucket: str
    portfolio_weight_before: Decimal
    portfolio_weight_after: Decimal
    max_portfolio_weight: Decimal


@dataclass(frozen=True, slots=True)
class DriftHighlights:
    """The buckets worth looking at first; a deterioration has a negative ``improvement``."""

    largest_improvements: tuple[DriftBucket, ...]
    largest_deteriorations: tuple[DriftBucket, ...]
    unmodeled_exposures: tuple[UnmodeledExposure, ...]


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model drift was measured against."""

    model_id: str
    as_of: str
    base_currency: str


@dataclass(frozen=True, slots=True)
class DriftAnalysis:
    """Distance from the reference model by asset class and, where asked for, by instrument (proposals-api §5.6)."""

    reference_model: ModelIdentity
    asset_class: DriftDimension
    instrument: DriftDimension | None
    highlights: DriftHighlights


class StatusChange(StrEnum):
    """Whether the proposal brings an issue, keeps it or removes it."""

    NEW = "NEW"
    PERSISTENT = "PERSISTENT"
    RESOLVED = "RESOLVED"


class RecommendedGate(StrEnum):
    """The review that the suitability scan recommends."""

    COMPLIANCE_REVIEW = "COMPLIANCE_REVIEW"
    RISK_REVIEW = "RISK_REVIEW"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class SnapshotIds:
    """The snapshots that a finding was made on."""

    portfolio_snapshot_id: str
    market_data_snapshot_id: str


@dataclass(frozen=True, slots=True)
class IssueEvidence:
    """What a finding rests on; ``as_of`` is the market data snapshot's id."""

    as_of: str
    snapshot_ids: SnapshotIds


@dataclass(frozen=True, slots=True)
class SuitabilityIssue:
    """One finding of the scan; ``details`` holds weights and thresholds as unrounded decimal texts."""

    issue_id: str
    issue_key: str
    dimension: str
    severity: ReasonSeverity
    status_change: StatusChange
    summary: str
    details: Mapping[str, str]
    evidence: IssueEvidence


@dataclass(frozen=True, slots=True)
class SuitabilitySummary:
    """How many issues came, stayed and went."""

    new_count: int
    resolved_count: int
    persistent_count: int
    highest_severity_new: ReasonSeverity | None


@dataclass(frozen=True, slots=True)
class Suitability:
    """The scan of the portfolio before and after (proposals-api §5.4)."""

    summary: SuitabilitySummary
    issues: tuple[SuitabilityIssue, ...]
    recommended_gate: RecommendedGate


@dataclass(frozen=True, slots=True)
class Explanation:
    """How the simulation ended."""

    summary: str


@dataclass(frozen=True, slots=True)
class ProposalResult:
    """A finished simulation: READY, PENDING_REVIEW and BLOCKED alike.

    ``gate`` is always computed; ``gate_decision`` leaves it out where the request switched gates off.
    """

    proposal_run_id: str
    correlation_id: str
    status: RunStatus
    before: SimulatedState
    intents: tuple[AdvisoryIntent, ...]
    after_simulated: SimulatedState
    reconciliation: Reconciliation
    rule_results: tuple[RuleResult, ...]
    explanation: Explanation
    diagnostics: AdvisoryDiagnostics
    drift_analysis: DriftAnalysis | None
    suitability: Suitability | None
    gate: GateDecision
    gates_enabled: bool
    lineage: LineageData

    @property
    def gate_decision(self) -> GateDecision | None:
        """Return what has to happen before execution, None where gates are switched off."""
        return self.gate if self.gates_enabled else None
