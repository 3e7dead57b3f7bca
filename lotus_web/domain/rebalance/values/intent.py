"""Intents: the orders a run proposes (engine §2)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from lotus_web.domain.rebalance.values.codes import Side
from lotus_web.domain.rebalance.values.money import Money


@dataclass(frozen=True, slots=True)
class Rationale:
    """Why an intent exists."""

    code: str
    message: str


ALIGN = Rationale("DRIFT_REBALANCE", "Align")
FUND = Rationale("FUNDING", "Fund")
SWEEP = Rationale("SWEEP", "Sweep")


@dataclass(frozen=True, slots=True)
class SecurityTrade:
    """Buy or sell ``quantity`` units; ``notional`` is in the instrument's currency, ``notional_base`` in the base."""

    intent_type: ClassVar[str] = "SECURITY_TRADE"

    intent_id: str
    instrument_id: str
    side: Side
    quantity: Decimal
    notional: Money
    notional_base: Money
    dependencies: tuple[str, ...] = ()
    rationale: Rationale = ALIGN
    constraints_applied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FxSpot:
    """Buy one currency with another; ``pair`` is always foreign currency over base currency."""

    intent_type: ClassVar[str] = "FX_SPOT"

    intent_id: str
    pair: str
    buy_currency: str
    buy_amount: Decimal
    sell_currency: str
    sell_amount_estimated: Decimal
    rationale: Rationale
    dependencies: tuple[str, ...] = ()


Intent = SecurityTrade | FxSpot
