"""Purchases are paid for by one exchange per currency, from one balance (proposals-api §5.2, deltas 25, 28 and 35)."""

from __future__ import annotations

from typing import Any

import pytest

from lotus_web.domain.advisory.funding import to_minor_unit
from lotus_web.domain.advisory.result import FundingPlanRow, InsufficientCash, ManualTrade
from tests.unit.domain.advisory.bodies import D, cash_after, exchanges_of, failures, proposal, simulate, trades_of

US = {"US": ("100", "USD")}
RATE = {"USD/SGD": "1.35"}


def check_case(quantity: int, **options: Any) -> dict[str, Any]:
    """The published check case: 1000 SGD and 10 SB at 100 SGD, buying US at 100 USD."""
    return proposal(
        cash={"SGD": "1000"},
        held={"SB": 10},
        prices={"SB": ("100", "SGD"), **US},
        fx=RATE,
        trades=[("BUY", "US", quantity)],
        **options,
    )


def test_the_published_check_case_to_the_cent() -> None:
    result = simulate(check_case(2))
    assert exchanges_of(result) == [("USD", D("200.00"), "SGD", D("270.00"))]
    assert [str(row[1]) for row in exchanges_of(result)] == ["200.00"]
    (purchase,) = [row for row in result.intents if isinstance(row, ManualTrade)]
    assert purchase.dependencies == ("oi_fx_1",)
    assert cash_after(result) == {"SGD": D("730.00"), "USD": D("0.00")}
    assert result.status == "READY"
    assert result.gate_decision is not None
    assert (result.gate_decision.gate, result.gate_decision.recommended_next_step) == (
        "CLIENT_CONSENT_REQUIRED",
        "REQUEST_CLIENT_CONSENT",
    )


def test_a_purchase_beyond_all_cash_names_the_deficit() -> None:
    result = simulate(check_case(50))
    assert result.status == "BLOCKED"
    assert result.diagnostics.insufficient_cash == (InsufficientCash("SGD", D("5750.00")),)
    assert failures(result) == {"PROPOSAL_INPUT_GUARDS": (1, "PROPOSAL_INSUFFICIENT_FUNDING_CASH")}
    assert trades_of(result) == []
    assert result.diagnostics.warnings == ("PROPOSAL_INSUFFICIENT_FUNDING_CASH", "PROPOSAL_BUY_SKIPPED_UNFUNDED")


def test_without_auto_funding_the_balance_goes_below_zero_and_blocks() -> None:
    result = simulate(check_case(2, auto_funding=False))
    assert failures(result) == {"INSUFFICIENT_CASH": (D(-200), "CASH_BALANCE_NEGATIVE")}
    assert result.diagnostics.funding_plan == ()


def test_the_plan_names_what_each_currency_needs() -> None:
    document = proposal(
        cash={"SGD": 5000, "USD": 50},
        prices={**US, "SG": ("10", "SGD")},
        fx=RATE,
        trades=[("BUY", "US", 2), ("BUY", "SG", 1)],
    )
    assert simulate(document).diagnostics.funding_plan == (
        FundingPlanRow("SGD", D(10), D(5000), D(0)),
        FundingPlanRow("USD", D(200), D(50), D(150), "USD/SGD", "SGD"),
    )


def test_another_balance_pays_where_the_base_currency_cannot() -> None:
    cash, fx = {"SGD": 10, "EUR": 500}, {**RATE, "USD/EUR": "0.9"}
    document = proposal(cash=cash, prices=US, fx={**fx, "EUR/SGD": "1.5"}, trades=[("BUY", "US", 2)])
    assert exchanges_of(simulate(document)) == [("USD", D(200), "EUR", D(180))]
    base_only = simulate({**document, "options": {**document["options"], "fx_funding_source_currency": "BASE_ONLY"}})
    assert base_only.diagnostics.insufficient_cash == (InsufficientCash("SGD", D("260.00")),)


