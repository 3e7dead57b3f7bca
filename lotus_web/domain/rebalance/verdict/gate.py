"""The gate: what a run needs before it may be executed, and why (engine §3.14)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lotus_web.domain.rebalance.context import ValuationContext
from lotus_web.domain.rebalance.values.codes import Gate, NextStep, ReasonSeverity, ReasonSource, RunStatus
from lotus_web.domain.rebalance.values.result import GateDecision, GateReason, GateSummary, RuleResult
from lotus_web.domain.rebalance.verdict.rules import hard_failures, soft_failures

WEIGHT = {ReasonSeverity.HIGH: 0, ReasonSeverity.MEDIUM: 1, ReasonSeverity.LOW: 2}


@dataclass(frozen=True, slots=True)
class Advice:
    """What a proposal adds to the gate: its new suitability issues as reasons, and that a client must consent."""

    new_high: tuple[GateReason, ...] = ()
    new_medium: tuple[GateReason, ...] = ()
    needs_consent: bool = True


NO_ADVICE = Advice(needs_consent=False)


def decide_gate(
    ctx: ValuationContext, status: RunStatus, rules: Sequence[RuleResult], advice: Advice = NO_ADVICE
) -> GateDecision:
    """Return the gate of a run, or of a proposal with its ``advice`` (proposals-api §5.5)."""
    hard, soft = hard_failures(rules), soft_failures(rules)
    reasons = [_rule_reason(rule, "HARD", ReasonSeverity.HIGH) for rule in hard]
    reasons += [_rule_reason(rule, "SOFT", ReasonSeverity.MEDIUM) for rule in soft]
    reasons += [*_data_reasons(ctx), *advice.new_high, *advice.new_medium]
    reasons.sort(key=_rank)
    gate, step = _first_match(ctx, advice, blocked=status is RunStatus.BLOCKED or bool(hard), soft=bool(soft))
    summary = GateSummary(len(hard), len(soft), len(advice.new_high), len(advice.new_medium))
    return GateDecision(gate, step, tuple(reasons), summary)


def _first_match(ctx: ValuationContext, advice: Advice, *, blocked: bool, soft: bool) -> tuple[Gate, NextStep]:
    if blocked:
        return Gate.BLOCKED, NextStep.FIX_INPUT
    if advice.new_high:
        return Gate.COMPLIANCE_REVIEW_REQUIRED, NextStep.COMPLIANCE_REVIEW
    if soft or advice.new_medium:
        return Gate.RISK_REVIEW_REQUIRED, NextStep.RISK_REVIEW
    consent = advice.needs_consent or ctx.options.workflow_requires_client_consent
    if consent and not ctx.options.client_consent_already_obtained:
        return Gate.CLIENT_CONSENT_REQUIRED, NextStep.REQUEST_CLIENT_CONSENT
    return Gate.EXECUTION_READY, NextStep.EXECUTE


def _rule_reason(rule: RuleResult, kind: str, severity: ReasonSeverity) -> GateReason:
    code = f"{kind}_RULE_FAIL:{rule.rule_id}"
    return GateReason(code, severity, ReasonSource.RULE_ENGINE, {"reason_code": rule.reason_code})


def _data_reasons(ctx: ValuationContext) -> list[GateReason]:
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
    return (
        WEIGHT[reason.severity],
        reason.source,
        reason.reason_code,
        reason.details.get("issue_key") or reason.details.get("reason_code", ""),
    )
