"""Request bodies in one line: what is held, priced, wanted and allowed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from lotus_web.domain.rebalance.engine import rebalance
from lotus_web.domain.rebalance.values.intent import FxSpot, SecurityTrade
from lotus_web.domain.rebalance.values.result import RebalanceResult
from lotus_web.services.runs.solver import solve
from lotus_web.wire.rebalance.request import RebalanceRequestBody

D = Decimal
RUN_ID = "rr_0000abcd"


def position(instrument_id: str, holding: Any) -> dict[str, Any]:
    """A holding is a quantity, or a mapping with ``quantity`` and more."""
    fields = holding if isinstance(holding, Mapping) else {"quantity": holding}
    return {"instrument_id": instrument_id, **fields}


def price(instrument_id: str, quote: Any, base: str) -> dict[str, Any]:
    """A quote is a number in the base currency, or a pair of number and currency."""
    amount, currency = quote if isinstance(quote, tuple) else (quote, base)
    return {"instrument_id": instrument_id, "price": amount, "currency": currency}


def body(
    *,
    base: str = "SGD",
    cash: Mapping[str, Any] | None = None,
    held: Mapping[str, Any] | None = None,
    prices: Mapping[str, Any] | None = None,
    fx: Mapping[str, Any] | None = None,
    model: Mapping[str, Any] | None = None,
    shelf: Mapping[str, Mapping[str, Any] | str | None] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Return the JSON of a simulate request.

    Everything named anywhere is on the shelf as APPROVED unless ``shelf`` gives a status, a mapping of fields, or
    None to keep it off the shelf.
    """
    prices, model, held, shelf = prices or {}, model or {}, held or {}, shelf or {}
    entries: dict[str, dict[str, Any]] = {}
    for name in [*prices, *model, *held, *shelf]:
        given = shelf.get(name, {})
        fields = {"status": given} if isinstance(given, str) else given
        if fields is not None:
            entries[name] = {"instrument_id": name, "status": "APPROVED", **fields}
    return {
        "portfolio_snapshot": {
            "portfolio_id": "pf_amara_tan",
            "base_currency": base,
            "positions": [position(name, holding) for name, holding in held.items()],
            "cash_balances": [{"currency": name, "amount": amount} for name, amount in (cash or {}).items()],
        },
        "market_data_snapshot": {
            "prices": [price(name, quote, base) for name, quote in prices.items()],
            "fx_rates": [{"pair": pair, "rate": rate} for pair, rate in (fx or {}).items()],
        },
        "model_portfolio": {"targets": [{"instrument_id": name, "weight": weight} for name, weight in model.items()]},
        "shelf_entries": list(entries.values()),
        "options": options,
    }


def run(document: Mapping[str, Any]) -> RebalanceResult:
    """Parse and compute."""
    parsed = RebalanceRequestBody.model_validate(document)
    return rebalance(parsed.to_domain(), run_id=RUN_ID, request_hash="sha256:0", solve=solve)


def run_of(**fields: Any) -> RebalanceResult:
    """Build, parse and compute."""
    return run(body(**fields))


def trades_of(result: RebalanceResult) -> list[tuple[str, str, Decimal]]:
    """Return (side, instrument, quantity) in execution order."""
    return [
        (row.side.value, row.instrument_id, row.quantity) for row in result.intents if isinstance(row, SecurityTrade)
    ]


def fx_of(result: RebalanceResult) -> list[tuple[str, str, Decimal, str, Decimal]]:
    """Return (id, bought currency, amount, sold currency, amount) of the FX orders."""
    return [
        (row.intent_id, row.buy_currency, row.buy_amount, row.sell_currency, row.sell_amount_estimated)
        for row in result.intents
        if isinstance(row, FxSpot)
    ]


def cash_of(result: RebalanceResult) -> dict[str, Decimal]:
    """Return cash after the run."""
    return {row.currency: row.amount for row in result.after_simulated.cash_balances}


def weights_of(result: RebalanceResult) -> dict[str, Decimal]:
    """Return final target weights."""
    return {row.instrument_id: row.final_weight for row in result.target.targets}


def tags_of(result: RebalanceResult) -> dict[str, set[str]]:
    """Return target tags."""
    return {row.instrument_id: {str(tag) for tag in row.tags} for row in result.target.targets}


def failed_rules(result: RebalanceResult) -> dict[str, Decimal]:
    """Return what the failing rules measured."""
    return {rule.rule_id: rule.measured for rule in result.rule_results if rule.status == "FAIL"}