def test_the_nearest_balance_is_the_one_named() -> None:
    fx = {**RATE, "USD/EUR": "0.9", "EUR/SGD": "1.5"}
    document = proposal(cash={"SGD": 10, "EUR": 170}, prices=US, fx=fx, trades=[("BUY", "US", 2)])
    assert simulate(document).diagnostics.insufficient_cash == (InsufficientCash("EUR", D("10.00")),)


def test_a_purchase_in_the_base_currency_alone_has_no_balance_to_name() -> None:
    document = proposal(cash={"SGD": 5}, prices={"SG": ("10", "SGD")}, trades=[("BUY", "SG", 1)])
    result = simulate(document)
    assert result.diagnostics.insufficient_cash == ()
    assert failures(result) == {"PROPOSAL_INPUT_GUARDS": (1, "PROPOSAL_INSUFFICIENT_FUNDING_CASH")}


@pytest.mark.parametrize(
    ("strict", "bought", "status"), [(False, "33.34", "READY"), (True, "33.33", "BLOCKED")], ids=["ours", "reference"]
)
def test_the_purchase_of_currency_is_rounded_up(strict: bool, bought: str, status: str) -> None:
    document = proposal(
        cash={"SGD": 1000},
        prices={"US": ("33.334", "USD")},
        fx=RATE,
        trades=[("BUY", "US", 1)],
        strict_reference=strict,
    )
    result = simulate(document)
    assert (exchanges_of(result)[0][1], result.status) == (D(bought), status)
    assert ("INSUFFICIENT_CASH" in failures(result)) is strict


@pytest.mark.parametrize(
    ("currency", "amount", "rounded"),
    [("JPY", "10.5", "10"), ("KRW", "11.5", "12"), ("BHD", "1.0005", "1.000"), ("USD", "1.005", "1.00")],
)
def test_minor_units_are_rounded_half_even(currency: str, amount: str, rounded: str) -> None:
    assert str(to_minor_unit(D(amount), currency)) == rounded


def test_a_missing_rate_that_does_not_block_leaves_the_proposal_pending() -> None:
    document = proposal(cash={"SGD": 1000}, prices=US, trades=[("BUY", "US", 1)], block_on_missing_fx=False)
    result = simulate(document)
    assert result.status == "PENDING_REVIEW"
    assert failures(result) == {"PROPOSAL_FUNDING_DQ": (1, "MISSING_FX_FOR_FUNDING")}
    assert "PROPOSAL_MISSING_FX_NON_BLOCKING" in result.diagnostics.warnings


def test_a_shortage_is_not_called_a_missing_rate_of_another_currency() -> None:
    document = proposal(
        cash={"SGD": 1},
        prices={"EU": ("10", "EUR"), **US},
        fx=RATE,
        trades=[("BUY", "EU", 1), ("BUY", "US", 1)],
    )
    result = simulate(document)
    assert result.diagnostics.warnings[:2] == ("PROPOSAL_MISSING_FX_FOR_FUNDING", "PROPOSAL_INSUFFICIENT_FUNDING_CASH")
    strict = simulate({**document, "options": {**document["options"], "strict_reference": True}})
    assert strict.diagnostics.warnings[:2] == ("PROPOSAL_MISSING_FX_FOR_FUNDING",) * 2


def test_a_buy_waits_for_the_last_sell_of_its_currency_where_asked() -> None:
    document = proposal(
        cash={"SGD": 0},
        held={"A": 10, "B": 10},
        prices={"A": ("10", "SGD"), "B": ("10", "SGD"), "C": ("10", "SGD")},
        trades=[("SELL", "B", 1), ("SELL", "A", 1), ("BUY", "C", 2)],
    )
    assert simulate(document).intents[-1].dependencies == ()  # type: ignore[union-attr]
    options = {**document["options"], "link_buy_to_same_currency_sell_dependency": True}
    assert simulate({**document, "options": options}).intents[-1].dependencies == ("oi_1",)  # type: ignore[union-attr]
