"""How the scenarios of a batch compare (engine §4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import localcontext

from lotus_web.domain.rebalance.arithmetic import ENGINE_CONTEXT, ZERO
from lotus_web.domain.rebalance.values.codes import RunStatus
from lotus_web.domain.rebalance.values.intent import SecurityTrade
from lotus_web.domain.rebalance.values.money import Money
from lotus_web.domain.rebalance.values.result import RebalanceResult


@dataclass(frozen=True, slots=True)
class ComparisonMetric:
    """One scenario in three figures; the turnover is in the base currency and counts blocked runs too."""

    status: RunStatus
    security_intent_count: int
    gross_turnover_notional_base: Money


def comparison_metrics(results: Mapping[str, RebalanceResult]) -> dict[str, ComparisonMetric]:
    """Return the metrics of each scenario, in the order given."""
    return {name: _metric(result) for name, result in results.items()}


def _metric(result: RebalanceResult) -> ComparisonMetric:
    trades = [intent for intent in result.intents if isinstance(intent, SecurityTrade)]
    with localcontext(ENGINE_CONTEXT):
        turnover = sum((trade.notional_base.amount for trade in trades), ZERO)
    return ComparisonMetric(result.status, len(trades), Money(turnover, result.before.total_value.currency))
