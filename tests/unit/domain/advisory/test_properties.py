"""What holds for every proposal, not only the published ones."""

from __future__ import annotations

import random
from decimal import Decimal, localcontext
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lotus_web.domain.advisory.funding import to_minor_unit
from lotus_web.domain.advisory.result import ManualTrade
from tests.unit.domain.advisory.bodies import D, cash_after, exchanges_of, failures, proposal, simulate

NAMES = ["A", "B", "C", "D"]
CURRENCIES = ["SGD", "USD", "JPY"]
MANY = settings(max_examples=200)
amounts = st.decimals("0", "100000", places=2)
statuses = st.sampled_from(["APPROVED"] * 5 + ["SELL_ONLY", "RESTRICTED", "BANNED", "SUSPENDED"])


@st.composite
def proposals(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a priced, convertible portfolio of consistent rates with up to six trades and three cash flows."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    prices = {name: (draw(st.decimals("0.01", "500", places=3)), draw(st.sampled_from(CURRENCIES))) for name in names}

    def size(name: str) -> Any:
        if draw(st.booleans()):
            return str(draw(st.decimals("0.01", "200", places=2)))
        return str(draw(st.decimals("1", "5000", places=2))), prices[name][1]

    traded = draw(st.lists(st.sampled_from(names), max_size=6))
    return proposal(
        cash={currency: draw(amounts) for currency in CURRENCIES if draw(st.booleans())},
        held={name: draw(st.integers(0, 500)) for name in names if draw(st.booleans())},
        prices=prices,
        fx={"USD/SGD": draw(st.decimals("0.5", "2", places=3)), "SGD/JPY": draw(st.decimals("50", "200", places=2))},
        shelf={name: {"status": draw(statuses)} for name in names},
        flows=[
            (draw(st.sampled_from(CURRENCIES)), str(draw(st.decimals("-5000", "5000", places=2))))
            for _ in range(draw(st.integers(0, 3)))
        ],
        trades=[(draw(st.sampled_from(["BUY", "SELL"])), name, size(name)) for name in traded],
        auto_funding=draw(st.booleans()),
        fx_funding_source_currency=draw(st.sampled_from(["ANY_CASH", "BASE_ONLY"])),
        suitability_thresholds={},
    )


@MANY
@given(proposals())
def test_value_is_kept_but_for_what_is_paid_in_and_rounded(document: dict[str, Any]) -> None:
    result = simulate(document)
    assert "RECONCILIATION" not in failures(result)
    exchanges = exchanges_of(result)
    paid_in = result.reconciliation.delta.amount
    rates = {"SGD": D(1), "USD": D(str(document["market_data_snapshot"]["fx_rates"][0]["rate"]))}
    rates["JPY"] = 1 / D(str(document["market_data_snapshot"]["fx_rates"][1]["rate"]))
    expected = sum((D(row["amount"]) * rates[row["currency"]] for row in document["proposed_cash_flows"]), D(0))
    # An exchange moves whole minor units: at most one of either currency is lost or won.
    slack = sum((rates[bought] + rates[sold] for bought, _, sold, _ in exchanges), D(0)) + D("0.000001")
    assert abs(paid_in - expected) <= slack


@MANY
@given(proposals())
def test_a_ready_proposal_is_never_short_and_never_overdrawn(document: dict[str, Any]) -> None:
    result = simulate(document)
    if result.status == "BLOCKED":
        return
    assert min(cash_after(result).values(), default=D(0)) >= 0
    assert min((row.quantity for row in result.after_simulated.positions), default=D(0)) >= 0


@MANY
@given(proposals())
def test_an_exchange_covers_what_it_pays_for_to_the_minor_unit(document: dict[str, Any]) -> None:
    result = simulate(document)
    bought = {currency: amount for currency, amount, _, _ in exchanges_of(result)}
    assert len(bought) == len(exchanges_of(result))
    for row in result.diagnostics.funding_plan:
        if row.fx_pair is None:
            continue
        spent = sum(
            (
                trade.notional.amount
                for trade in result.intents
                if isinstance(trade, ManualTrade)
                and trade.side == "BUY"
                and trade.notional.currency == row.target_currency
            ),
            D(0),
        )
        unit = to_minor_unit(D(1), row.target_currency).as_tuple().exponent
        assert isinstance(unit, int)
        left = cash_after(result)[row.target_currency]
        assert spent > 0
        if all(sold != row.target_currency for _, _, sold, _ in exchanges_of(result)):
            assert 0 <= left < Decimal(1).scaleb(unit)


@MANY
@given(proposals(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_trades_does_not_change_the_outcome(
    document: dict[str, Any], shuffler: random.Random
) -> None:
    if len({row["instrument_id"] for row in document["proposed_trades"]}) < len(document["proposed_trades"]):
        return
    shuffled = {**document, "proposed_trades": [*document["proposed_trades"]]}
    shuffler.shuffle(shuffled["proposed_trades"])
    market = document["market_data_snapshot"]
    shuffled["market_data_snapshot"] = {
        **market,
        "prices": market["prices"][::-1],
        "fx_rates": market["fx_rates"][::-1],
    }
    shuffled["shelf_entries"] = document["shelf_entries"][::-1]
    one, two = simulate(document), simulate(shuffled)
    assert (one.status, one.after_simulated, one.suitability) == (two.status, two.after_simulated, two.suitability)
    assert exchanges_of(one) == exchanges_of(two)
    assert one.diagnostics.funding_plan == two.diagnostics.funding_plan


@MANY
@given(proposals())
def test_the_thread_s_own_decimal_settings_change_nothing(document: dict[str, Any]) -> None:
    with localcontext() as context:
        context.prec = 6
        narrow = simulate(document)
    assert narrow == simulate(document)


@MANY
@given(proposals())
def test_a_proposal_that_is_not_ready_says_why(document: dict[str, Any]) -> None:
    result = simulate(document)
    assert bool(failures(result)) is (result.status != "READY")
    assert result.gate_decision is not None
    assert (result.gate_decision.gate == "BLOCKED") is (result.status == "BLOCKED")
    if result.gate_decision.gate not in ("CLIENT_CONSENT_REQUIRED", "EXECUTION_READY"):
        assert result.gate_decision.reasons
