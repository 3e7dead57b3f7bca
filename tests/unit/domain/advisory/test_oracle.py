"""The engine comes to what a second, exact reading of the contract comes to."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import event, given, settings

from tests.unit.domain.advisory.bodies import cash_after, exchanges_of, failures, simulate
from tests.unit.domain.advisory.drawn import rough_proposals
from tests.unit.domain.advisory.oracle import expected

# What 28 digits leave of the amounts drawn here.
NOTHING = Fraction(1, 10**18)


def near(number: Decimal, exact: Fraction) -> bool:
    return abs(Fraction(number) - exact) <= NOTHING


@settings(max_examples=50)
@given(rough_proposals())
def test_a_proposal_comes_to_what_the_contract_says(document: dict[str, Any]) -> None:
    result, exact = simulate(document), expected(document)
    event(f"{result.status}, {len(exact.exchanges)} exchanges")
    exchanges = [(a, Fraction(b), c, Fraction(d)) for a, b, c, d in exchanges_of(result)]
    assert exchanges == exact.exchanges
    assert near(result.before.total_value.amount, exact.before)
    assert near(result.after_simulated.total_value.amount, exact.after)
    cash = cash_after(result)
    assert cash.keys() == exact.cash.keys()
    assert all(near(cash[currency], amount) for currency, amount in exact.cash.items())
    units = {row.instrument_id: row.quantity for row in result.after_simulated.positions}
    assert units.keys() == exact.units.keys()
    assert all(near(units[name], quantity) for name, quantity in exact.units.items())
    assert set(result.diagnostics.missing_fx_pairs) == exact.missing
    guards = failures(result).get("PROPOSAL_INPUT_GUARDS")
    assert (guards[0] if guards else 0) == exact.blocked
    assert ("PROPOSAL_FUNDING_DQ" in failures(result)) is exact.pending
