"""The weights that a target method works on, with its status and warnings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from lotus_web.domain.rebalance.arithmetic import ZERO, total
from lotus_web.domain.rebalance.universe import Universe
from lotus_web.domain.rebalance.values.codes import RunStatus
from lotus_web.domain.rebalance.values.diagnostics import GroupConstraintEvent


@dataclass(slots=True)
class TargetWork:
    """One method's own copy of the weights, so that a second method can run on another copy for comparison.

    ``strict_reference`` shrinks weights by a factor that is rounded first, as engine §3.3 writes it: a floor of whole units
    turns the last digit of a weight into a unit.
    """

    weights: dict[str, Decimal]
    buyable: dict[str, None]
    locked: dict[str, None]
    status: RunStatus = RunStatus.READY
    warnings: list[str] = field(default_factory=list)
    group_events: list[GroupConstraintEvent] = field(default_factory=list)
    strict_reference: bool = False

    @classmethod
    def of(cls, universe: Universe, *, strict_reference: bool) -> TargetWork:
        """Start from the universe's weights."""
        return cls(dict(universe.eligible), universe.buyable, universe.locked, strict_reference=strict_reference)

    def ask_review(self) -> None:
        """Set the status to PENDING_REVIEW; a blocked stage stays blocked."""
        if self.status is RunStatus.READY:
            self.status = RunStatus.PENDING_REVIEW

    def total(self, keys: Iterable[str]) -> Decimal:
        """Return the sum of some weights."""
        return total(self.weights[key] for key in keys)

    def fixed(self) -> Decimal:
        """Return the sum of the weights that are not buyable: locked and sold positions."""
        return total(weight for key, weight in self.weights.items() if key not in self.buyable)

    def scale_buyable(self, room: Decimal) -> bool:
        """Scale the buyable weights down to ``room``; return whether they had to be scaled."""
        weight_sum = self.total(self.buyable)
        if weight_sum <= room:
            return False
        if weight_sum > ZERO:
            self.shrink(self.buyable, room)
        return True

    def shrink(self, keys: Iterable[str], room: Decimal) -> None:
        """Scale weights that are more than ``room`` together into it, each by the same factor."""
        chosen = list(keys)
        whole = self.total(chosen)
        for key in chosen:
            weight = self.weights[key]
            self.weights[key] = weight * (room / whole) if self.strict_reference else weight * room / whole

    def spread(self, excess: Decimal, recipients: Iterable[str]) -> dict[str, Decimal]:
        """Give ``excess`` to the recipients in proportion to their weights; returns what each received."""
        chosen = list(recipients)
        whole = self.total(chosen)
        if whole <= ZERO:
            return {}
        received = {key: excess * self.weights[key] / whole for key in chosen}
        for key, share in received.items():
            self.weights[key] += share
        return received


def redistribute_sell_only(work: TargetWork, excess: Decimal) -> None:
    """Give the weight of sell-only targets to buyable instruments, else require a review (engine §3.3 step 1)."""
    if excess > ZERO and not work.spread(excess, work.buyable):
        work.ask_review()
