"""A result as JSON: the shapes of engine §2, decimals as plain texts, weights of states with four places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lotus_web.domain.rebalance.comparison import ComparisonMetric
from lotus_web.domain.rebalance.values.result import (
    Explanation,
    GateDecision,
    LineageData,
    MethodComparison,
    RebalanceResult,
    Reconciliation,
    RuleResult,
    TargetData,
    TaxImpact,
    UniverseData,
)
from lotus_web.wire.rebalance.diagnostics import diagnostics_document
from lotus_web.wire.rebalance.intents import intent_document
from lotus_web.wire.rebalance.numbers import money, money_or_null, number, numbers
from lotus_web.wire.rebalance.state import state_document

Document = dict[str, Any]


def result_document(result: RebalanceResult) -> Document:
    """Return the whole result; optional parts are null, empty collections are present."""
    return {
        "rebalance_run_id": result.rebalance_run_id,
        "correlation_id": result.correlation_id,
        "status": result.status.value,
        "before": state_document(result.before),
        "universe": _universe(result.universe),
        "target": _target(result.target),
        "intents": [intent_document(intent) for intent in result.intents],
        "after_simulated": state_document(result.after_simulated),
        "reconciliation": _reconciliation(result.reconciliation) if result.reconciliation else None,
        "tax_impact": _tax_impact(result.tax_impact) if result.tax_impact else None,
        "rule_results": [_rule(rule) for rule in result.rule_results],
        "explanation": _explanation(result.explanation),
        "diagnostics": diagnostics_document(result.diagnostics),
        "gate_decision": _gate(result.gate_decision) if result.gate_decision else None,
        "lineage": _lineage(result.lineage),
    }


def metrics_document(metrics: Mapping[str, ComparisonMetric]) -> Document:
    """Return the comparison of a batch's scenarios (engine §4)."""
    return {
        name: {
            "status": metric.status.value,
            "security_intent_count": metric.security_intent_count,
            "gross_turnover_notional_base": money(metric.gross_turnover_notional_base),
        }
        for name, metric in metrics.items()
    }


def _universe(universe: UniverseData) -> Document:
    return {
        "universe_id": universe.universe_id,
        "eligible_for_buy": list(universe.eligible_for_buy),
        "eligible_for_sell": list(universe.eligible_for_sell),
        "excluded": [
            {"instrument_id": row.instrument_id, "reason_code": row.reason_code, "details": row.details}
            for row in universe.excluded
        ],
        "coverage": {
            "price_coverage_pct": number(universe.coverage.price_coverage_pct),
            "fx_coverage_pct": number(universe.coverage.fx_coverage_pct),
        },
    }


def _target(target: TargetData) -> Document:
    rows = [
        {
            "instrument_id": row.instrument_id,
            "model_weight": number(row.model_weight),
            "final_weight": number(row.final_weight),
            "final_value": money(row.final_value),
            "tags": [str(tag) for tag in row.tags],
        }
        for row in target.targets
    ]
    return {"target_id": target.target_id, "strategy": {}, "targets": rows}


def _reconciliation(outcome: Reconciliation) -> Document:
    return {
        "before_total_value": money(outcome.before_total_value),
        "after_total_value": money(outcome.after_total_value),
        "delta": money(outcome.delta),
        "tolerance": money(outcome.tolerance),
        "status": outcome.status.value,
    }


def _tax_impact(impact: TaxImpact) -> Document:
    return {
        "total_realized_gain": money(impact.total_realized_gain),
        "total_realized_loss": money(impact.total_realized_loss),
        "budget_limit": money_or_null(impact.budget_limit),
        "budget_used": money_or_null(impact.budget_used),
    }


def _rule(rule: RuleResult) -> Document:
    return {
        "rule_id": rule.rule_id,
        "severity": rule.severity.value,
        "status": rule.status.value,
        "measured": number(rule.measured),
        "threshold": numbers(rule.threshold),
        "reason_code": rule.reason_code,
        "remediation_hint": rule.remediation_hint,
    }


def _explanation(explanation: Explanation) -> Document:
    if not explanation.comparison_shown:
        return {"summary": explanation.summary}
    comparison = explanation.target_method_comparison
    return {
        "summary": explanation.summary,
        "target_method_comparison": _comparison(comparison) if comparison else None,
    }


def _comparison(comparison: MethodComparison) -> Document:
    return {
        "primary_method": comparison.primary_method,
        "primary_status": comparison.primary_status.value,
        "alternate_method": comparison.alternate_method,
        "alternate_status": comparison.alternate_status.value,
        "tolerance": number(comparison.tolerance),
        "differing_instruments": list(comparison.differing_instruments),
        "alternate_warnings": list(comparison.alternate_warnings),
    }


def _gate(decision: GateDecision) -> Document:
    return {
        "gate": decision.gate.value,
        "recommended_next_step": decision.recommended_next_step.value,
        "reasons": [
            {
                "reason_code": reason.reason_code,
                "severity": reason.severity.value,
                "source": reason.source.value,
                "details": dict(reason.details),
            }
            for reason in decision.reasons
        ],
        "summary": {
            "hard_fail_count": decision.summary.hard_fail_count,
            "soft_fail_count": decision.summary.soft_fail_count,
            "new_high_suitability_count": decision.summary.new_high_suitability_count,
            "new_medium_suitability_count": decision.summary.new_medium_suitability_count,
        },
    }


def _lineage(lineage: LineageData) -> Document:
    return {
        "portfolio_snapshot_id": lineage.portfolio_snapshot_id,
        "market_data_snapshot_id": lineage.market_data_snapshot_id,
        "request_hash": lineage.request_hash,
        "idempotency_key": lineage.idempotency_key,
        "engine_version": lineage.engine_version,
    }
