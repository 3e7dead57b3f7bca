"""The working portfolio of a simulation: units and cash as they change, and what went wrong on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from lotus_web.domain.advisory.result import CashFlow, FundingPlanRow, InsufficientCash, ManualTrade
from lotus_web.domain.advisory.values import AdvisoryOptions, AdvisoryRequest
from lotus_web.domain.rebalance.arithmetic import ZERO
from lotus_web.domain.rebalance.context import ValuationContext
from lotus_web.domain.rebalance.values.codes import Side
from lotus_web.domain.rebalance.values.intent import FxSpot


class AdvisoryContext(ValuationContext):
    """A proposal's view of its request."""

    __slots__ = ()

    request: AdvisoryRequest
    options: AdvisoryOptions

    def __init__(self, request: AdvisoryRequest) -> None:
        super().__init__(request)


@dataclass(slots=True)
class Book:
    """Changes in units and cash since the snapshot, the intents behind them, and the codes of what failed.

    ``hard_failures`` block the proposal; ``pending`` says that a rate was missing where that does not block.
    """

    ctx: AdvisoryContext
    units: dict[str, Decimal] = field(default_factory=dict)
    cash: dict[str, Decimal] = field(default_factory=dict)
    flows: list[CashFlow] = field(default_factory=list)
    trades: list[ManualTrade] = field(default_factory=list)
    fx: list[FxSpot] = field(default_factory=list)
    plan: list[FundingPlanRow] = field(default_factory=list)
    shortfalls: list[InsufficientCash] = field(default_factory=list)
    missing_pairs: dict[str, None] = field(default_factory=dict)
    hard_failures: list[str] = field(default_factory=list)
    pending: bool = False
    _opening: dict[str, Decimal] = field(init=False)

    def __post_init__(self) -> None:
        self._opening = {}
        for row in self.ctx.request.portfolio_snapshot.cash_balances:
            self._opening[row.currency] = self._opening.get(row.currency, ZERO) + row.amount

    def balance(self, currency: str) -> Decimal:
        """Return the present balance of a currency; zero where none is held."""
        return self._opening.get(currency, ZERO) + self.cash.get(currency, ZERO)

    def currencies(self) -> set[str]:
        """Return the currencies that have a cash row."""
        return self._opening.keys() | self.cash.keys()

    def touch(self, currency: str) -> None:
        """Give a currency a cash row, of zero unless it has one."""
        self.cash.setdefault(currency, ZERO)

    def move_cash(self, currency: str, amount: Decimal) -> None:
        """Add to a balance; negative takes out."""
        self.cash[currency] = self.cash.get(currency, ZERO) + amount

    def fill(self, trade: ManualTrade) -> None:
        """Apply a trade as estimated."""
        sign = 1 if trade.side is Side.BUY else -1
        key = trade.instrument_id
        self.units[key] = self.units.get(key, ZERO) + sign * trade.quantity
        self.move_cash(trade.notional.currency, -sign * trade.notional.amount)
        self.trades.append(trade)

    def fail(self, code: str) -> None:
        """Note what blocks the proposal, as a warning too."""
        self.ctx.journal.warn(code)
        self.hard_failures.append(code)
