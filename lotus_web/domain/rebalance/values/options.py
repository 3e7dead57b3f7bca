"""The options of a run (engine §1.3); those that only proposals read are left out here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from lotus_web.domain.rebalance.values.codes import TargetMethod, ValuationMode
from lotus_web.domain.rebalance.values.money import Money


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Weights and percentages are fractions of one; group constraints map ``attribute:value`` to a maximum weight.

    ``strict_reference`` gives the reference's arithmetic where ours differs on purpose (deltas 23-26).
    """

    valuation_mode: ValuationMode = ValuationMode.CALCULATED
    target_method: TargetMethod = TargetMethod.HEURISTIC
    compare_target_methods: bool = False
    compare_target_methods_tolerance: Decimal = Decimal("0.0001")
    cash_band_min_weight: Decimal = Decimal("0.00")
    cash_band_max_weight: Decimal = Decimal("1.00")
    single_position_max_weight: Decimal | None = None
    min_trade_notional: Money | None = None
    allow_restricted: bool = False
    suppress_dust_trades: bool = True
    fx_buffer_pct: Decimal = Decimal("0.01")
    block_on_missing_prices: bool = True
    block_on_missing_fx: bool = True
    min_cash_buffer_pct: Decimal = Decimal("0.0")
    max_turnover_pct: Decimal | None = None
    enable_tax_awareness: bool = False
    max_realized_capital_gains: Decimal | None = None
    enable_settlement_awareness: bool = False
    settlement_horizon_days: int = 5
    fx_settlement_days: int = 2
    max_overdraft_by_ccy: Mapping[str, Decimal] = field(default_factory=dict)
    group_constraints: Mapping[str, Decimal] = field(default_factory=dict)
    enable_workflow_gates: bool = True
    workflow_requires_client_consent: bool = False
    client_consent_already_obtained: bool = False
    link_buy_to_same_currency_sell_dependency: bool | None = None
    strict_reference: bool = False
