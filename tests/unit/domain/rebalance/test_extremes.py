"""Whatever the numbers, a run answers: it never raises and its document is JSON."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lotus_web.wire.rebalance.result import RESULT
from tests.unit.domain.rebalance.bodies import body, run

NAMES = ["A", "B", "C"]
wild = st.sampled_from(
    ["0", "-0", "1", "-1", "0.5", "1e30", "-1e30", "1e-30", "9" * 30, "3.3333333333333333333333333333333333333", "7e-9"]
)
money = st.fixed_dictionaries({"amount": wild, "currency": st.sampled_from(["SGD", "USD"])})
statuses = st.sampled_from(["APPROVED", "APPROVED", "SELL_ONLY", "BANNED", "RESTRICTED"])


@st.composite
def extremes(draw: st.DrawFn) -> dict[str, Any]:
    holding = st.fixed_dictionaries({"quantity": wild}, optional={"market_value": money})
    options: dict[str, Any] = {
        name: draw(wild)
        for name in ("fx_buffer_pct", "min_cash_buffer_pct", "cash_band_min_weight", "single_position_max_weight")
        if draw(st.booleans())
    }
    return body(
        cash=draw(st.dictionaries(st.sampled_from(["SGD", "USD", "EUR"]), wild)),
        held=draw(st.dictionaries(st.sampled_from(NAMES), holding)),
        prices=draw(st.dictionaries(st.sampled_from(NAMES), st.tuples(wild, st.sampled_from(["SGD", "USD"])))),
        fx=draw(st.dictionaries(st.sampled_from(["USD/SGD", "SGD/EUR"]), wild)),
        model=draw(st.dictionaries(st.sampled_from(NAMES), wild)),
        shelf={name: {"status": draw(statuses), "attributes": {"sector": "TECH"}} for name in NAMES},
        group_constraints={"sector:TECH": {"max_weight": ".5"}} if draw(st.booleans()) else {},
        target_method=draw(st.sampled_from(["HEURISTIC", "HEURISTIC", "SOLVER"])),
        valuation_mode=draw(st.sampled_from(["CALCULATED", "TRUST_SNAPSHOT"])),
        strict_reference=draw(st.booleans()),
        block_on_missing_prices=draw(st.booleans()),
        block_on_missing_fx=draw(st.booleans()),
        enable_settlement_awareness=draw(st.booleans()),
        enable_tax_awareness=draw(st.booleans()),
        **options,
    )


@settings(max_examples=300)
@given(extremes())
def test_extreme_numbers_give_an_answer(document: dict[str, Any]) -> None:
    result = run(document)
    assert json.loads(json.dumps(RESULT.document(result)))["status"] == result.status


def test_weights_without_bound_still_have_four_places() -> None:
    result = run(body(cash={"SGD": "-1e30"}, held={"A": "1e30"}, prices={"A": "1.0000000000000000000000000000"}))
    document = RESULT.document(result)
    assert document["before"]["total_value"]["amount"].startswith("0")
    assert document["before"]["positions"][0]["weight"] == f"{10**30}.0000"


def test_rows_given_twice_still_give_an_answer_to_a_strict_reader() -> None:
    document = body(cash={"SGD": 100}, held={"A": 10}, prices={"A": 10}, model={"A": ".5"}, strict_reference=True)
    document["portfolio_snapshot"]["cash_balances"] *= 2
    document["portfolio_snapshot"]["positions"] *= 2
    document["model_portfolio"]["targets"] *= 2
    result = run(document)
    assert result.before.total_value.amount == 400
    assert len(result.target.targets) == 2
