"""The pipeline of a proposal: value, apply, fund, judge, compare, explain (proposals-api §5.2)."""

from __future__ import annotations

from decimal import Decimal, localcontext

from lotus_web.domain.advisory.book import AdvisoryContext, Book
from lotus_web.domain.advisory.drift import analyse_drift
from lotus_web.domain.advisory.funding import MISSING_FX, fund, linked
from lotus_web.domain.advisory.orders import apply_cash_flows, sized_trades
from lotus_web.domain.advisory.result import (
    AdvisoryDiagnostics,
    AdvisoryIntent,
    Explanation,
    ProposalResult,
    Suitability,
)
from lotus_web.domain.advisory.suitability import new_issues, scan, snapshot_ids
from lotus_web.domain.advisory.values import AdvisoryRequest
from lotus_web.domain.rebalance.arithmetic import ENGINE_CONTEXT, ZERO, total
from lotus_web.domain.rebalance.simulation import value_after
from lotus_web.domain.rebalance.valuation import value_before
from lotus_web.domain.rebalance.values.codes import (
    ReasonSeverity,
    ReasonSource,
    ReconciliationStatus,
    RuleSeverity,
    RuleStatus,
    RunStatus,
    Side,
)
from lotus_web.domain.rebalance.values.result import GateDecision, GateReason, LineageData, RuleResult
from lotus_web.domain.rebalance.verdict.gate import Advice, decide_gate
from lotus_web.domain.rebalance.verdict.reconciliation import mismatch_rule, reconcile
from lotus_web.domain.rebalance.verdict.rules import hard_failures, judge, soft_failures

ENGINE_VERSION = "1.0.0"


def simulate_proposal(
    request: AdvisoryRequest,
    *,
    run_id: str,
    correlation_id: str,
    request_hash: str,
    idempotency_key: str | None = None,
) -> ProposalResult:
    """Simulate a proposal. A pure function: BLOCKED is an answer, and bad data never raises.

    The names (run, correlation, hash and key) label the result and never change it.
    """
    with localcontext(ENGINE_CONTEXT):
        ctx = AdvisoryContext(request)
        before = value_before(ctx)
        book = _carry_out(ctx)
        after = value_after(ctx, book.units, book.cash)
        rules = [*judge(ctx, after), *_proposal_rules(book)]
        paid_in = _paid_in(ctx)
        outcome = reconcile(ctx, before, after, paid_in=paid_in)
        if outcome.status is ReconciliationStatus.MISMATCH:
            rules.append(mismatch_rule(outcome, paid_in=paid_in))
        status = _status(rules)
        drift = analyse_drift(ctx, before, after)
        suitability = scan(ctx, before, after)
        return ProposalResult(
            proposal_run_id=run_id,
            correlation_id=correlation_id,
            status=status,
            before=before,
            intents=_in_order(book),
            after_simulated=after,
            reconciliation=outcome,
            rule_results=tuple(rules),
            explanation=Explanation(str(status)),
            diagnostics=_diagnostics(book),
            drift_analysis=drift,
            suitability=suitability,
            gate=_gate(ctx, status, rules, suitability),
            gates_enabled=ctx.options.enable_workflow_gates,
            lineage=_lineage(request, request_hash, idempotency_key),
        )


def _gate(
    ctx: AdvisoryContext, status: RunStatus, rules: list[RuleResult], suitability: Suitability | None
) -> GateDecision:
    """Return what has to happen before the proposal may be executed; a client always has to consent (§5.5)."""
    advice = Advice(
        new_high=_reasons(suitability, ReasonSeverity.HIGH), new_medium=_reasons(suitability, ReasonSeverity.MEDIUM)
    )
    return decide_gate(ctx, status, rules, advice)


def _reasons(suitability: Suitability | None, severity: ReasonSeverity) -> tuple[GateReason, ...]:
    return tuple(
        GateReason(
            f"NEW_{severity}_SUITABILITY_ISSUE",
            severity,
            ReasonSource.SUITABILITY,
            {"issue_id": issue.issue_id, "issue_key": issue.issue_key},
        )
        for issue in new_issues(suitability, severity)
    )


def _carry_out(ctx: AdvisoryContext) -> Book:
    """Apply cash flows, sells, exchanges and the buys that are paid for, in this order."""
    book = Book(ctx)
    apply_cash_flows(book)
    trades = sized_trades(book)
    for trade in trades:
        if trade.side is Side.SELL:
            book.fill(trade)
    buys = [trade for trade in trades if trade.side is Side.BUY]
    unfunded = fund(book, buys) if ctx.options.auto_funding else set()
    for trade in linked(book, buys, unfunded):
        book.fill(trade)
    return book


def _in_order(book: Book) -> tuple[AdvisoryIntent, ...]:
    """Return the intents as they are carried out: cash flows, sells, exchanges by pair, buys."""
    sells = [trade for trade in book.trades if trade.side is Side.SELL]
    buys = [trade for trade in book.trades if trade.side is Side.BUY]
    return (*book.flows, *sells, *sorted(book.fx, key=lambda order: order.pair), *buys)


def _proposal_rules(book: Book) -> list[RuleResult]:
    rules: list[RuleResult] = []
    if book.hard_failures:
        rules.append(
            RuleResult(
                "PROPOSAL_INPUT_GUARDS",
                RuleSeverity.HARD,
                RuleStatus.FAIL,
                Decimal(len(book.hard_failures)),
                {"max": ZERO},
                book.hard_failures[0],
                "Correct the cash flows, trades or funding named in the warnings.",
            )
        )
    if book.pending:
        rules.append(
            RuleResult(
                "PROPOSAL_FUNDING_DQ",
                RuleSeverity.SOFT,
                RuleStatus.FAIL,
                Decimal(len(book.missing_pairs)),
                {"max": ZERO},
                MISSING_FX.removeprefix("PROPOSAL_"),
                "Supply the missing exchange rates.",
            )
        )
    return rules


def _paid_in(ctx: AdvisoryContext) -> Decimal:
    """Return the sum of the cash flows in the base currency; one without a rate is noted and left out."""
    return total(flow.amount * (ctx.rate_to_base(flow.currency) or ZERO) for flow in ctx.request.cash_flows)


def _status(rules: list[RuleResult]) -> RunStatus:
    if hard_failures(rules):
        return RunStatus.BLOCKED
    return RunStatus.PENDING_REVIEW if soft_failures(rules) else RunStatus.READY


def _diagnostics(book: Book) -> AdvisoryDiagnostics:
    noted = book.ctx.journal.close()
    return AdvisoryDiagnostics(
        warnings=noted.warnings,
        data_quality=noted.data_quality,
        missing_fx_pairs=tuple(book.missing_pairs),
        funding_plan=tuple(book.plan),
        insufficient_cash=tuple(book.shortfalls),
    )


def _lineage(request: AdvisoryRequest, request_hash: str, idempotency_key: str | None) -> LineageData:
    snapshots = snapshot_ids(request)
    return LineageData(
        portfolio_snapshot_id=snapshots.portfolio_snapshot_id,
        market_data_snapshot_id=snapshots.market_data_snapshot_id,
        request_hash=request_hash,
        idempotency_key=idempotency_key,
        engine_version=ENGINE_VERSION,
    )
