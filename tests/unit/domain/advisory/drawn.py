"""Proposals drawn at random with anything missing: prices, rates, shelf entries, cash and holdings."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.unit.domain.advisory.bodies import proposal

NAMES = ["A", "B", "C", "D", "E"]
CURRENCIES = ["SGD", "USD", "JPY", "KWD"]
PAIRS = ["USD/SGD", "SGD/JPY", "KWD/SGD", "USD/JPY", "JPY/USD", "KWD/USD"]
statuses = st.sampled_from(["APPROVED"] * 5 + ["SELL_ONLY", "RESTRICTED", "BANNED", "SUSPENDED"])
amounts = st.decimals("0", "20000", places=2).map(str)
flows = st.tuples(st.sampled_from(CURRENCIES), st.decimals("-3000", "9000", places=2).map(str))
quantities = st.decimals("0.001", "90", places=3).map(str)
notionals = st.tuples(st.decimals("0.001", "6000", places=3).map(str), st.sampled_from(CURRENCIES))
quotes = st.tuples(st.decimals("0", "400", places=3).map(str), st.sampled_from(CURRENCIES))
rates = st.decimals("0.004", "140", places=4).map(str)
trades = st.tuples(
    st.sampled_from(["BUY", "BUY", "SELL"]),
    st.sampled_from([*NAMES, "OFF_SHELF"]),
    st.one_of(quantities, quantities, notionals),
)
entries = st.fixed_dictionaries(
    {
        "status": statuses,
        "asset_class": st.sampled_from(["EQUITY", "BOND", "CASH"]),
        "attributes": st.sampled_from([{}, {"region": "ASIA"}, {"region": "EUROPE", "sector": "TECH"}]),
    }
)
shelves = st.fixed_dictionaries(dict.fromkeys(NAMES, entries))
flags = st.fixed_dictionaries(
    {
        "auto_funding": st.sampled_from([True, True, True, False]),
        "fx_funding_source_currency": st.sampled_from(["ANY_CASH", "ANY_CASH", "BASE_ONLY"]),
        "allow_restricted": st.booleans(),
        "block_on_missing_prices": st.booleans(),
        "block_on_missing_fx": st.booleans(),
        "suitability_thresholds": st.just({}),
    }
)


@st.composite
def rough_proposals(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a proposal whose data may be incomplete and whose rates need not be consistent."""
    return proposal(
        cash=draw(st.dictionaries(st.sampled_from(CURRENCIES), amounts)),
        held=draw(st.dictionaries(st.sampled_from(NAMES), st.integers(0, 60))),
        prices=draw(st.dictionaries(st.sampled_from(NAMES), quotes, min_size=2)),
        fx=draw(st.dictionaries(st.sampled_from(PAIRS), rates, min_size=1)),
        shelf=draw(shelves),
        flows=draw(st.lists(flows, max_size=3)),
        trades=draw(st.lists(trades, min_size=1, max_size=6)),
        **draw(flags),
    )
