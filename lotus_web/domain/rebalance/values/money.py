"""Money: an amount and its currency."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in a currency; never rounded by the engine."""

    amount: Decimal
    currency: str
