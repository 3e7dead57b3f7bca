"""Whatever the numbers, a simulation answers: it never raises and its documents are JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lotus_web.domain.advisory.funding import to_minor_unit
from lotus_web.wire.proposals.artifact import artifact_hash, proposal_artifact
from lotus_web.wire.proposals.request import SimulateRequestBody
from tests.unit.domain.advisory.bodies import D, cash_after, exchanges_of, proposal, simulate

NAMES = ["A", "B", "C"]
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SIZES = ["1", "0.5", "1e30", "1e-30", "9" * 30, "3.3333333333333333333333333333333333333", "7e-9", "1e27"]
sizes = st.sampled_from(SIZES)
wild = st.sampled_from([*SIZES, "0", "-0", "-1", "-1e30"])
currencies = st.sampled_from(["SGD", "USD", "JPY"])
statuses = st.sampled_from(["APPROVED", "APPROVED", "APPROVED", "SELL_ONLY", "BANNED", "RESTRICTED"])


@st.composite
def extremes(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a proposal of numbers at the ends of what a request may hold, with anything missing."""
    trade = st.tuples(
        st.sampled_from(["BUY", "SELL"]),
        st.sampled_from([*NAMES, "OFF"]),
        st.one_of(sizes, st.tuples(sizes, currencies)),
    )
    weights = st.dictionaries(st.sampled_from([*NAMES, "CASH"]), wild)
    model = {
        "model_id": "m",
        "as_of": "d",
        "base_currency": draw(currencies),
        "asset_class_targets": [{"asset_class": name, "weight": size} for name, size in draw(weights).items()],
        "instrument_targets": [{"instrument_id": name, "weight": size} for name, size in draw(weights).items()],
    }
    document = proposal(
        cash=draw(st.dictionaries(currencies, wild)),
        held=draw(st.dictionaries(st.sampled_from(NAMES), wild)),
        prices=draw(st.dictionaries(st.sampled_from(NAMES), st.tuples(wild, currencies))),
        fx=draw(st.dictionaries(st.sampled_from(["USD/SGD", "SGD/JPY", "JPY/USD", "USD/JPY"]), wild)),
        shelf={name: {"status": draw(statuses)} for name in NAMES},
        flows=draw(st.lists(st.tuples(currencies, wild), max_size=3)),
        trades=draw(st.lists(trade, max_size=5)),
        model=model,
        suitability_thresholds={},
        valuation_mode=draw(st.sampled_from(["CALCULATED", "TRUST_SNAPSHOT"])),
        **{
            name: draw(st.booleans())
            for name in ("strict_reference", "block_on_missing_prices", "block_on_missing_fx", "auto_funding")
        },
    )
    if draw(st.booleans()):
        for row in document["portfolio_snapshot"]["positions"]:
            row["market_value"] = {"amount": draw(wild), "currency": draw(currencies)}
    return document


@settings(max_examples=60)
@given(extremes())
def test_extreme_numbers_give_an_answer(document: dict[str, Any]) -> None:
    result = simulate(document)
    artifact = proposal_artifact(result, SimulateRequestBody.model_validate(document), created_at=NOON)
    read = json.loads(json.dumps(artifact))
    assert read["status"] == result.status
    assert artifact_hash(read) == artifact["artifact_hash"]
    if result.status != "BLOCKED":
        assert min(cash_after(result).values(), default=D(0)) >= 0
        assert min((row.quantity for row in result.after_simulated.positions), default=D(0)) >= 0


def test_an_amount_of_more_digits_than_the_engine_reckons_with_is_still_rounded_to_its_minor_unit() -> None:
    assert str(to_minor_unit(D("1e30"), "USD")) == "1" + "0" * 30 + ".00"
    document = proposal(
        cash={"SGD": "1"}, prices={"US": ("1", "USD")}, fx={"USD/SGD": "2"}, trades=[("BUY", "US", "1e30")]
    )
    result = simulate(document)
    assert (result.status, exchanges_of(result)) == ("BLOCKED", [])
    assert result.diagnostics.insufficient_cash[0].deficit == 2 * D("1e30")
