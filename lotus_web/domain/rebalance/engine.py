"""The pipeline of a run: value, choose, order, simulate, judge (engine §3.0)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import localcontext

from lotus_web.domain.rebalance.arithmetic import ENGINE_CONTEXT
from lotus_web.domain.rebalance.context import RunContext
from lotus_web.domain.rebalance.orders.funding import link, plan_fx
from lotus_web.domain.rebalance.orders.ladder import check_ladder
from lotus_web.domain.rebalance.orders.plan import plan_trades
from lotus_web.domain.rebalance.orders.tax import TaxLedger
from lotus_web.domain.rebalance.orders.trimming import trim_to_buffer
from lotus_web.domain.rebalance.orders.turnover import limit_turnover
from lotus_web.domain.rebalance.simulation import simulate, value_untraded
from lotus_web.domain.rebalance.targets.choose import TargetOutcome, choose_targets
from lotus_web.domain.rebalance.universe import Universe, build_universe, universe_data
from lotus_web.domain.rebalance.valuation import value_before
from lotus_web.domain.rebalance.values.codes import ReconciliationStatus, RunStatus
from lotus_web.domain.rebalance.values.intent import Intent
from lotus_web.domain.rebalance.values.request import RebalanceRequest
from lotus_web.domain.rebalance.values.result import (
    EarlyBlock,
    Explanation,
    LineageData,
    RebalanceResult,
    Reconciliation,
    RuleResult,
    TargetData,
    TaxImpact,
)
from lotus_web.domain.rebalance.values.state import SimulatedState
from lotus_web.domain.rebalance.values.weight_problem import Solve
from lotus_web.domain.rebalance.verdict.gate import decide_gate
from lotus_web.domain.rebalance.verdict.reconciliation import mismatch_rule, reconcile
from lotus_web.domain.rebalance.verdict.rules import hard_failures, judge, soft_failures

ENGINE_VERSION = "1.0.0"
NO_CORRELATION = "c_none"
UNNAMED_MARKET_DATA = "md"
SAFETY_RULES = frozenset({"NO_SHORTING", "INSUFFICIENT_CASH"})


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """The ids of a run: they label the result and never change it."""

    run_id: str
    correlation_id: str
    request_hash: str
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class _Preparation:
    """What was computed before any order."""

    before: SimulatedState
    universe: Universe
    outcome: TargetOutcome


@dataclass(frozen=True, slots=True)
class _Ending:
    """The outcome of the orders."""

    status: RunStatus
    after: SimulatedState
    rules: tuple[RuleResult, ...]
    intents: tuple[Intent, ...] = ()
    reconciliation: Reconciliation | None = None
    tax_impact: TaxImpact | None = None
    early: bool = False


def rebalance(
    request: RebalanceRequest,
    *,
    run_id: str,
    correlation_id: str = NO_CORRELATION,
    request_hash: str,
    idempotency_key: str | None = None,
    solve: Solve,
) -> RebalanceResult:
    """Compute a run. A pure function: BLOCKED is an answer, and bad data never raises.

    ``solve`` finds the weights of the target method SOLVER and of a comparison with it.
    """
    with localcontext(ENGINE_CONTEXT):
        ctx = RunContext(request, solve)
        before = value_before(ctx)
        universe = build_universe(ctx, before)
        ready = _Preparation(before, universe, choose_targets(ctx, universe, before.total_value.amount))
        ending = _carry_out(ctx, ready)
        identity = RunIdentity(run_id, correlation_id, request_hash, idempotency_key)
        return _result(ctx, identity, ready, ending)


def _carry_out(ctx: RunContext, ready: _Preparation) -> _Ending:
    """Go from targets to the final state and its rules, stopping where data is missing (block checks A and B)."""
    if ready.outcome.status is RunStatus.BLOCKED or _data_blocks(ctx):
        return _blocked_early(ctx, ready)
    total = ready.before.total_value.amount
    tax = TaxLedger(ctx) if ctx.options.enable_tax_awareness else None
    trades = plan_trades(ctx, ready.universe, ready.outcome.targets, total, tax)
    if _data_blocks(ctx):
        return _blocked_early(ctx, ready)
    trades = trim_to_buffer(ctx, limit_turnover(ctx, trades, total))
    intents = tuple(link(ctx, trades, plan_fx(ctx, trades)))
    tax_impact = tax.impact() if tax else None
    breach = check_ladder(ctx, intents)
    if breach is not None:
        return _Ending(RunStatus.BLOCKED, value_untraded(ctx), (breach,), intents, tax_impact=tax_impact)
    return _judged(ctx, ready, intents, tax_impact)


def _data_blocks(ctx: RunContext) -> bool:
    journal, options = ctx.journal, ctx.options
    return bool(
        journal.shelf_missing
        or (journal.price_missing and options.block_on_missing_prices)
        or (journal.fx_missing and options.block_on_missing_fx)
    )


def _blocked_early(ctx: RunContext, ready: _Preparation) -> _Ending:
    return _Ending(RunStatus.BLOCKED, ready.before, tuple(judge(ctx, ready.before)), early=True)


def _judged(ctx: RunContext, ready: _Preparation, intents: tuple[Intent, ...], tax_impact: TaxImpact | None) -> _Ending:
    after = simulate(ctx, intents)
    rules = judge(ctx, after)
    failed = hard_failures(rules)
    for rule in failed:
        if rule.rule_id in SAFETY_RULES:
            ctx.journal.warn("SIMULATION_SAFETY_CHECK_FAILED")
    if failed:
        return _Ending(RunStatus.BLOCKED, after, tuple(rules), intents, tax_impact=tax_impact)
    outcome = reconcile(ctx, ready.before, after)
    status = RunStatus.PENDING_REVIEW if soft_failures(rules) else ready.outcome.status
    if outcome.status is ReconciliationStatus.MISMATCH:
        rules.append(mismatch_rule(outcome))
        status = RunStatus.BLOCKED
    return _Ending(status, after, tuple(rules), intents, outcome, tax_impact)


def _result(ctx: RunContext, identity: RunIdentity, ready: _Preparation, ending: _Ending) -> RebalanceResult:
    return RebalanceResult(
        rebalance_run_id=identity.run_id,
        correlation_id=identity.correlation_id,
        status=ending.status,
        before=ready.before,
        universe=universe_data(ctx, ready.universe, identity.run_id),
        target=TargetData(f"t_{identity.run_id}", ready.outcome.targets),
        intents=ending.intents,
        after_simulated=ending.after,
        reconciliation=ending.reconciliation,
        tax_impact=ending.tax_impact,
        rule_results=ending.rules,
        explanation=EarlyBlock() if ending.early else Explanation(ending.status.value, ready.outcome.comparison),
        diagnostics=ctx.journal.close(),
        gate_decision=decide_gate(ctx, ending.status, ending.rules) if ctx.options.enable_workflow_gates else None,
        lineage=_lineage(ctx, identity),
    )


def _lineage(ctx: RunContext, identity: RunIdentity) -> LineageData:
    return LineageData(
        portfolio_snapshot_id=ctx.request.portfolio_snapshot.portfolio_id,
        market_data_snapshot_id=ctx.request.market_data_snapshot.snapshot_id or UNNAMED_MARKET_DATA,
        request_hash=identity.request_hash,
        idempotency_key=identity.idempotency_key,
        engine_version=ENGINE_VERSION,
    )
