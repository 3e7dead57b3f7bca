"""Intents as JSON (engine §2)."""

from __future__ import annotations

from typing import Any

from lotus_web.domain.rebalance.values.intent import FxSpot, Intent, Rationale, SecurityTrade
from lotus_web.wire.rebalance.numbers import money, number

SECURITY_TRADE = "SECURITY_TRADE"
FX_SPOT = "FX_SPOT"


def intent_document(intent: Intent) -> dict[str, Any]:
    """Return an intent; ``intent_type`` tells the two kinds apart."""
    return _fx(intent) if isinstance(intent, FxSpot) else _trade(intent)


def _trade(trade: SecurityTrade) -> dict[str, Any]:
    return {
        "intent_type": SECURITY_TRADE,
        "intent_id": trade.intent_id,
        "instrument_id": trade.instrument_id,
        "side": trade.side.value,
        "quantity": number(trade.quantity),
        "notional": money(trade.notional),
        "notional_base": money(trade.notional_base),
        "dependencies": list(trade.dependencies),
        "rationale": _rationale(trade.rationale),
        "constraints_applied": list(trade.constraints_applied),
    }


def _fx(order: FxSpot) -> dict[str, Any]:
    return {
        "intent_type": FX_SPOT,
        "intent_id": order.intent_id,
        "pair": order.pair,
        "buy_currency": order.buy_currency,
        "buy_amount": number(order.buy_amount),
        "sell_currency": order.sell_currency,
        "sell_amount_estimated": number(order.sell_amount_estimated),
        "dependencies": list(order.dependencies),
        "rationale": _rationale(order.rationale),
    }


def _rationale(rationale: Rationale) -> dict[str, str]:
    return {"code": rationale.code, "message": rationale.message}
