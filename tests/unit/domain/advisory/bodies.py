"""Proposal requests in one line: what is held, priced and proposed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from lotus_web.domain.advisory.engine import simulate_proposal
from lotus_web.domain.advisory.result import ManualTrade, ProposalResult
from lotus_web.domain.rebalance.values.intent import FxSpot
from lotus_web.wire.proposals.request import SimulateRequestBody

D = Decimal
# Suitability limits that nothing exceeds, for tests of something else.
RELAXED = {
    "single_position_max_weight": 1,
    "issuer_max_weight": 1,
    "max_weight_by_liquidity_tier": {},
    "cash_band_min_weight": 0,
    "cash_band_max_weight": 1,
}


def proposal(
    *,
    base: str = "SGD",
    cash: Mapping[str, Any] | None = None,
    held: Mapping[str, Any] | None = None,
    prices: Mapping[str, tuple[Any, str]] | None = None,
    fx: Mapping[str, Any] | None = None,
    shelf: Mapping[str, Mapping[str, Any]] | None = None,
    flows: Sequence[tuple[str, Any]] = (),
    trades: Sequence[tuple[str, str, Any]] = (),
    model: Mapping[str, Any] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Return the JSON of a simulation.

    A trade is (side, instrument, quantity) or (side, instrument, (amount, currency)). Everything priced is on the shelf
    as APPROVED EQUITY with an issuer of its own and tier L1 unless ``shelf`` says otherwise.
    """
    prices, held, shelf = prices or {}, held or {}, shelf or {}
    approved = {"status": "APPROVED", "asset_class": "EQUITY", "liquidity_tier": "L1"}
    entries = [
        {"instrument_id": name, "issuer_id": f"ISSUER_{name}", **approved, **shelf.get(name, {})}
        for name in {**prices, **held, **shelf}
    ]
    return {
        "portfolio_snapshot": {
            "portfolio_id": "pf_1",
            "base_currency": base,
            "positions": [{"instrument_id": name, "quantity": quantity} for name, quantity in held.items()],
            "cash_balances": [{"currency": name, "amount": amount} for name, amount in (cash or {}).items()],
        },
        "market_data_snapshot": {
            "prices": [{"instrument_id": n, "price": amount, "currency": c} for n, (amount, c) in prices.items()],
            "fx_rates": [{"pair": pair, "rate": rate} for pair, rate in (fx or {}).items()],
        },
        "shelf_entries": entries,
        "proposed_cash_flows": [{"currency": currency, "amount": amount} for currency, amount in flows],
        "proposed_trades": [_trade(*row) for row in trades],
        "reference_model": model,
        "options": {"enable_proposal_simulation": True, "suitability_thresholds": RELAXED, **options},
    }


def _trade(side: str, instrument_id: str, size: Any) -> dict[str, Any]:
    trade = {"side": side, "instrument_id": instrument_id}
    if isinstance(size, tuple):
        return {**trade, "notional": {"amount": size[0], "currency": size[1]}}
    return {**trade, "quantity": size}


def simulate(document: Mapping[str, Any]) -> ProposalResult:
    """Parse and simulate a request."""
    request = SimulateRequestBody.model_validate(document).to_domain()
    return simulate_proposal(request, run_id="pr_0000abcd", correlation_id="corr_1", request_hash="sha256:0")


def trades_of(result: ProposalResult) -> list[tuple[str, str, Decimal]]:
    """Return side, instrument and units of each trade."""
    return [(row.side.value, row.instrument_id, row.quantity) for row in result.intents if isinstance(row, ManualTrade)]


def exchanges_of(result: ProposalResult) -> list[tuple[str, Decimal, str, Decimal]]:
    """Return what each exchange buys and sells."""
    return [
        (row.buy_currency, row.buy_amount, row.sell_currency, row.sell_amount_estimated)
        for row in result.intents
        if isinstance(row, FxSpot)
    ]


def failures(result: ProposalResult) -> dict[str, tuple[Decimal, str]]:
    """Return what each failing rule measured and why it failed."""
    return {row.rule_id: (row.measured, row.reason_code) for row in result.rule_results if row.status == "FAIL"}


def cash_after(result: ProposalResult) -> dict[str, Decimal]:
    """Return the balances after the proposal."""
    return {row.currency: row.amount for row in result.after_simulated.cash_balances}
