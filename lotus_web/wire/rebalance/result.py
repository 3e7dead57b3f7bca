"""A result as JSON: the shapes of engine §2, decimals as plain texts, weights of states with four places."""

from __future__ import annotations

from typing import Any, Self

from lotus_web.domain.rebalance import comparison
from lotus_web.domain.rebalance.values import result
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
from lotus_web.wire.rebalance.diagnostics import Diagnostics
from lotus_web.wire.rebalance.intents import Intent
from lotus_web.wire.rebalance.model import Money, Plain, ResultModel, Writer
from lotus_web.wire.rebalance.state import State


class Excluded(ResultModel):
    """An instrument that was excluded from the universe."""

    domain = result.ExcludedInstrument

    instrument_id: str
    reason_code: str
    details: str | None


class Coverage(ResultModel):
    """The shares of the required prices and rates that were available, 0 to 1."""

    domain = result.Coverage

    price_coverage_pct: Plain
    fx_coverage_pct: Plain


class Universe(ResultModel):
    """What may be traded."""

    domain = result.UniverseData

    universe_id: str
    eligible_for_buy: tuple[str, ...]
    eligible_for_sell: tuple[str, ...]
    excluded: tuple[Excluded, ...]
    coverage: Coverage


class TargetRow(ResultModel):
    """The weight in the model and the target weight of the run."""

    domain = result.TargetInstrument

    instrument_id: str
    model_weight: Plain
    final_weight: Plain
    final_value: Money
    tags: tuple[Tag, ...]


class Target(ResultModel):
    """The target weights; ``strategy`` is always empty."""

    domain = result.TargetData

    target_id: str
    strategy: dict[str, Any]
    targets: tuple[TargetRow, ...]


class Reconciliation(ResultModel):
    """Whether value before and after agree."""

    domain = result.Reconciliation

    before_total_value: Money
    after_total_value: Money
    delta: Money
    tolerance: Money
    status: ReconciliationStatus


class TaxImpact(ResultModel):
    """Realised gains and losses and the budget for them."""

    domain = result.TaxImpact

    total_realized_gain: Money
    total_realized_loss: Money
    budget_limit: Money | None
    budget_used: Money | None


class RuleResult(ResultModel):
    """The outcome of one rule."""

    domain = result.RuleResult

    rule_id: str
    severity: RuleSeverity
    status: RuleStatus
    measured: Plain
    threshold: dict[str, Plain]
    reason_code: str
    remediation_hint: str | None


class MethodComparison(ResultModel):
    """How the other target method would have differed."""

    domain = result.MethodComparison

    primary_method: TargetMethod
    primary_status: RunStatus
    alternate_method: TargetMethod
    alternate_status: RunStatus
    tolerance: Plain
    differing_instruments: tuple[str, ...]
    alternate_warnings: tuple[str, ...]


class EarlyBlock(ResultModel):
    """The explanation of a run that missing data or its targets stopped before there were orders."""

    domain = result.EarlyBlock

    summary: str


class Explanation(ResultModel):
    """How the run ended, and the comparison of target methods where one was asked for."""

    domain = result.Explanation

    summary: str
    target_method_comparison: MethodComparison | None


class GateReason(ResultModel):
    """One reason for the engine's gate."""

    domain = result.GateReason

    reason_code: str
    severity: ReasonSeverity
    source: ReasonSource
    details: dict[str, str]


class GateSummary(ResultModel):
    """How many rules failed."""

    domain = result.GateSummary

    hard_fail_count: int
    soft_fail_count: int
    new_high_suitability_count: int
    new_medium_suitability_count: int


class GateDecision(ResultModel):
    """What the engine says comes next; independent of the review gate of RFC-0020."""

    domain = result.GateDecision

    gate: Gate
    recommended_next_step: NextStep
    reasons: tuple[GateReason, ...]
    summary: GateSummary


class Lineage(ResultModel):
    """Where a result comes from."""

    domain = result.LineageData

    portfolio_snapshot_id: str
    market_data_snapshot_id: str
    request_hash: str
    idempotency_key: str | None
    engine_version: str


class RebalanceResult(ResultModel):
    """The result of a run; ``status`` is an outcome of the domain, so a BLOCKED run is still a 200."""

    domain = result.RebalanceResult

    rebalance_run_id: str
    correlation_id: str
    status: RunStatus
    before: State
    universe: Universe
    target: Target
    intents: tuple[Intent, ...]
    after_simulated: State
    reconciliation: Reconciliation | None
    tax_impact: TaxImpact | None
    rule_results: tuple[RuleResult, ...]
    explanation: Explanation | EarlyBlock
    diagnostics: Diagnostics
    gate_decision: GateDecision | None
    lineage: Lineage

    @classmethod
    def parse(cls, stored: bytes) -> Self:
        """Return a stored result; raises pydantic's ValidationError for bytes that are none."""
        return cls.model_validate_json(stored)


class Metric(ResultModel):
    """One scenario in three figures; blocked runs count too."""

    domain = comparison.ComparisonMetric

    status: RunStatus
    security_intent_count: int
    gross_turnover_notional_base: Money


RESULT = Writer(RebalanceResult)
METRIC = Writer(Metric)
