"""Total value before against after: trading must not change it beyond a tolerance (engine §3.13)."""

from __future__ import annotations

from decimal import Decimal

from lotus_web.domain.rebalance.arithmetic import ZERO
from lotus_web.domain.rebalance.context import ValuationContext
from lotus_web.domain.rebalance.values.codes import ReconciliationStatus, RuleSeverity, RuleStatus
from lotus_web.domain.rebalance.values.result import Reconciliation, RuleResult
from lotus_web.domain.rebalance.values.state import SimulatedState

FLAT_TOLERANCE = Decimal("0.5")
RELATIVE_TOLERANCE = Decimal("0.0005")


def reconcile(
    ctx: ValuationContext, before: SimulatedState, after: SimulatedState, *, paid_in: Decimal = ZERO
) -> Reconciliation:
    """Compare the total after with the total before plus what was paid in, all in the base currency.

    Half a unit of base currency plus 0.05 % of the expected total is allowed; ``delta`` is after minus before.
    """
    expected = before.total_value.amount + paid_in
    tolerance = FLAT_TOLERANCE + RELATIVE_TOLERANCE * abs(expected)
    delta = after.total_value.amount - before.total_value.amount
    status = ReconciliationStatus.OK if abs(delta - paid_in) <= tolerance else ReconciliationStatus.MISMATCH
    return Reconciliation(
        before.total_value, after.total_value, ctx.base_money(delta), ctx.base_money(tolerance), status
    )


def mismatch_rule(outcome: Reconciliation, *, paid_in: Decimal = ZERO) -> RuleResult:
    """Return the rule that a mismatch adds; it measures how far the total is from what was expected."""
    return RuleResult(
        rule_id="RECONCILIATION",
        severity=RuleSeverity.HARD,
        status=RuleStatus.FAIL,
        measured=abs(outcome.delta.amount - paid_in),
        threshold={"max": outcome.tolerance.amount},
        reason_code="VALUE_MISMATCH",
        remediation_hint="Check snapshot values against prices and rates.",
    )
