"""Caps on groups that share a shelf attribute, such as ``sector:TECH`` (engine §3.3 step 2, delta 24)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from lotus_web.domain.rebalance.arithmetic import ZERO
from lotus_web.domain.rebalance.context import RunContext
from lotus_web.domain.rebalance.targets.weights import TargetWork
from lotus_web.domain.rebalance.values.codes import EventStatus, RunStatus
from lotus_web.domain.rebalance.values.diagnostics import GroupConstraintEvent

TOLERANCE = Decimal("0.0001")


def known_groups(ctx: RunContext, work: TargetWork) -> Iterator[tuple[str, Decimal, list[str]]]:
    """Yield (key, maximum, member ids) in key order; a group whose attribute no shelf entry has is warned of in its turn."""
    attributes = {name for entry in ctx.shelf.values() for name in entry.attributes}
    having = _by_attribute(ctx, work)
    for key, maximum in sorted(ctx.options.group_constraints.items()):
        attribute, value = key.split(":", 1)
        if attribute not in attributes:
            work.warnings.append(f"UNKNOWN_CONSTRAINT_ATTRIBUTE_{attribute}")
            continue
        yield key, maximum, having.get((attribute, value), [])


def _by_attribute(ctx: RunContext, work: TargetWork) -> dict[tuple[str, str], list[str]]:
    """Return the weighted instruments by (attribute, value), in the order of the weights: one walk for any number of groups."""
    having: dict[tuple[str, str], list[str]] = {}
    for name in work.weights:
        entry = ctx.shelf.get(name)
        for pair in entry.attributes.items() if entry is not None else ():
            having.setdefault(pair, []).append(name)
    return having


def apply_group_constraints(ctx: RunContext, work: TargetWork) -> None:
    """Cap one group after another and redistribute the excess; the stage is blocked when no instrument can take it.

    What comes after a group that blocks is not judged, and earlier groups are not looked at again. A locked member keeps
    its weight unless ``strict_reference``.
    """
    if not ctx.options.group_constraints:
        return
    for key, maximum, members in known_groups(ctx, work):
        before = work.total(members)
        if members and before > maximum + TOLERANCE:
            _cap(ctx, work, key, maximum, members)
        if work.status is RunStatus.BLOCKED:
            return


def _cap(ctx: RunContext, work: TargetWork, key: str, maximum: Decimal, members: list[str]) -> None:
    movable = members if ctx.options.strict_reference else [name for name in members if name not in work.locked]
    before, movable_weight = work.total(members), work.total(movable)
    locked_weight = before - movable_weight
    room = max(ZERO, maximum - locked_weight)
    if locked_weight > maximum + TOLERANCE:
        work.warnings.append(f"INFEASIBILITY_HINT_LOCKED_GROUP_WEIGHT_{key}")
        work.ask_review()
    if movable_weight <= room:
        return
    work.shrink(movable, room)
    _release(work, key, maximum, members, before, movable_weight - room)


def _release(
    work: TargetWork, key: str, maximum: Decimal, members: list[str], before: Decimal, excess: Decimal
) -> None:
    inside = set(members)
    received = work.spread(excess, [name for name in work.buyable if name not in inside])
    status = EventStatus.CAPPED if received else EventStatus.BLOCKED
    work.warnings.append(f"CAPPED_BY_GROUP_LIMIT_{key}")
    work.group_events.append(GroupConstraintEvent(key, before, maximum, excess, received, status))
    if not received:
        work.warnings.append("NO_ELIGIBLE_REDISTRIBUTION_DESTINATION")
        work.status = RunStatus.BLOCKED
