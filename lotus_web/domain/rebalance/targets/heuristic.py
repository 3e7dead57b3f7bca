"""Target weights by heuristic: redistribute, cap, scale (engine §3.3)."""

from __future__ import annotations

from decimal import Decimal

from lotus_web.domain.rebalance.arithmetic import ONE, ZERO
from lotus_web.domain.rebalance.context import RunContext
from lotus_web.domain.rebalance.targets.group_constraints import apply_group_constraints
from lotus_web.domain.rebalance.targets.weights import TargetWork, redistribute_sell_only
from lotus_web.domain.rebalance.values.codes import RunStatus

FULL = Decimal("1.0001")
LEFTOVER = Decimal("0.001")


def heuristic_targets(ctx: RunContext, work: TargetWork, sell_only_excess: Decimal) -> None:
    """Turn model weights into final weights, in place; ``work.status`` is the outcome."""
    redistribute_sell_only(work, sell_only_excess)
    apply_group_constraints(ctx, work)
    if work.status is RunStatus.BLOCKED:
        return
    _fit_into_portfolio(work)
    _cap_single_positions(ctx, work)
    _keep_cash_buffer(ctx, work)


def _fit_into_portfolio(work: TargetWork) -> None:
    """Scale the buyable weights down when all weights add up to more than 1."""
    if work.total(work.weights) <= FULL:
        return
    fixed = work.fixed()
    if fixed > ONE:
        work.ask_review()
    if work.scale_buyable(max(ZERO, ONE - fixed)):
        work.ask_review()


def _cap_single_positions(ctx: RunContext, work: TargetWork) -> None:
    """Cap every weight at the single-position limit and give the excess to those below it.

    A share is taken of the shrinking rest against the fixed sum of recipients, so two or more recipients leave a
    residue in cash: that is the reference's arithmetic and asks for a review. Locked weights are left alone (delta 24).
    """
    limit = ctx.options.single_position_max_weight
    if limit is None:
        return
    excess = ZERO
    for key, weight in work.weights.items():
        if weight > limit and (ctx.options.strict_reference or key not in work.locked):
            excess += weight - limit
            work.weights[key] = limit
    if excess > ZERO and _hand_out(work, excess, limit) > LEFTOVER:
        work.ask_review()


def _hand_out(work: TargetWork, excess: Decimal, limit: Decimal) -> Decimal:
    """Return the excess that no recipient could take."""
    recipients = [key for key in work.buyable if work.weights[key] < limit]
    total = work.total(recipients)
    if total == ZERO:
        work.ask_review()
        return excess
    rest = excess
    for key in recipients:
        weight = work.weights[key]
        share = min(rest * weight / total, limit - weight)
        work.weights[key] += share
        rest -= share
    return rest


def _keep_cash_buffer(ctx: RunContext, work: TargetWork) -> None:
    """Scale the buyable weights down so that the minimum cash remains."""
    buffer = ctx.options.min_cash_buffer_pct
    if buffer > ZERO and work.scale_buyable(max(ZERO, ONE - buffer - work.fixed())):
        work.ask_review()
