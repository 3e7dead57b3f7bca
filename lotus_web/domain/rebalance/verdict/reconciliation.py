"""Value before against value after: trading alone must neither make nor lose money (engine §3.13)."""

from __future__ import annotations

from decimal import Decimal

from lotus_web.domain.rebalance.context import RunContext
from lotus_web.domain.rebalance.values.codes import ReconciliationStatus, RuleSeverity, RuleStatus
from lotus_web.domain.rebalance.values.result import Reconciliation, RuleResult
from lotus_web.domain.rebalance.values.state import SimulatedState

FLAT_TOLERANCE = Decimal("0.5")
RELATIVE_TOLERANCE = Decimal("0.0005")


def reconcile(ctx: RunContext, before: SimulatedState, after: SimulatedState) -> Reconciliation:
    """Compare the totals; half a unit of base currency plus 0.05 % of the total before is allowed."""
    tolerance = FLAT_TOLERANCE + RELATIVE_TOLERANCE * before.total_value.amount
    delta = after.total_value.amount - before.total_value.amount
    status = ReconciliationStatus.OK if abs(delta) <= tolerance else ReconciliationStatus.MISMATCH
    return Reconciliation(
        before.total_value, after.total_value, ctx.base_money(delta), ctx.base_money(tolerance), status
    )


def mismatch_rule(outcome: Reconciliation) -> RuleResult:
    """Return the rule that a mismatch adds."""
    return RuleResult(
        rule_id="RECONCILIATION",
        severity=RuleSeverity.HARD,
        status=RuleStatus.FAIL,
        measured=abs(outcome.delta.amount),
        threshold={"max": outcome.tolerance.amount},
        reason_code="VALUE_MISMATCH",
        remediation_hint="Check snapshot values against prices and rates.",
    )
