"""What a run gives: states, universe, targets, rules and lineage (engine §2). Field names are those on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from lotus_web.domain.rebalance.values.codes import (
    Gate,
    NextStep,
    ReasonSeverity,
    ReasonSource,
    ReconciliationStatus,
    RuleSeverity,
    RuleStatus,
    RunStatus,
    Tag,
    TargetMethod,
)
from lotus_web.domain.rebalance.values.diagnostics import Diagnostics
from lotus_web.domain.rebalance.values.intent import Intent
from lotus_web.domain.rebalance.values.money import Money
from lotus_web.domain.rebalance.values.state import SimulatedState


@dataclass(frozen=True, slots=True)
class ExcludedInstrument:
    """An instrument that may not be traded freely, and why."""

    instrument_id: str
    reason_code: str
    details: str | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """The share of the required prices and rates that was available: 0 to 1, four places."""

    price_coverage_pct: Decimal
    fx_coverage_pct: Decimal


@dataclass(frozen=True, slots=True)
class UniverseData:
    """What the run was allowed to buy and sell."""

    universe_id: str
    eligible_for_buy: tuple[str, ...]
    eligible_for_sell: tuple[str, ...]
    excluded: tuple[ExcludedInstrument, ...]
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class TargetInstrument:
    """The weight in the model and the target weight of the run; ``final_value`` is in the base currency."""

    instrument_id: str
    model_weight: Decimal
    final_weight: Decimal
    final_value: Money
    tags: tuple[Tag, ...]


@dataclass(frozen=True, slots=True)
class TargetData:
    """The target trace: model rows in the model's order, then the rest."""

    strategy: ClassVar[Mapping[str, str]] = {}

    target_id: str
    targets: tuple[TargetInstrument, ...]


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule's verdict; ``threshold`` maps ``min`` or ``max`` to a bound in the unit of ``measured``."""

    rule_id: str
    severity: RuleSeverity
    status: RuleStatus
    measured: Decimal
    threshold: Mapping[str, Decimal]
    reason_code: str
    remediation_hint: str | None = None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Total value before against after, in the base currency."""

    before_total_value: Money
    after_total_value: Money
    delta: Money
    tolerance: Money
    status: ReconciliationStatus


@dataclass(frozen=True, slots=True)
class TaxImpact:
    """Realised gains and losses (both positive) in the base currency; budget fields are null without a budget."""

    total_realized_gain: Money
    total_realized_loss: Money
    budget_limit: Money | None
    budget_used: Money | None


@dataclass(frozen=True, slots=True)
class MethodComparison:
    """How the other target method would have differed."""

    primary_method: TargetMethod
    primary_status: RunStatus
    alternate_method: TargetMethod
    alternate_status: RunStatus
    tolerance: Decimal
    differing_instruments: tuple[str, ...]
    alternate_warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EarlyBlock:
    """The explanation of a run that was blocked before there were orders: the summary alone."""

    summary: str = "Blocked"


@dataclass(frozen=True, slots=True)
class Explanation:
    """How the run ended, and the comparison of target methods where one was asked for."""

    summary: str
    target_method_comparison: MethodComparison | None


@dataclass(frozen=True, slots=True)
class GateReason:
    """One cause of a gate."""

    reason_code: str
    severity: ReasonSeverity
    source: ReasonSource
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class GateSummary:
    """How many rules failed; the suitability counts belong to proposals and stay zero."""

    hard_fail_count: int
    soft_fail_count: int
    new_high_suitability_count: int = 0
    new_medium_suitability_count: int = 0


@dataclass(frozen=True, slots=True)
class GateDecision:
    """What has to happen before the run may be executed."""

    gate: Gate
    recommended_next_step: NextStep
    reasons: tuple[GateReason, ...]
    summary: GateSummary


@dataclass(frozen=True, slots=True)
class LineageData:
    """Where the result comes from (delta 27)."""

    portfolio_snapshot_id: str
    market_data_snapshot_id: str
    request_hash: str
    idempotency_key: str | None
    engine_version: str


@dataclass(frozen=True, slots=True)
class RebalanceResult:
    """A finished run: READY, PENDING_REVIEW and BLOCKED alike."""

    rebalance_run_id: str
    correlation_id: str
    status: RunStatus
    before: SimulatedState
    universe: UniverseData
    target: TargetData
    intents: tuple[Intent, ...]
    after_simulated: SimulatedState
    reconciliation: Reconciliation | None
    tax_impact: TaxImpact | None
    rule_results: tuple[RuleResult, ...]
    explanation: Explanation | EarlyBlock
    diagnostics: Diagnostics
    gate_decision: GateDecision | None
    lineage: LineageData
