"""The six rules of every run, judged on the state after it (engine §3.12)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from lotus_web.domain.rebalance.arithmetic import ZERO
from lotus_web.domain.rebalance.context import ValuationContext
from lotus_web.domain.rebalance.valuation import CASH
from lotus_web.domain.rebalance.values.codes import RuleSeverity, RuleStatus
from lotus_web.domain.rebalance.values.result import RuleResult
from lotus_web.domain.rebalance.values.state import SimulatedState

WEIGHT_TOLERANCE = Decimal("0.001")
NO_LIMIT = Decimal(-1)
OK = "OK"


def judge(ctx: ValuationContext, state: SimulatedState) -> list[RuleResult]:
    """Return the rules in their fixed order; the single-position rule has one row per offender."""
    return [
        _cash_band(ctx, state),
        *_single_position(ctx, state),
        _data_quality(ctx),
        _trade_size(ctx),
        _no_shorting(state),
        _enough_cash(state),
    ]


def hard_failures(rules: Iterable[RuleResult]) -> list[RuleResult]:
    """Return the failing rules that block."""
    return [rule for rule in rules if rule.status is RuleStatus.FAIL and rule.severity is RuleSeverity.HARD]


def soft_failures(rules: Iterable[RuleResult]) -> list[RuleResult]:
    """Return the failing rules that ask for a review."""
    return [rule for rule in rules if rule.status is RuleStatus.FAIL and rule.severity is RuleSeverity.SOFT]


def _verdict(
    rule_id: str,
    severity: RuleSeverity,
    measured: Decimal,
    threshold: dict[str, Decimal],
    failure: str,
    hint: str,
    *,
    failed: bool,
) -> RuleResult:
    if failed:
        return RuleResult(rule_id, severity, RuleStatus.FAIL, measured, threshold, failure, hint)
    return RuleResult(rule_id, severity, RuleStatus.PASS, measured, threshold, OK)


def _cash_band(ctx: ValuationContext, state: SimulatedState) -> RuleResult:
    low, high = ctx.options.cash_band_min_weight, ctx.options.cash_band_max_weight
    weight = next(row.weight for row in state.allocation_by_asset_class if row.key == CASH)
    return _verdict(
        "CASH_BAND",
        RuleSeverity.SOFT,
        weight,
        {"min": low, "max": high},
        "THRESHOLD_BREACH",
        "Change the model or the cash band so that cash stays inside it.",
        failed=weight < low or weight > high,
    )


def _single_position(ctx: ValuationContext, state: SimulatedState) -> list[RuleResult]:
    limit = ctx.options.single_position_max_weight
    name = "SINGLE_POSITION_MAX"
    if limit is None:
        return [RuleResult(name, RuleSeverity.HARD, RuleStatus.PASS, ZERO, {"max": NO_LIMIT}, "NO_LIMIT_SET")]
    weights = [row.weight for row in state.allocation_by_instrument]
    offenders = [weight for weight in weights if weight > limit + WEIGHT_TOLERANCE]
    return [
        _verdict(
            name,
            RuleSeverity.HARD,
            weight,
            {"max": limit},
            "LIMIT_BREACH",
            "Reduce the position or raise the single-position limit.",
            failed=bool(offenders),
        )
        for weight in offenders or [max(weights, default=ZERO)]
    ]


def _data_quality(ctx: ValuationContext) -> RuleResult:
    journal, options = ctx.journal, ctx.options
    count = len(journal.shelf_missing)
    count += len(journal.price_missing) if options.block_on_missing_prices else 0
    count += len(journal.fx_missing) if options.block_on_missing_fx else 0
    return _verdict(
        "DATA_QUALITY",
        RuleSeverity.HARD,
        Decimal(count),
        {"max": ZERO},
        "MISSING_DATA",
        "Supply the missing prices, rates and shelf entries.",
        failed=count > 0,
    )


def _trade_size(ctx: ValuationContext) -> RuleResult:
    count = len(ctx.journal.suppressed)
    reason = "INTENTS_SUPPRESSED" if count else OK
    return RuleResult("MIN_TRADE_SIZE", RuleSeverity.SOFT, RuleStatus.PASS, Decimal(count), {"min": ZERO}, reason)


def _no_shorting(state: SimulatedState) -> RuleResult:
    lowest = min((row.quantity for row in state.positions), default=ZERO)
    return _verdict(
        "NO_SHORTING",
        RuleSeverity.HARD,
        min(lowest, ZERO),
        {"min": ZERO},
        "SELL_EXCEEDS_HOLDINGS",
        "Check the held quantities: an order sells more than is there.",
        failed=lowest < ZERO,
    )


def _enough_cash(state: SimulatedState) -> RuleResult:
    lowest = min((row.amount for row in state.cash_balances), default=ZERO)
    return _verdict(
        "INSUFFICIENT_CASH",
        RuleSeverity.HARD,
        min(lowest, ZERO),
        {"min": ZERO},
        "CASH_BALANCE_NEGATIVE",
        "Raise cash, keep a cash buffer, or lower the targets.",
        failed=lowest < ZERO,
    )
