"""A request that sets every field that there is."""

from __future__ import annotations

from typing import Any

MONEY = {"amount": "10", "currency": "SGD"}
# A request that sets every field that there is, none of them to its default.
WHOLE: dict[str, Any] = {
    "portfolio_snapshot": {
        "snapshot_id": "ps_1",
        "portfolio_id": "pf_1",
        "base_currency": "SGD",
        "positions": [
            {
                "instrument_id": "A",
                "quantity": "2",
                "market_value": MONEY,
                "lots": [{"lot_id": "l", "quantity": "2", "unit_cost": MONEY, "purchase_date": "2026-01-01"}],
            }
        ],
        "cash_balances": [{"currency": "SGD", "amount": "100", "settled": "90", "pending": "10"}],
    },
    "market_data_snapshot": {
        "snapshot_id": "md_1",
        "prices": [{"instrument_id": "A", "price": "5", "currency": "SGD"}],
        "fx_rates": [{"pair": "USD/SGD", "rate": "1.3"}],
    },
    "shelf_entries": [
        {
            "instrument_id": "A",
            "status": "RESTRICTED",
            "asset_class": "EQUITY",
            "issuer_id": "I",
            "liquidity_tier": "L1",
            "settlement_days": 3,
            "min_notional": MONEY,
            "attributes": {"region": "ASIA"},
        }
    ],
    "options": {
        "valuation_mode": "TRUST_SNAPSHOT",
        "target_method": "SOLVER",
        "compare_target_methods": True,
        "compare_target_methods_tolerance": "0.1",
        "cash_band_min_weight": "0.01",
        "cash_band_max_weight": "0.9",
        "single_position_max_weight": "0.5",
        "min_trade_notional": MONEY,
        "allow_restricted": True,
        "suppress_dust_trades": False,
        "dust_trade_threshold": MONEY,
        "fx_buffer_pct": "0.02",
        "block_on_missing_prices": False,
        "block_on_missing_fx": False,
        "min_cash_buffer_pct": "0.1",
        "max_turnover_pct": "0.2",
        "enable_tax_awareness": True,
        "max_realized_capital_gains": "5",
        "enable_settlement_awareness": True,
        "settlement_horizon_days": 6,
        "fx_settlement_days": 3,
        "max_overdraft_by_ccy": {"USD": "1"},
        "group_constraints": {"region:ASIA": {"max_weight": "0.5"}},
        "enable_workflow_gates": False,
        "workflow_requires_client_consent": True,
        "client_consent_already_obtained": True,
        "link_buy_to_same_currency_sell_dependency": True,
        "strict_reference": True,
        "enable_proposal_simulation": True,
        "proposal_apply_cash_flows_first": False,
        "proposal_block_negative_cash": False,
        "enable_drift_analytics": False,
        "enable_suitability_scanner": False,
        "suitability_thresholds": {
            "single_position_max_weight": "0.2",
            "issuer_max_weight": "0.3",
            "max_weight_by_liquidity_tier": {"L3": "0.2"},
            "cash_band_min_weight": "0.02",
            "cash_band_max_weight": "0.06",
            "data_quality_issue_severity": "LOW",
        },
        "enable_instrument_drift": False,
        "drift_top_contributors_limit": 7,
        "drift_unmodeled_exposure_threshold": "0.02",
        "auto_funding": False,
        "funding_mode": "AUTO_FX",
        "fx_funding_source_currency": "BASE_ONLY",
        "fx_generation_policy": "ONE_FX_PER_CCY",
    },
    "proposed_cash_flows": [{"intent_type": "CASH_FLOW", "currency": "SGD", "amount": "5", "description": "d"}],
    "proposed_trades": [
        {"intent_type": "SECURITY_TRADE", "side": "SELL", "instrument_id": "A", "quantity": "1"},
        {"side": "BUY", "instrument_id": "A", "notional": MONEY},
    ],
    "reference_model": {
        "model_id": "m",
        "as_of": "d",
        "base_currency": "SGD",
        "asset_class_targets": [{"asset_class": "EQUITY", "weight": "1"}],
        "instrument_targets": [{"instrument_id": "A", "weight": "1"}],
    },
}
