"""Cash day by day until everything has settled, against the allowed overdrafts (engine §3.10)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from lotus_web.domain.rebalance.arithmetic import ZERO
from lotus_web.domain.rebalance.context import RunContext
from lotus_web.domain.rebalance.values.codes import RuleSeverity, RuleStatus, Side
from lotus_web.domain.rebalance.values.diagnostics import CashLadderBreach, CashLadderPoint
from lotus_web.domain.rebalance.values.intent import FxSpot, Intent, SecurityTrade
from lotus_web.domain.rebalance.values.result import RuleResult

DEFAULT_SETTLEMENT_DAYS = 2
OVERDRAFT_USED = "SETTLEMENT_OVERDRAFT_UTILIZED"

Flows = dict[str, dict[int, Decimal]]


def check_ladder(ctx: RunContext, intents: Sequence[Intent]) -> RuleResult | None:
    """Write the ladder into the journal; return the failing rule of the first breach, None without a breach.

    The first breach is that of the alphabetically first currency, which need not be the earliest day.
    """
    if not ctx.options.enable_settlement_awareness:
        return None
    flows = _flows(ctx, intents)
    horizon = _horizon(ctx, intents)
    for currency in sorted(flows):
        _walk(ctx, currency, flows[currency], horizon)
    if not ctx.journal.breaches:
        return None
    breach = ctx.journal.breaches[0]
    ctx.journal.warn(breach.reason_code)
    return RuleResult(
        rule_id="SETTLEMENT_CASH_LADDER",
        severity=RuleSeverity.HARD,
        status=RuleStatus.FAIL,
        measured=breach.allowed_floor - breach.projected_balance,
        threshold={"min": breach.allowed_floor},
        reason_code=breach.reason_code,
        remediation_hint="Stagger the orders, raise cash first, or allow an overdraft in this currency.",
    )


def _settlement_days(ctx: RunContext, instrument_id: str) -> int:
    entry = ctx.shelf.get(instrument_id)
    return entry.settlement_days if entry else DEFAULT_SETTLEMENT_DAYS


def _horizon(ctx: RunContext, intents: Sequence[Intent]) -> int:
    traded = (_settlement_days(ctx, row.instrument_id) for row in intents if isinstance(row, SecurityTrade))
    return max(ctx.options.settlement_horizon_days, ctx.options.fx_settlement_days, *traded, 0)


def _flows(ctx: RunContext, intents: Sequence[Intent]) -> Flows:
    """Return cash movements by currency and day; day 0 starts from settled cash where it is known."""
    flows: Flows = {}
    for row in ctx.request.portfolio_snapshot.cash_balances:
        _move(flows, row.currency, 0, row.amount if row.settled is None else row.settled)
    fx_day = ctx.options.fx_settlement_days
    for intent in intents:
        if isinstance(intent, FxSpot):
            _move(flows, intent.buy_currency, fx_day, intent.buy_amount)
            _move(flows, intent.sell_currency, fx_day, -intent.sell_amount_estimated)
        else:
            amount = intent.notional.amount if intent.side is Side.SELL else -intent.notional.amount
            _move(flows, intent.notional.currency, _settlement_days(ctx, intent.instrument_id), amount)
    return flows


def _move(flows: Flows, currency: str, day: int, amount: Decimal) -> None:
    days = flows.setdefault(currency, {})
    days[day] = days.get(day, ZERO) + amount


def _walk(ctx: RunContext, currency: str, days: dict[int, Decimal], horizon: int) -> None:
    allowance = ctx.options.max_overdraft_by_ccy.get(currency, ZERO)
    floor = -allowance
    balance = ZERO
    for day in range(horizon + 1):
        balance += days.get(day, ZERO)
        ctx.journal.ladder.append(CashLadderPoint(day, currency, balance))
        if balance < ZERO and allowance > ZERO:
            ctx.journal.warn_once(OVERDRAFT_USED)
        if balance < floor:
            code = f"OVERDRAFT_ON_T_PLUS_{day}"
            ctx.journal.breaches.append(CashLadderBreach(day, currency, balance, floor, code))
