"""Cash flows and trades: what is applied, what is skipped and what blocks (proposals-api §5.2)."""

from __future__ import annotations

import pytest

from lotus_web.domain.advisory.result import CashFlow, ManualTrade
from tests.unit.domain.advisory.bodies import D, cash_after, failures, proposal, simulate, trades_of

SG = {"SG": ("10", "SGD")}


def test_cash_flows_are_applied_in_order_and_open_balances() -> None:
    result = simulate(proposal(cash={"SGD": 100}, fx={"USD/SGD": 2}, flows=[("SGD", -40), ("USD", 5)]))
    assert result.intents == (CashFlow("oi_cf_1", "SGD", D(-40)), CashFlow("oi_cf_2", "USD", D(5)))
    assert cash_after(result) == {"SGD": D(60), "USD": D(5)}
    assert result.reconciliation.delta.amount == D(-30)
    assert result.status == "READY"


def test_a_withdrawal_below_zero_blocks_even_if_a_later_flow_repairs_it() -> None:
    document = proposal(cash={"SGD": 100}, flows=[("SGD", -150), ("SGD", 100)])
    result = simulate(document)
    assert failures(result) == {"PROPOSAL_INPUT_GUARDS": (1, "PROPOSAL_WITHDRAWAL_NEGATIVE_CASH")}
    off = simulate({**document, "options": {**document["options"], "proposal_block_negative_cash": False}})
    assert off.status == "READY"


@pytest.mark.parametrize(
    ("status", "options", "allowed"),
    [
        ("APPROVED", {}, True),
        ("RESTRICTED", {}, False),
        ("RESTRICTED", {"allow_restricted": True}, True),
        ("SELL_ONLY", {}, False),
        ("BANNED", {"allow_restricted": True}, False),
        ("SUSPENDED", {}, False),
    ],
)
def test_the_shelf_guards_purchases_and_never_sales(status: str, options: dict[str, bool], allowed: bool) -> None:
    document = proposal(
        cash={"SGD": 100},
        held={"SG": 5},
        prices=SG,
        shelf={"SG": {"status": status}},
        trades=[("BUY", "SG", 1)],
        enable_suitability_scanner=False,
        **options,
    )
    assert trades_of(simulate(document)) == ([("BUY", "SG", 1)] if allowed else [])
    if not allowed:
        blocked = failures(simulate(document))
        assert blocked == {"PROPOSAL_INPUT_GUARDS": (1, "PROPOSAL_TRADE_NOT_SUPPORTED_BY_SHELF")}
    selling = {**document, "proposed_trades": [{"side": "SELL", "instrument_id": "SG", "quantity": 1}]}
    assert trades_of(simulate(selling)) == [("SELL", "SG", 1)]


def test_an_intent_keeps_the_number_of_its_trade_and_sells_come_first() -> None:
    prices = {"A": ("1", "SGD"), "B": ("1", "SGD"), "C": ("1", "SGD")}
    trades = [("BUY", "C", 1), ("SELL", "B", 1), ("BUY", "A", 1), ("SELL", "A", 1)]
    result = simulate(proposal(cash={"SGD": 10}, held={"A": 5, "B": 5}, prices=prices, trades=trades))
    found = [(row.intent_id, row.instrument_id) for row in result.intents if isinstance(row, ManualTrade)]
    assert found == [("oi_4", "A"), ("oi_2", "B"), ("oi_3", "A"), ("oi_1", "C")]


def test_a_trade_by_notional_is_sized_by_the_price() -> None:
    result = simulate(proposal(cash={"SGD": 100}, prices=SG, trades=[("BUY", "SG", ("25", "SGD"))]))
    assert trades_of(result) == [("BUY", "SG", D("2.5"))]


def test_a_notional_in_another_currency_than_the_price_blocks() -> None:
    result = simulate(proposal(cash={"SGD": 100}, prices=SG, trades=[("BUY", "SG", ("25", "USD"))]))
    assert failures(result) == {"PROPOSAL_INPUT_GUARDS": (1, "PROPOSAL_INVALID_TRADE_INPUT")}


def test_what_has_no_price_or_no_shelf_entry_is_noted_and_skipped() -> None:
    document = proposal(cash={"SGD": 100}, shelf={"NP": {}}, trades=[("BUY", "NP", 1), ("BUY", "NS", 1)])
    result = simulate(document)
    assert result.diagnostics.data_quality.price_missing == ("NP",)
    assert result.diagnostics.data_quality.shelf_missing == ("NS",)
    assert failures(result) == {"DATA_QUALITY": (2, "MISSING_DATA")}


@pytest.mark.parametrize("price", ["0", "-3"])
def test_a_price_that_is_not_positive_is_missing(price: str) -> None:
    result = simulate(proposal(cash={"SGD": 9}, prices={"SG": (price, "SGD")}, trades=[("BUY", "SG", ("5", "SGD"))]))
    assert failures(result) == {"DATA_QUALITY": (1, "MISSING_DATA")}


def test_selling_more_than_is_held_blocks() -> None:
    result = simulate(proposal(held={"SG": 1}, cash={"SGD": 0}, prices=SG, trades=[("SELL", "SG", 3)]))
    assert result.status == "BLOCKED"
    assert failures(result)["NO_SHORTING"] == (D(-2), "SELL_EXCEEDS_HOLDINGS")


def test_a_trusted_snapshot_does_not_fail_its_own_reconciliation() -> None:
    document = proposal(cash={"SGD": 100}, held={"SG": 10}, prices=SG, trades=[("SELL", "SG", 1)])
    document["portfolio_snapshot"]["positions"][0]["market_value"] = {"amount": "150", "currency": "SGD"}
    document["options"]["valuation_mode"] = "TRUST_SNAPSHOT"
    result = simulate(document)
    assert (result.status, result.reconciliation.status) == ("READY", "OK")
    strict = simulate({**document, "options": {**document["options"], "strict_reference": True}})
    assert failures(strict) == {"RECONCILIATION": (D(50), "VALUE_MISMATCH")}
