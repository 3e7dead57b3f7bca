"""The result of a run as its consumers read it (dpm-api §3.3, engine §2); decimals are texts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from lotus_web.api.endpoint.params import Answer

RunStatus = Literal["READY", "PENDING_REVIEW", "BLOCKED"]


class Money(Answer):
    """An amount and its currency."""

    amount: str
    currency: str


class CashRow(Answer):
    """A cash balance."""

    currency: str
    amount: str
    settled: str | None
    pending: str | None


class PositionRow(Answer):
    """A valued position."""

    instrument_id: str
    quantity: str
    instrument_currency: str
    asset_class: str
    price: Money | None
    value_in_instrument_ccy: Money
    value_in_base_ccy: Money
    weight: str


class AllocationRow(Answer):
    """A share of the portfolio; the weight has four places."""

    key: str
    weight: str
    value: Money


class State(Answer):
    """A valued portfolio; ``allocation`` repeats ``allocation_by_instrument``."""

    total_value: Money
    cash_balances: list[CashRow]
    positions: list[PositionRow]
    allocation_by_asset_class: list[AllocationRow]
    allocation_by_instrument: list[AllocationRow]
    allocation: list[AllocationRow]
    allocation_by_attribute: dict[str, list[AllocationRow]]


class Excluded(Answer):
    """An instrument kept out of the universe."""

    instrument_id: str
    reason_code: str
    details: str | None


class Coverage(Answer):
    """Shares of what was needed that was there."""

    price_coverage_pct: str
    fx_coverage_pct: str


class Universe(Answer):
    """What may be traded."""

    universe_id: str
    eligible_for_buy: list[str]
    eligible_for_sell: list[str]
    excluded: list[Excluded]
    coverage: Coverage


class TargetRow(Answer):
    """The weight that the model asks for and the one aimed at."""

    instrument_id: str
    model_weight: str
    final_weight: str
    final_value: Money
    tags: list[str]


class Target(Answer):
    """What the run aims at."""

    target_id: str
    strategy: dict[str, Any]
    targets: list[TargetRow]


class Rationale(Answer):
    """Why an intent is there."""

    code: str
    message: str


class SecurityTrade(Answer):
    """An order in an instrument."""

    intent_type: Literal["SECURITY_TRADE"]
    intent_id: str
    instrument_id: str
    side: Literal["BUY", "SELL"]
    quantity: str | None
    notional: Money | None
    notional_base: Money | None
    dependencies: list[str]
    rationale: Rationale | None
    constraints_applied: list[str]


class FxSpot(Answer):
    """An exchange of currencies."""

    intent_type: Literal["FX_SPOT"]
    intent_id: str
    pair: str
    buy_currency: str
    buy_amount: str
    sell_currency: str
    sell_amount_estimated: str
    dependencies: list[str]
    rationale: Rationale | None


Intent = Annotated[SecurityTrade | FxSpot, Field(discriminator="intent_type")]


class Reconciliation(Answer):
    """Whether value before and after agree."""

    before_total_value: Money
    after_total_value: Money
    delta: Money
    tolerance: Money
    status: Literal["OK", "MISMATCH"]


class TaxImpact(Answer):
    """Realised gains and losses and the budget for them."""

    total_realized_gain: Money
    total_realized_loss: Money
    budget_limit: Money | None
    budget_used: Money | None


class RuleResult(Answer):
    """The outcome of one rule."""

    rule_id: str
    severity: Literal["HARD", "SOFT", "INFO"]
    status: Literal["PASS", "FAIL"]
    measured: str
    threshold: dict[str, str]
    reason_code: str
    remediation_hint: str | None


class DataQuality(Answer):
    """What was missing."""

    price_missing: list[str]
    fx_missing: list[str]
    shelf_missing: list[str]


class Diagnostics(Answer):
    """What the engine met on its way."""

    warnings: list[str]
    suppressed_intents: list[dict[str, Any]]
    dropped_intents: list[dict[str, Any]]
    group_constraint_events: list[dict[str, Any]]
    tax_budget_constraint_events: list[dict[str, Any]]
    cash_ladder: list[dict[str, Any]]
    cash_ladder_breaches: list[dict[str, Any]]
    missing_fx_pairs: list[str]
    funding_plan: list[dict[str, Any]]
    insufficient_cash: list[dict[str, Any]]
    data_quality: DataQuality


class GateReason(Answer):
    """One reason for the engine's gate."""

    reason_code: str
    severity: str
    source: str
    details: dict[str, str]


class GateSummary(Answer):
    """How many rules failed."""

    hard_fail_count: int
    soft_fail_count: int
    new_high_suitability_count: int
    new_medium_suitability_count: int


class GateDecision(Answer):
    """What the engine says comes next; independent of the review gate of RFC-0020."""

    gate: str
    recommended_next_step: str
    reasons: list[GateReason]
    summary: GateSummary


class Lineage(Answer):
    """Where a result comes from."""

    portfolio_snapshot_id: str
    market_data_snapshot_id: str
    request_hash: str
    idempotency_key: str | None
    engine_version: str | None


class RebalanceResult(Answer):
    """The result of a run; ``status`` is an outcome of the domain, so a BLOCKED run is still a 200."""

    rebalance_run_id: str
    correlation_id: str
    status: RunStatus
    before: State
    universe: Universe
    target: Target
    intents: list[Intent]
    after_simulated: State
    reconciliation: Reconciliation | None
    tax_impact: TaxImpact | None
    rule_results: list[RuleResult]
    explanation: dict[str, Any]
    diagnostics: Diagnostics
    gate_decision: GateDecision | None
    lineage: Lineage
