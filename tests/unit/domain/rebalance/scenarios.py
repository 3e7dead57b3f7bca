"""The 45 reference scenarios as a table: inputs and published figures (engine §5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Trade = tuple[str, str, str]


@dataclass(frozen=True)
class Scenario:
    """One row. ``cash`` and ``weights`` name only what is published; ``same_by_default`` says that our own arithmetic agrees."""

    name: str
    request: Mapping[str, Any]
    status: str
    trades: tuple[Trade, ...] = ()
    fx: tuple[tuple[str, str, str, str, str], ...] = ()
    dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cash: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    warnings: frozenset[str] = frozenset()
    suppressed: tuple[tuple[str, str], ...] = ()
    dropped: tuple[tuple[str, str, str], ...] = ()
    price_missing: tuple[str, ...] = ()
    fx_missing: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    gate: str | None = None
    tolerance: str | None = None
    same_by_default: bool = True


def lot(lot_id: str, quantity: int, cost: int, date: str) -> dict[str, Any]:
    return {
        "lot_id": lot_id,
        "quantity": quantity,
        "unit_cost": {"amount": cost, "currency": "USD"},
        "purchase_date": date,
    }


ABC_LOTS = {"quantity": 100, "lots": [lot("L_LOW", 50, 10, "2024-01-01"), lot("L_HIGH", 50, 100, "2024-02-01")]}
TWO_EQ = {"cash": {"SGD": 10000}, "prices": {"EQ_1": 100, "EQ_2": 50}, "model": {"EQ_1": ".6", "EQ_2": ".4"}}
CAPPED_PAIR: dict[str, Any] = {
    "request": {**TWO_EQ, "single_position_max_weight": ".5"},
    "status": "READY",
    "trades": (("BUY", "EQ_1", "50"), ("BUY", "EQ_2", "100")),
    "weights": {"EQ_1": ".5", "EQ_2": ".5"},
    "tags": {"EQ_1": "CAPPED_BY_MAX_WEIGHT", "EQ_2": "REDISTRIBUTED_RECIPIENT"},
}
USD_HALF: dict[str, Any] = {
    "request": {
        "cash": {"SGD": 10000},
        "prices": {"US": ("100", "USD")},
        "fx": {"USD/SGD": "1.35"},
        "model": {"US": "0.5"},
    },
    "status": "READY",
    "fx": (("oi_fx_2", "USD", "3737", "SGD", "5044.95"),),
    "trades": (("BUY", "US", "37"),),
    "dependencies": {"US": ("oi_fx_2",)},
    "cash": {"SGD": "4955.05", "USD": "37"},
}
NO_PRICE: dict[str, Any] = {
    "status": "BLOCKED",
    "price_missing": ("EQ_1",),
    "failed": {"DATA_QUALITY": "1"},
    "gate": "BLOCKED",
}
ABC: dict[str, Any] = {
    "base": "USD",
    "cash": {"USD": 0},
    "held": {"ABC": ABC_LOTS},
    "prices": {"ABC": 100},
    "enable_tax_awareness": True,
    "max_realized_capital_gains": 100,
}
TURNOVER: dict[str, Any] = {"base": "USD", "cash": {"USD": 100000}, "prices": {"A": 100, "B": 100, "C": 100}}
SWITCH: dict[str, Any] = {
    "cash": {"SGD": 0, "USD": 0, "EUR": 0},
    "held": {"US_TECH": 100},
    "prices": {"US_TECH": ("100", "USD"), "EU_BOND": ("100", "EUR")},
    "fx": {"USD/SGD": "1.5", "EUR/SGD": "1.6"},
    "model": {"EU_BOND": "1.0"},
}
LADDER: dict[str, Any] = {
    "base": "USD",
    "cash": {"USD": 0},
    "held": {"SLOW": 10},
    "prices": {"SLOW": 100, "FAST": 100},
    "model": {"SLOW": 0, "FAST": 1},
    "shelf": {"SLOW": {"settlement_days": 3}, "FAST": {"settlement_days": 1}},
    "settlement_horizon_days": 3,
}
LADDER_TRADES = (("SELL", "SLOW", "10"), ("BUY", "FAST", "10"))
SOLVED: dict[str, Any] = {
    "base": "USD",
    "target_method": "SOLVER",
    "single_position_max_weight": ".4",
    "cash_band_min_weight": ".5",
    "cash_band_max_weight": ".5",
    "group_constraints": {"sector:TECH": {"max_weight": ".3"}},
}
TECH = {"attributes": {"sector": "TECH"}}
BOND = {"attributes": {"sector": "BOND"}}

CORE = (
    Scenario(
        "01_cash_inflow",
        {"cash": {"SGD": 10000}, "prices": {"EQ_1": 100}, "model": {"EQ_1": 1}},
        "READY",
        trades=(("BUY", "EQ_1", "100"),),
        cash={"SGD": "0"},
        tolerance="5.5",
    ),
    Scenario("02_constraint_cap", **CAPPED_PAIR),
    Scenario("07_audit_trace", **CAPPED_PAIR),
    Scenario("03_fx_funding", **USD_HALF),
    Scenario("303_multi_currency", **USD_HALF),
    Scenario("04_dq_failure", request={"cash": {"SGD": 10000}, "model": {"EQ_1": 1}}, **NO_PRICE),
    Scenario("309_missing_price_block", request={"cash": {"SGD": 10000}, "model": {"EQ_1": ".5"}}, **NO_PRICE),
    Scenario(
        "05_constraint_fail",
        {
            "cash": {"SGD": 10000},
            "prices": {"EQ_1": 100},
            "model": {"EQ_1": 1},
            "single_position_max_weight": ".5",
        },
        "PENDING_REVIEW",
        trades=(("BUY", "EQ_1", "50"),),
        gate="EXECUTION_READY",
    ),
    Scenario(
        "06_suppression",
        {
            "cash": {"SGD": 10000},
            "prices": {"EQ_1": 100},
            "model": {"EQ_1": 1},
            "shelf": {"EQ_1": {"min_notional": {"amount": 50000, "currency": "SGD"}}},
        },
        "READY",
        suppressed=(("10000", "50000"),),
    ),
    Scenario(
        "08_sector_cap",
        {
            "base": "USD",
            "cash": {"USD": 1000},
            "prices": {"Tech_A": 100, "Bond_B": 100},
            "model": {"Tech_A": ".3", "Bond_B": ".7"},
            "shelf": {"Tech_A": TECH, "Bond_B": BOND},
            "group_constraints": {"sector:TECH": {"max_weight": ".2"}},
        },
        "READY",
        trades=(("BUY", "Tech_A", "2"), ("BUY", "Bond_B", "8")),
        weights={"Tech_A": ".2", "Bond_B": ".8"},
        warnings=frozenset({"CAPPED_BY_GROUP_LIMIT_sector:TECH"}),
    ),
    Scenario(
        "101_drift_rebalance",
        {
            "cash": {"SGD": 1000},
            "held": {"EQ_SGD_1": 100},
            "prices": {"EQ_SGD_1": 100, "EQ_SGD_2": 50},
            "model": {"EQ_SGD_1": ".5", "EQ_SGD_2": ".5"},
        },
        "READY",
        trades=(("SELL", "EQ_SGD_1", "45"), ("BUY", "EQ_SGD_2", "110")),
        dependencies={"EQ_SGD_2": ("oi_1",)},
        cash={"SGD": "0"},
    ),
    Scenario(
        "102_cash_inflow",
        {"cash": {"SGD": 15000}, "held": {"EQ": 50}, "prices": {"EQ": 100}, "model": {"EQ": 1}},
        "READY",
        trades=(("BUY", "EQ", "150"),),
    ),
    Scenario(
        "103_sell_to_fund",
        {
            "cash": {"SGD": 100},
            "held": {"BOND": 1000},
            "prices": {"BOND": 100, "EQ": 50},
            "model": {"BOND": ".5", "EQ": ".5"},
            "cash_band_min_weight": "0",
        },
        "BLOCKED",
        trades=(("SELL", "BOND", "499"), ("BUY", "EQ", "1001")),
        cash={"SGD": "-50"},
        warnings=frozenset({"SIMULATION_SAFETY_CHECK_FAILED"}),
        failed={"CASH_BAND": "-0.000499500499500499500499500500", "INSUFFICIENT_CASH": "-50"},
    ),
    Scenario(
        "104_multicurrency_fx",
        {
            "cash": {"SGD": 20000},
            "prices": {"US": ("100", "USD")},
            "fx": {"USD/SGD": "1.35"},
            "model": {"US": "1.0"},
        },
        "BLOCKED",
        trades=(("BUY", "US", "148"),),
        fx=(("oi_fx_2", "USD", "14948", "SGD", "20179.80"),),
        cash={"SGD": "-179.80"},
        warnings=frozenset({"SIMULATION_SAFETY_CHECK_FAILED"}),
        same_by_default=False,
    ),
    Scenario(
        "105_sell_only",
        {
            "cash": {"SGD": 9000},
            "held": {"BAD": 100},
            "prices": {"BAD": 10, "GOOD": 10},
            "model": {"BAD": ".5", "GOOD": ".5"},
            "shelf": {"BAD": "SELL_ONLY"},
        },
        "READY",
        trades=(("SELL", "BAD", "100"), ("BUY", "GOOD", "1000")),
        weights={"BAD": "0", "GOOD": "1.0"},
    ),
    Scenario(
        "107_missing_price",
        {"cash": {"SGD": 1000}, "held": {"EQ_1": 10}, "model": {"EQ_1": 1}},
        "BLOCKED",
        price_missing=("EQ_1",),
    ),
    Scenario(
        "110_dust_suppression",
        {
            "cash": {"SGD": 10000},
            "prices": {"BIG": 100, "DUST": 10},
            "model": {"BIG": ".99", "DUST": ".01"},
            "shelf": {"DUST": {"min_notional": {"amount": 500, "currency": "SGD"}}},
        },
        "READY",
        trades=(("BUY", "BIG", "99"),),
        suppressed=(("100", "500"),),
    ),
    Scenario(
        "111_fee_buffer",
        {
            "cash": {"SGD": 1000},
            "held": {"EQ_SGD_1": 100},
            "prices": {"EQ_SGD_1": 100, "EQ_SGD_2": 50},
            "model": {"EQ_SGD_1": ".5", "EQ_SGD_2": ".5"},
            "min_cash_buffer_pct": ".005",
        },
        "PENDING_REVIEW",
        trades=(("SELL", "EQ_SGD_1", "45"), ("BUY", "EQ_SGD_2", "109")),
        weights={"EQ_SGD_1": ".4975", "EQ_SGD_2": ".4975"},
        cash={"SGD": "50"},
    ),
    Scenario(
        "112_cross_currency_switch",
        SWITCH,
        "BLOCKED",
        trades=(("SELL", "US_TECH", "100"), ("BUY", "EU_BOND", "93")),
        fx=(("oi_fx_3", "SGD", "15000", "USD", "10000"), ("oi_fx_4", "EUR", "9393", "SGD", "15028.80")),
        dependencies={"EU_BOND": ("oi_fx_4",)},
        cash={"SGD": "-28.80"},
        warnings=frozenset({"SIMULATION_SAFETY_CHECK_FAILED"}),
        same_by_default=False,
    ),
    Scenario(
        "113_capped_rotation",
        {
            "cash": {"SGD": 0, "USD": 0, "EUR": 0},
            "held": {"USD_OLD": 100},
            "prices": {"USD_OLD": ("100", "USD"), "USD_NEW": ("100", "USD"), "EUR_NEW": ("100", "EUR")},
            "fx": {"USD/SGD": "1.5", "EUR/SGD": "1.6"},
            "model": {"USD_NEW": ".5", "EUR_NEW": ".5"},
            "single_position_max_weight": ".30",
        },
        "PENDING_REVIEW",
        trades=(("SELL", "USD_OLD", "100"), ("BUY", "USD_NEW", "30"), ("BUY", "EUR_NEW", "28")),
        fx=(("oi_fx_4", "SGD", "10500", "USD", "7000"), ("oi_fx_5", "EUR", "2828", "SGD", "4524.80")),
        dependencies={"USD_NEW": ("oi_3",), "EUR_NEW": ("oi_fx_5",)},
    ),
    Scenario(
        "114_frozen_asset",
        {
            "cash": {"SGD": 10000},
            "held": {"RUSSIA_ETF": 100},
            "prices": {"RUSSIA_ETF": 100, "US_BOND": 100},
            "model": {"US_BOND": 1},
            "shelf": {"RUSSIA_ETF": "SUSPENDED"},
        },
        "PENDING_REVIEW",
        trades=(("BUY", "US_BOND", "100"),),
        weights={"US_BOND": ".50", "RUSSIA_ETF": ".5"},
        tags={"RUSSIA_ETF": "LOCKED_POSITION"},
    ),
    Scenario(
        "301_drift_rebalance",
        {
            "cash": {"SGD": 8000},
            "held": {"A": 20},
            "prices": {"A": 100, "B": 100},
            "model": {"A": ".1", "B": ".1"},
        },
        "READY",
        trades=(("SELL", "A", "10"), ("BUY", "B", "10")),
        cash={"SGD": "8000"},
    ),
    Scenario(
        "302_sell_to_fund",
        {
            "cash": {"SGD": 0},
            "held": {"A": 50},
            "prices": {"A": 100, "B": 100},
            "model": {"A": "0", "B": ".5"},
        },
        "READY",
        trades=(("SELL", "A", "50"), ("BUY", "B", "25")),
        cash={"SGD": "2500"},
    ),
    Scenario(
        "304_partial_funding",
        {
            "cash": {"SGD": 10000, "USD": 1000},
            "prices": {"US": ("100", "USD")},
            "fx": {"USD/SGD": "1.35"},
            "model": {"US": ".5"},
        },
        "READY",
        trades=(("BUY", "US", "42"),),
        fx=(("oi_fx_2", "USD", "3232", "SGD", "4363.20"),),
        cash={"USD": "32"},
    ),
    Scenario(
        "305_sell_only_buy_blocked",
        {"cash": {"SGD": 10000}, "prices": {"BAD": 10}, "model": {"BAD": ".5"}, "shelf": {"BAD": "SELL_ONLY"}},
        "PENDING_REVIEW",
        weights={"BAD": "0"},
    ),
    Scenario(
        "306_restricted_blocked",
        {"cash": {"SGD": 10000}, "prices": {"R": 10}, "model": {"R": ".5"}, "shelf": {"R": "RESTRICTED"}},
        "READY",
        weights={"R": "0"},
    ),
    Scenario(
        "307_suspended_locked",
        {
            "cash": {"SGD": 5000},
            "held": {"S": 500},
            "prices": {"S": 10},
            "model": {"S": "0.0"},
            "shelf": {"S": "SUSPENDED"},
        },
        "READY",
        weights={"S": ".5"},
        tags={"S": "REDISTRIBUTED_RECIPIENT"},
    ),
    Scenario(
        "308_banned_locked",
        {"held": {"B": 100}, "prices": {"B": 10}, "model": {"B": "0.0"}, "shelf": {"B": "BANNED"}},
        "READY",
        weights={"B": "1"},
    ),
    Scenario(
        "310_missing_fx_block",
        {"cash": {"SGD": 10000}, "prices": {"US": ("100", "USD")}, "model": {"US": ".5"}},
        "BLOCKED",
        fx_missing=("USD/SGD",),
    ),
    Scenario(
        "312_dust_suppression",
        {
            "cash": {"SGD": 10000},
            "prices": {"A": 100},
            "model": {"A": ".1"},
            "min_trade_notional": {"amount": 5000, "currency": "SGD"},
        },
        "READY",
        suppressed=(("1000", "5000"),),
    ),
)

OPTIONAL = (
    Scenario("09_tax_hifo", {**ABC, "model": {"ABC": ".5"}}, "READY", trades=(("SELL", "ABC", "50"),)),
    Scenario(
        "09_tax_budget_partial_sell",
        {**ABC, "model": {"ABC": "0.0"}},
        "READY",
        trades=(("SELL", "ABC", "51.11111111111111111111111111"),),
        warnings=frozenset({"TAX_BUDGET_LIMIT_REACHED"}),
    ),
    Scenario(
        "09_tax_awareness_off_legacy_sell",
        {**ABC, "model": {"ABC": "0.0"}, "enable_tax_awareness": False},
        "READY",
        trades=(("SELL", "ABC", "100"),),
    ),
    Scenario(
        "10_turnover_cap",
        {**TURNOVER, "model": {"A": ".10", "B": ".10", "C": ".02"}, "max_turnover_pct": ".15"},
        "READY",
        trades=(("BUY", "A", "100"), ("BUY", "C", "20")),
        dropped=(("B", "10000", ".1"),),
        warnings=frozenset({"PARTIAL_REBALANCE_TURNOVER_LIMIT"}),
    ),
    Scenario(
        "10_turnover_exact_fit",
        {**TURNOVER, "model": {"A": ".10", "B": ".09", "C": ".05"}, "max_turnover_pct": ".15"},
        "READY",
        trades=(("BUY", "A", "100"), ("BUY", "C", "50")),
        dropped=(("B", "9000", ".09"),),
        warnings=frozenset({"PARTIAL_REBALANCE_TURNOVER_LIMIT"}),
    ),
    Scenario(
        "10_turnover_zero_budget",
        {**TURNOVER, "model": {"A": ".10", "B": ".10", "C": ".02"}, "max_turnover_pct": 0},
        "READY",
        dropped=(("A", "10000", ".1"), ("B", "10000", ".1"), ("C", "2000", ".02")),
        warnings=frozenset({"PARTIAL_REBALANCE_TURNOVER_LIMIT"}),
    ),
    Scenario(
        "11_settlement_fail",
        {**LADDER, "enable_settlement_awareness": True},
        "BLOCKED",
        trades=LADDER_TRADES,
        warnings=frozenset({"OVERDRAFT_ON_T_PLUS_1"}),
        failed={"SETTLEMENT_CASH_LADDER": "1000"},
    ),
    Scenario(
        "11_settlement_overdraft_utilized_ready",
        {**LADDER, "enable_settlement_awareness": True, "max_overdraft_by_ccy": {"USD": 1000}},
        "READY",
        trades=LADDER_TRADES,
        warnings=frozenset({"SETTLEMENT_OVERDRAFT_UTILIZED"}),
    ),
    Scenario("11_settlement_awareness_off_legacy_ready", LADDER, "READY", trades=LADDER_TRADES),
    Scenario(
        "11_settlement_fx_timing_ladder",
        {
            **SWITCH,
            "fx_buffer_pct": 0,
            "enable_settlement_awareness": True,
            "max_overdraft_by_ccy": {"SGD": 50000, "USD": 20000, "EUR": 20000},
        },
        "READY",
        trades=(("SELL", "US_TECH", "100"), ("BUY", "EU_BOND", "93")),
        fx=(("oi_fx_3", "SGD", "15000", "USD", "10000"), ("oi_fx_4", "EUR", "9300", "SGD", "14880")),
        cash={"SGD": "120"},
    ),
    Scenario(
        "12_solver_conflict",
        {
            **SOLVED,
            "cash": {"USD": 1000},
            "prices": {"Tech_A": 100, "Bond_B": 100},
            "model": {"Tech_A": "1.0", "Bond_B": "0.0"},
            "shelf": {"Tech_A": TECH, "Bond_B": BOND},
        },
        "READY",
        trades=(("BUY", "Tech_A", "3"), ("BUY", "Bond_B", "2")),
        weights={"Tech_A": ".3", "Bond_B": ".2"},
        tags={"Bond_B": "REDISTRIBUTED_RECIPIENT"},
    ),
    Scenario(
        "12_solver_infeasible",
        {
            **SOLVED,
            "cash": {"USD": 1000},
            "prices": {"Tech_A": 100},
            "model": {"Tech_A": "1.0"},
            "shelf": {"Tech_A": TECH},
        },
        "BLOCKED",
        warnings=frozenset({"INFEASIBLE_INFEASIBLE", "INFEASIBILITY_HINT_SINGLE_POSITION_CAPACITY"}),
    ),
    Scenario(
        "12_solver_ready_feasible",
        {
            "base": "USD",
            "cash": {"USD": 10000},
            "prices": {"EQ_A": 100, "EQ_B": 50},
            "model": {"EQ_A": ".6", "EQ_B": ".4"},
            "target_method": "SOLVER",
            "single_position_max_weight": ".7",
        },
        "READY",
        trades=(("BUY", "EQ_A", "60"), ("BUY", "EQ_B", "80")),
    ),
    Scenario(
        "13_what_if_analysis",
        {
            "base": "USD",
            "held": {"Tech": 100},
            "prices": {"Tech": 100, "Bond": 100},
            "model": {"Tech": 0, "Bond": 1},
            "cash": {"USD": 0},
        },
        "READY",
        trades=(("SELL", "Tech", "100"), ("BUY", "Bond", "100")),
    ),
    Scenario(
        "13_zero_turnover_batch",
        {"base": "USD", "cash": {"USD": 0}, "held": {"EQ_1": 100}, "prices": {"EQ_1": 100}, "model": {"EQ_1": "1.0"}},
        "READY",
    ),
)

SCENARIOS = (*CORE, *OPTIONAL)
