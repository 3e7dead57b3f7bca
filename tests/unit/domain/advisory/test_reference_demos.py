"""The published demo proposals give their published outcomes (proposals-api §9, 27)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from lotus_web.domain.advisory.result import CashFlow, ManualTrade, ProposalResult
from lotus_web.domain.rebalance.values.intent import FxSpot
from tests.unit.domain.advisory.bodies import D, simulate

DEMOS = Path(__file__).parents[3] / "data" / "advisory-demos"


@dataclass(frozen=True)
class Outcome:
    """What the contract's table says of one demo; issues are new (with the highest severity), persistent, resolved."""

    status: str
    gate: str
    intents: list[str]
    issues: tuple[int, str | None, int, int]
    totals: tuple[str, str]
    cash: dict[str, str]


COMPLIANCE, RISK, CONSENT = "COMPLIANCE_REVIEW_REQUIRED", "RISK_REVIEW_REQUIRED", "CLIENT_CONSENT_REQUIRED"
OUTCOMES = {
    "10": Outcome(
        "READY", RISK, ["+10000 SGD", "BUY 10 SG_EQ_ETF 1500 SGD"], (2, "MEDIUM", 4, 0), ("15000", "25000"),
        {"SGD": "13500"},
    ),
    "11": Outcome(
        "READY", COMPLIANCE, ["5000.00 USD for 6750.00 SGD", "BUY 50 US_EQ_ETF 5000 USD"], (3, "HIGH", 1, 0),
        ("10000", "10000"), {"SGD": "3250", "USD": "0"},
    ),
    "12": Outcome(
        "READY", COMPLIANCE, ["500.00 USD for 675.00 SGD", "BUY 10 US_EQ_ETF 1000 USD"], (3, "HIGH", 1, 0),
        ("10675", "10675"), {"SGD": "9325", "USD": "0"},
    ),
    "13": Outcome("BLOCKED", "BLOCKED", [], (0, None, 1, 0), ("10000", "10000"), {"SGD": "10000", "USD": "0"}),
    "14": Outcome("READY", RISK, ["BUY 1 EQ_NEW 100 USD"], (2, "MEDIUM", 7, 0), ("1000", "1000"), {"USD": "0"}),
    "15": Outcome("READY", RISK, ["BUY 1 EQ_C 100 USD"], (2, "MEDIUM", 7, 0), ("1000", "1000"), {"USD": "0"}),
    "16": Outcome(
        "READY", CONSENT, ["SELL 3 EQ_A 300 USD", "BUY 3 EQ_B 300 USD"], (0, None, 0, 1), ("10000", "10000"),
        {"USD": "8000"},
    ),
    "17": Outcome(
        "READY", COMPLIANCE, ["SELL 6 EQ_B 600 USD", "BUY 6 EQ_C 600 USD"], (1, "HIGH", 1, 0), ("10000", "10000"),
        {"USD": "0"},
    ),
    "18": Outcome("BLOCKED", "BLOCKED", ["SELL 5 EQ_B 500 USD"], (1, "HIGH", 0, 0), ("10000", "10000"), {"USD": "500"}),
    "19": Outcome(
        "READY", CONSENT, ["+1000 SGD", "2400.00 USD for 3240.00 SGD", "BUY 20 US_EQ_ETF 2400 USD"],
        (0, None, 0, 0), ("15000", "16000"), {"SGD": "2760", "USD": "0"},
    ),
    "20": Outcome(
        "READY", RISK, ["+1000 USD", "BUY 30 EQ_GROWTH 1500 USD"], (1, "MEDIUM", 4, 0), ("15000", "16000"),
        {"USD": "4500"},
    ),
    "21": Outcome(
        "READY", RISK, ["+500 USD", "BUY 35 EQ_GROWTH 1750 USD"], (2, "MEDIUM", 4, 0), ("15000", "15500"),
        {"USD": "3750"},
    ),
}  # fmt: skip


def demo(number: str) -> ProposalResult:
    (path,) = DEMOS.glob(f"{number}_*.json")
    document = json.loads(path.read_text(encoding="utf-8"))
    return simulate(document.get("simulate_request", document))


def written(intent: CashFlow | ManualTrade | FxSpot) -> str:
    if isinstance(intent, CashFlow):
        return f"{intent.amount:+.0f} {intent.currency}"
    if isinstance(intent, FxSpot):
        return f"{intent.buy_amount} {intent.buy_currency} for {intent.sell_amount_estimated} {intent.sell_currency}"
    notional = intent.notional
    return f"{intent.side} {intent.quantity} {intent.instrument_id} {notional.amount:.0f} {notional.currency}"


@pytest.mark.parametrize("number", OUTCOMES)
def test_a_demo_proposal_gives_its_published_outcome(number: str) -> None:
    wanted, result = OUTCOMES[number], demo(number)
    assert (result.status, result.gate_decision and result.gate_decision.gate) == (wanted.status, wanted.gate)
    assert [written(intent) for intent in result.intents] == wanted.intents
    assert result.suitability is not None
    summary = result.suitability.summary
    assert (
        summary.new_count, summary.highest_severity_new, summary.persistent_count, summary.resolved_count,
    ) == wanted.issues  # fmt: skip
    assert (result.before.total_value.amount, result.after_simulated.total_value.amount) == tuple(map(D, wanted.totals))
    cash = {row.currency: row.amount for row in result.after_simulated.cash_balances}
    assert cash == {currency: D(amount) for currency, amount in wanted.cash.items()}


def test_a_purchase_waits_for_its_exchange() -> None:
    exchange, purchase = demo("11").intents
    assert isinstance(purchase, ManualTrade)
    assert purchase.dependencies == (exchange.intent_id,) == ("oi_fx_1",)


def test_a_missing_rate_is_counted_once() -> None:
    result = demo("13")
    failed = {rule.rule_id: (rule.measured, rule.reason_code) for rule in result.rule_results if rule.status == "FAIL"}
    assert failed == {
        "DATA_QUALITY": (1, "MISSING_DATA"),
        "PROPOSAL_INPUT_GUARDS": (1, "PROPOSAL_MISSING_FX_FOR_FUNDING"),
    }
    assert result.diagnostics.missing_fx_pairs == result.diagnostics.data_quality.fx_missing == ("USD/SGD",)


@pytest.mark.parametrize(
    ("number", "classes", "instruments"), [("14", ("0.150", "0.200"), None), ("15", ("0.05", "0.05"), ("0.35", "0.40"))]
)
def test_demo_drift(number: str, classes: tuple[str, str], instruments: tuple[str, str] | None) -> None:
    drift = demo(number).drift_analysis
    assert drift is not None
    assert (drift.asset_class.drift_total_before, drift.asset_class.drift_total_after) == tuple(map(D, classes))
    by_instrument = drift.instrument
    totals = by_instrument and (by_instrument.drift_total_before, by_instrument.drift_total_after)
    assert totals == (instruments and tuple(map(D, instruments)))
