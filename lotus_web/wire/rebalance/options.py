"""The options in a request (engine §1.3), including those that only proposals read."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from lotus_web.domain.rebalance.values.codes import TargetMethod, ValuationMode
from lotus_web.domain.rebalance.values.options import EngineOptions
from lotus_web.wire.rebalance.snapshot import MoneyBody, WireModel, money
from lotus_web.wire.scalars import Number, Text

MAX_CONSTRAINTS = 1_000
Fraction = Annotated[Number, Field(ge=0, le=1)]
Days = Annotated[int, Field(ge=0, le=10)]
Severity = Literal["LOW", "MEDIUM", "HIGH"]
Tier = Literal["L1", "L2", "L3", "L4", "L5"]


class GroupConstraintBody(WireModel):
    """The largest weight a group may have, as a fraction of total value."""

    max_weight: Number

    @field_validator("max_weight")
    @classmethod
    def _fraction(cls, value: Decimal) -> Decimal:
        if not 0 <= value <= 1:
            raise ValueError("max_weight must be between 0 and 1 inclusive")
        return value


def _tier_limits() -> dict[Tier, Decimal]:
    return {"L4": Decimal("0.10"), "L5": Decimal("0.05")}


class SuitabilityThresholdsBody(WireModel):
    """Limits of the proposal side; a run accepts and ignores them."""

    single_position_max_weight: Fraction = Decimal("0.10")
    issuer_max_weight: Fraction = Decimal("0.20")
    max_weight_by_liquidity_tier: dict[Tier, Fraction] = Field(default_factory=_tier_limits)
    cash_band_min_weight: Fraction = Decimal("0.01")
    cash_band_max_weight: Fraction = Decimal("0.05")
    data_quality_issue_severity: Severity = "MEDIUM"

    @model_validator(mode="after")
    def _band_in_order(self) -> Self:
        if self.cash_band_min_weight > self.cash_band_max_weight:
            raise ValueError("cash_band_min_weight must be less than or equal to cash_band_max_weight")
        return self


class EngineOptionsBody(WireModel):
    """Every option of engine §1.3 and ``strict_reference`` (delta 26)."""

    valuation_mode: ValuationMode = ValuationMode.CALCULATED
    target_method: TargetMethod = TargetMethod.HEURISTIC
    compare_target_methods: bool = False
    compare_target_methods_tolerance: Number = Decimal("0.0001")
    cash_band_min_weight: Number = Decimal("0.00")
    cash_band_max_weight: Number = Decimal("1.00")
    single_position_max_weight: Number | None = None
    min_trade_notional: MoneyBody | None = None
    allow_restricted: bool = False
    suppress_dust_trades: bool = True
    dust_trade_threshold: MoneyBody | None = None
    fx_buffer_pct: Number = Decimal("0.01")
    block_on_missing_prices: bool = True
    block_on_missing_fx: bool = True
    min_cash_buffer_pct: Number = Decimal("0.0")
    max_turnover_pct: Number | None = None
    enable_tax_awareness: bool = False
    max_realized_capital_gains: Annotated[Number, Field(ge=0)] | None = None
    enable_settlement_awareness: bool = False
    settlement_horizon_days: Days = 5
    fx_settlement_days: Days = 2
    max_overdraft_by_ccy: dict[Text, Number] = Field(default_factory=dict, max_length=MAX_CONSTRAINTS)
    group_constraints: dict[Text, GroupConstraintBody] = Field(default_factory=dict, max_length=MAX_CONSTRAINTS)
    enable_workflow_gates: bool = True
    workflow_requires_client_consent: bool = False
    client_consent_already_obtained: bool = False
    link_buy_to_same_currency_sell_dependency: bool | None = None
    strict_reference: bool = False
    enable_proposal_simulation: bool = False
    proposal_apply_cash_flows_first: bool = True
    proposal_block_negative_cash: bool = True
    enable_drift_analytics: bool = True
    enable_suitability_scanner: bool = True
    suitability_thresholds: SuitabilityThresholdsBody = SuitabilityThresholdsBody()
    enable_instrument_drift: bool = True
    drift_top_contributors_limit: int = Field(default=5, ge=1, le=20)
    drift_unmodeled_exposure_threshold: Fraction = Decimal("0.01")
    auto_funding: bool = True
    funding_mode: Literal["AUTO_FX"] = "AUTO_FX"
    fx_funding_source_currency: Literal["BASE_ONLY", "ANY_CASH"] = "ANY_CASH"
    fx_generation_policy: Literal["ONE_FX_PER_CCY"] = "ONE_FX_PER_CCY"

    @field_validator("max_turnover_pct")
    @classmethod
    def _turnover_is_a_fraction(cls, value: Decimal | None) -> Decimal | None:
        if value is not None and not 0 <= value <= 1:
            raise ValueError("max_turnover_pct must be between 0 and 1 inclusive")
        return value

    @field_validator("max_overdraft_by_ccy")
    @classmethod
    def _overdrafts_are_named_and_positive(cls, value: Mapping[str, Decimal]) -> Mapping[str, Decimal]:
        if any(not currency for currency in value):
            raise ValueError("max_overdraft_by_ccy keys must be non-empty currency codes")
        if any(amount < 0 for amount in value.values()):
            raise ValueError("max_overdraft_by_ccy values must be non-negative")
        return value

    @field_validator("group_constraints")
    @classmethod
    def _groups_name_attribute_and_value(
        cls, value: Mapping[str, GroupConstraintBody]
    ) -> Mapping[str, GroupConstraintBody]:
        for key in value:
            if key.count(":") != 1 or not all(part.strip() for part in key.split(":")):
                raise ValueError("group_constraints keys must use format '<attribute_key>:<attribute_value>'")
        return value

    def to_domain(self) -> EngineOptions:
        """Return the domain's options; those that only proposals read stay behind."""
        values = {name: getattr(self, name) for name in EngineOptions.__dataclass_fields__}
        values["min_trade_notional"] = money(self.min_trade_notional)
        values["group_constraints"] = {key: row.max_weight for key, row in self.group_constraints.items()}
        return EngineOptions(**values)
