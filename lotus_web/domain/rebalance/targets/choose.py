"""Target weights of a run: the method chosen, the trace of every weight, and how the other method differs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from lotus_web.domain.rebalance.arithmetic import ZERO
from lotus_web.domain.rebalance.context import RunContext
from lotus_web.domain.rebalance.targets.heuristic import heuristic_targets
from lotus_web.domain.rebalance.targets.solver import solver_targets
from lotus_web.domain.rebalance.targets.weights import TargetWork
from lotus_web.domain.rebalance.universe import Universe
from lotus_web.domain.rebalance.values.codes import RunStatus, Tag, TargetMethod
from lotus_web.domain.rebalance.values.result import MethodComparison, TargetInstrument

MODEL_ABSENT = Decimal("0.0")


@dataclass(frozen=True, slots=True)
class TargetOutcome:
    """The stage's status, its trace (empty when blocked) and the optional comparison."""

    status: RunStatus
    targets: tuple[TargetInstrument, ...]
    comparison: MethodComparison | None = None


def choose_targets(ctx: RunContext, universe: Universe, total: Decimal) -> TargetOutcome:
    """Run the chosen method; ``total`` is the portfolio's value in the base currency."""
    method = ctx.options.target_method
    work = _run(ctx, universe, method)
    ctx.journal.warnings.extend(work.warnings)
    ctx.journal.group_events.extend(work.group_events)
    targets = _trace(ctx, universe, work, total)
    if not ctx.options.compare_target_methods:
        return TargetOutcome(work.status, targets)
    return TargetOutcome(work.status, targets, _compare(ctx, universe, total, work.status, targets))


def _run(ctx: RunContext, universe: Universe, method: TargetMethod) -> TargetWork:
    work = TargetWork.of(universe, strict_reference=ctx.options.strict_reference)
    if method is TargetMethod.SOLVER:
        solver_targets(ctx, work, universe.sell_only_excess)
    else:
        heuristic_targets(ctx, work, universe.sell_only_excess)
    return work


def _trace(ctx: RunContext, universe: Universe, work: TargetWork, total: Decimal) -> tuple[TargetInstrument, ...]:
    """Return model rows in the model's order, then everything else; nothing when the stage is blocked."""
    if work.status is RunStatus.BLOCKED:
        return ()
    rows = []
    named = set()
    for target in ctx.request.model_targets:
        named.add(target.instrument_id)
        final = work.weights.get(target.instrument_id, ZERO)
        tags = _model_tags(ctx, universe, target.instrument_id, target.weight, final)
        rows.append(_row(ctx, target.instrument_id, target.weight, final, total, tags))
    for key, final in work.weights.items():
        if key not in named:
            rows.append(_row(ctx, key, MODEL_ABSENT, final, total, (_held_tag(ctx, universe, key, final),)))
    return tuple(rows)


def _row(
    ctx: RunContext, key: str, model: Decimal, final: Decimal, total: Decimal, tags: tuple[Tag, ...]
) -> TargetInstrument:
    return TargetInstrument(key, model, final, ctx.base_money(total * final), tags)


def _model_tags(ctx: RunContext, universe: Universe, key: str, model: Decimal, final: Decimal) -> tuple[Tag, ...]:
    if model > final:
        held_fast = key in universe.locked and not ctx.options.strict_reference
        return (Tag.LOCKED if held_fast else Tag.CAPPED,)
    return (Tag.RECIPIENT,) if final > model else ()


def _held_tag(ctx: RunContext, universe: Universe, key: str, final: Decimal) -> Tag:
    if ctx.options.strict_reference:
        return Tag.SOLD_OUT if key in universe.buyable or final == ZERO else Tag.LOCKED
    return Tag.LOCKED if key in universe.locked else Tag.SOLD_OUT


def _compare(
    ctx: RunContext, universe: Universe, total: Decimal, status: RunStatus, targets: tuple[TargetInstrument, ...]
) -> MethodComparison:
    """Run the other method on the same universe and report where its weights differ (engine §3.4)."""
    method = ctx.options.target_method
    other = TargetMethod.HEURISTIC if method is TargetMethod.SOLVER else TargetMethod.SOLVER
    work = _run(ctx, universe, other)
    mine = {row.instrument_id: row.final_weight for row in targets}
    theirs = {row.instrument_id: row.final_weight for row in _trace(ctx, universe, work, total)}
    tolerance = ctx.options.compare_target_methods_tolerance
    differing = tuple(
        key for key in sorted({*mine, *theirs}) if abs(mine.get(key, ZERO) - theirs.get(key, ZERO)) > tolerance
    )
    if work.status is not status:
        ctx.journal.warn("TARGET_METHOD_STATUS_DIVERGENCE")
    if differing:
        ctx.journal.warn("TARGET_METHOD_WEIGHT_DIVERGENCE")
    return MethodComparison(
        primary_method=method,
        primary_status=status,
        alternate_method=other,
        alternate_status=work.status,
        tolerance=tolerance,
        differing_instruments=differing,
        alternate_warnings=tuple(sorted(set(work.warnings))),
    )
