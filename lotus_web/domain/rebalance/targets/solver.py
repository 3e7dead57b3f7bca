"""Target weights by least squares under hard limits (engine §3.4)."""

from __future__ import annotations

from decimal import Decimal

from lotus_web.domain.rebalance.arithmetic import ONE
from lotus_web.domain.rebalance.context import RunContext
from lotus_web.domain.rebalance.targets.group_constraints import known_groups
from lotus_web.domain.rebalance.targets.weights import TargetWork, redistribute_sell_only
from lotus_web.domain.rebalance.values.codes import RunStatus
from lotus_web.domain.rebalance.values.weight_problem import INFEASIBLE, WeightProblem

Groups = list[tuple[str, Decimal, list[str]]]


def solver_targets(ctx: RunContext, work: TargetWork, sell_only_excess: Decimal) -> None:
    """Replace the buyable weights by the solution, in place; a failure blocks the stage with its code as warning."""
    redistribute_sell_only(work, sell_only_excess)
    if not work.buyable:
        return
    groups = list(known_groups(ctx, work))
    problem = _problem(ctx, work, groups)
    solution = ctx.solve(problem)
    if solution.failure is None:
        work.weights.update(zip(work.buyable, solution.weights, strict=True))
        return
    work.status = RunStatus.BLOCKED
    work.warnings.append(solution.failure)
    if solution.failure.startswith(INFEASIBLE):
        _hint(work, problem, groups)


def _problem(ctx: RunContext, work: TargetWork, groups: Groups) -> WeightProblem:
    """Return the problem: only buyable weights are variables, all others are constants."""
    fixed = work.fixed()
    place = {key: index for index, key in enumerate(work.buyable)}
    weights = {row.instrument_id: row.weight for row in ctx.request.model_targets}
    return WeightProblem(
        targets=tuple(weights[key] for key in work.buyable),
        total_min=ONE - ctx.options.cash_band_max_weight - fixed,
        total_max=ONE - ctx.options.cash_band_min_weight - fixed,
        limit=ctx.options.single_position_max_weight,
        groups=tuple(
            (tuple(place[key] for key in members if key in place), maximum - _fixed_part(work, members))
            for _, maximum, members in groups
        ),
    )


def _fixed_part(work: TargetWork, members: list[str]) -> Decimal:
    return work.total(key for key in members if key not in work.buyable)


def _hint(work: TargetWork, problem: WeightProblem, groups: Groups) -> None:
    """Add warnings that name the limits that contradict each other."""
    if problem.total_min > problem.total_max:
        work.warnings.append("INFEASIBILITY_HINT_CASH_BAND_CONTRADICTION")
    if problem.limit is not None and problem.limit * len(problem.targets) < problem.total_min:
        work.warnings.append("INFEASIBILITY_HINT_SINGLE_POSITION_CAPACITY")
    for key, maximum, members in groups:
        if _fixed_part(work, members) > maximum:
            work.warnings.append(f"INFEASIBILITY_HINT_LOCKED_GROUP_WEIGHT_{key}")
