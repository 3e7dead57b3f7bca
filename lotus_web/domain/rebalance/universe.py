"""Which instruments a run may buy, may sell, or must not trade (engine §3.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal

from lotus_web.domain.rebalance.arithmetic import ONE, ZERO
from lotus_web.domain.rebalance.context import RunContext
from lotus_web.domain.rebalance.values.codes import ShelfStatus
from lotus_web.domain.rebalance.values.request import ModelTarget
from lotus_web.domain.rebalance.values.result import Coverage, ExcludedInstrument, UniverseData
from lotus_web.domain.rebalance.values.state import SimulatedState

FROZEN = frozenset({ShelfStatus.SUSPENDED, ShelfStatus.BANNED, ShelfStatus.RESTRICTED})


@dataclass(slots=True)
class Universe:
    """The working set: ``eligible`` maps an id to its target weight, in the order the target trace keeps.

    ``buyable`` and ``sellable`` are ordered sets, ``locked`` holds what no order may touch.
    """

    eligible: dict[str, Decimal] = field(default_factory=dict)
    buyable: dict[str, None] = field(default_factory=dict)
    sellable: dict[str, None] = field(default_factory=dict)
    locked: dict[str, None] = field(default_factory=dict)
    excluded: list[ExcludedInstrument] = field(default_factory=list)
    sell_only_excess: Decimal = ZERO

    def exclude(self, instrument_id: str, reason_code: str) -> None:
        """Record why an instrument is not freely tradeable."""
        self.excluded.append(ExcludedInstrument(instrument_id, reason_code))


def build_universe(ctx: RunContext, before: SimulatedState) -> Universe:
    """Admit the model's targets first, then the holdings that are not in the model."""
    universe = Universe()
    for target in ctx.request.model_targets:
        _admit_target(ctx, universe, target)
    weights: dict[str, Decimal] = {}
    for row in before.positions:
        weights.setdefault(row.instrument_id, row.weight)
    for position in ctx.request.portfolio_snapshot.positions:
        if position.quantity != ZERO and position.instrument_id not in universe.eligible:
            _admit_holding(ctx, universe, position.instrument_id, weights[position.instrument_id])
    return universe


def _admit_target(ctx: RunContext, universe: Universe, target: ModelTarget) -> None:
    key = target.instrument_id
    entry = ctx.shelf.get(key)
    if entry is None:
        ctx.journal.miss_shelf(key)
    elif entry.status is ShelfStatus.SELL_ONLY:
        universe.sell_only_excess += target.weight
        universe.eligible[key] = ZERO
        universe.sellable[key] = None
        universe.exclude(key, f"SHELF_STATUS_{entry.status}")
    elif entry.status in FROZEN and not (entry.status is ShelfStatus.RESTRICTED and ctx.options.allow_restricted):
        universe.exclude(key, f"SHELF_STATUS_{entry.status}")
    else:
        universe.eligible[key] = target.weight
        universe.buyable[key] = None
        universe.sellable[key] = None


def _admit_holding(ctx: RunContext, universe: Universe, key: str, weight: Decimal) -> None:
    entry = ctx.shelf.get(key)
    if entry is None or entry.status in FROZEN:
        universe.eligible[key] = weight
        universe.locked[key] = None
        universe.exclude(key, f"LOCKED_DUE_TO_{entry.status if entry else 'MISSING_SHELF'}")
    else:
        universe.eligible[key] = ZERO
        universe.sellable[key] = None


def universe_data(ctx: RunContext, universe: Universe, run_id: str) -> UniverseData:
    """Return the universe as the result shows it."""
    return UniverseData(
        universe_id=f"u_{run_id}",
        eligible_for_buy=tuple(universe.buyable),
        eligible_for_sell=tuple(universe.sellable),
        excluded=tuple(universe.excluded),
        coverage=_coverage(ctx, universe),
    )


def _coverage(ctx: RunContext, universe: Universe) -> Coverage:
    """Return the share of required data that is available: prices of holdings and targets, rates of their currencies."""
    needed = {*universe.eligible, *ctx.held}
    priced = [key for key in needed if key in ctx.prices]
    currencies = {ctx.prices[key].currency for key in priced}
    currencies.update(row.currency for row in ctx.request.portfolio_snapshot.cash_balances)
    currencies.discard(ctx.base)
    known = [currency for currency in currencies if ctx.fx.rate(currency, ctx.base) is not None]
    return Coverage(_share(priced, needed), _share(known, currencies))


def _share(part: list[str], whole: Iterable[str]) -> Decimal:
    size = len(set(whole))
    if len(part) == size:
        return ONE
    return (Decimal(len(part)) / size).quantize(Decimal("0.0001"), rounding=ROUND_DOWN).normalize()
