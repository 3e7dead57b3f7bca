"""Intents as JSON: ``intent_type`` tells the two kinds apart (engine §2)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lotus_web.domain.rebalance.values import intent
from lotus_web.domain.rebalance.values.codes import Side
from lotus_web.wire.rebalance.model import Money, Plain, ResultModel


class Rationale(ResultModel):
    """Why an intent is there."""

    domain = intent.Rationale

    code: str
    message: str


class SecurityTrade(ResultModel):
    """An order in an instrument."""

    domain = intent.SecurityTrade

    intent_type: Literal["SECURITY_TRADE"]
    intent_id: str
    instrument_id: str
    side: Side
    quantity: Plain
    notional: Money
    notional_base: Money
    dependencies: tuple[str, ...]
    rationale: Rationale
    constraints_applied: tuple[str, ...]


class FxSpot(ResultModel):
    """An exchange of currencies."""

    domain = intent.FxSpot

    intent_type: Literal["FX_SPOT"]
    intent_id: str
    pair: str
    buy_currency: str
    buy_amount: Plain
    sell_currency: str
    sell_amount_estimated: Plain
    dependencies: tuple[str, ...]
    rationale: Rationale


Intent = Annotated[SecurityTrade | FxSpot, Field(discriminator="intent_type")]
