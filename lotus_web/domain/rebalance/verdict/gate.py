"""What has to happen before a run may be executed, and why (engine §3.14)."""

from __future__ import annotations

from collections.abc import Sequence

from lotus_web.domain.rebalance.context import RunContext
from lotus_web.domain.rebalance.values.codes import Gate, NextStep, ReasonSeverity, ReasonSource, RunStatus
from lotus_web.domain.rebalance.values.result import GateDecision, GateReason, GateSummary, RuleResult
from lotus_web.domain.rebalance.verdict.rules import hard_failures, soft_failures

WEIGHT = {ReasonSeverity.HIGH: 0, ReasonSeverity.MEDIUM: 1, ReasonSeverity.LOW: 2}


def decide_gate(ctx: RunContext, status: RunStatus, rules: Sequence[RuleResult]) -> GateDecision | None:
    """Return the gate, or None when gates are switched off for this run."""
    if not ctx.options.enable_workflow_gates:
        return None
    hard, soft = hard_failures(rules), soft_failures(rules)
    reasons = [_rule_reason(rule, "HARD", ReasonSeverity.HIGH) for rule in hard]
    reasons += [_rule_reason(rule, "SOFT", ReasonSeverity.MEDIUM) for rule in soft]
    reasons += _data_reasons(ctx)
    reasons.sort(key=_rank)
    gate, step = _first_match(ctx, status, blocked=bool(hard), risky=bool(soft))
    return GateDecision(gate, step, tuple(reasons), GateSummary(len(hard), len(soft)))


def _first_match(ctx: RunContext, status: RunStatus, *, blocked: bool, risky: bool) -> tuple[Gate, NextStep]:
    if status is RunStatus.BLOCKED or blocked:
        return Gate.BLOCKED, NextStep.FIX_INPUT
    if risky:
        return Gate.RISK_REVIEW_REQUIRED, NextStep.RISK_REVIEW
    if ctx.options.workflow_requires_client_consent and not ctx.options.client_consent_already_obtained:
        return Gate.CLIENT_CONSENT_REQUIRED, NextStep.REQUEST_CLIENT_CONSENT
    return Gate.EXECUTION_READY, NextStep.EXECUTE


def _rule_reason(rule: RuleResult, kind: str, severity: ReasonSeverity) -> GateReason:
    code = f"{kind}_RULE_FAIL:{rule.rule_id}"
    return GateReason(code, severity, ReasonSource.RULE_ENGINE, {"reason_code": rule.reason_code})


def _data_reasons(ctx: RunContext) -> list[GateReason]:
    """Return a reason for missing prices and rates, even where they do not block."""
    counts = {"PRICE": len(ctx.journal.price_missing), "FX": len(ctx.journal.fx_missing)}
    return [
        GateReason(
            f"DATA_QUALITY_MISSING_{kind}", ReasonSeverity.HIGH, ReasonSource.DATA_QUALITY, {"count": str(count)}
        )
        for kind, count in counts.items()
        if count
    ]


def _rank(reason: GateReason) -> tuple[int, str, str, str]:
    return WEIGHT[reason.severity], reason.source, reason.reason_code, reason.details.get("reason_code", "")
