"""Realised gains of a sell, lot by lot, highest cost first, within a budget (engine §3.7)."""

from __future__ import annotations

from decimal import Decimal

from lotus_web.domain.rebalance.arithmetic import ZERO
from lotus_web.domain.rebalance.context import RunContext
from lotus_web.domain.rebalance.values.diagnostics import TaxBudgetConstraintEvent
from lotus_web.domain.rebalance.values.money import Money
from lotus_web.domain.rebalance.values.request import Position
from lotus_web.domain.rebalance.values.result import TaxImpact

SNAP = Decimal("1e-10")
LOT_TOLERANCE = Decimal("0.0001")
LIMIT_REACHED = "TAX_BUDGET_LIMIT_REACHED"


class TaxLedger:
    """The capital-gains budget of one run, shared by its sells in intent order; money is in the base currency."""

    __slots__ = ("_ctx", "budget", "gain", "loss", "used")

    def __init__(self, ctx: RunContext) -> None:
        self._ctx = ctx
        self.budget = ctx.options.max_realized_capital_gains
        self.gain = self.loss = self.used = ZERO

    def sell(self, position: Position, quantity: Decimal, price: Money, rate: Decimal) -> Decimal:
        """Return how many of ``quantity`` units may be sold and book what they realise; ``rate`` is price to base."""
        lots = self._lots(position, price.currency)
        if not lots:
            return quantity
        rest = quantity
        for cost, held in lots:
            if held == ZERO:
                continue
            if rest <= ZERO:
                break
            requested = min(rest, held)
            unit_gain = (price.amount - cost) * rate
            take = self._within_budget(requested, unit_gain)
            self._book(unit_gain * take)
            rest -= take
            if take < requested:
                return self._cut(position, quantity, quantity - rest)
        if rest > LOT_TOLERANCE:
            return self._cut(position, quantity, quantity - rest)
        return quantity

    def _lots(self, position: Position, currency: str) -> list[tuple[Decimal, Decimal]]:
        """Return (unit cost in the price currency, quantity), dearest first; none when a cost has no rate."""
        rows = []
        for lot in position.lots:
            rate = self._ctx.fx.rate(lot.unit_cost.currency, currency)
            if rate is None:
                self._ctx.journal.miss_fx(lot.unit_cost.currency, currency)
                return []
            rows.append((lot.unit_cost.amount * rate, lot.purchase_date, lot.lot_id, lot.quantity))
        rows.sort(key=lambda row: row[:3], reverse=True)
        return [(cost, quantity) for cost, _, _, quantity in rows]

    def _within_budget(self, requested: Decimal, unit_gain: Decimal) -> Decimal:
        if self.budget is None or unit_gain <= ZERO:
            return requested
        headroom = self.budget - self.used
        return min(requested, headroom / unit_gain) if headroom > ZERO else ZERO

    def _book(self, realised: Decimal) -> None:
        if realised < ZERO:
            self.loss -= realised
        else:
            self.gain += realised
            self.used += realised

    def _cut(self, position: Position, requested: Decimal, allowed: Decimal) -> Decimal:
        self._ctx.journal.warn_once(LIMIT_REACHED)
        self._ctx.journal.tax_events.append(TaxBudgetConstraintEvent(position.instrument_id, requested, allowed))
        return allowed

    def impact(self) -> TaxImpact:
        """Return what the run's sells realise."""
        money = self._ctx.base_money
        if self.budget is None:
            return TaxImpact(money(self.gain), money(self.loss), None, None)
        used = self.budget if abs(self.used - self.budget) <= SNAP else min(self.used, self.budget)
        return TaxImpact(money(self.gain), money(self.loss), money(self.budget), money(used))
