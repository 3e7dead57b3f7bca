"""What holds for every proposal, also where prices, rates or shelf entries are missing (deltas 28 and 47)."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lotus_web.domain.advisory.result import CashFlow, ManualTrade, ProposalResult
from tests.unit.domain.advisory.bodies import D, cash_after, exchanges_of, failures, proposal, simulate
from tests.unit.domain.advisory.drawn import rough_proposals

SOME = settings(max_examples=40)
CONSENT = ("CLIENT_CONSENT_REQUIRED", "EXECUTION_READY")
# Lists whose order is that of the request's rows.
BY_ROW = ("cash_balances", "positions", "allocation_by_asset_class", "allocation_by_instrument")


@SOME
@given(rough_proposals())
def test_what_is_not_blocked_leaves_nothing_below_zero(document: dict[str, Any]) -> None:
    result = simulate(document)
    lowest = min(
        [*cash_after(result).values(), *(row.quantity for row in result.after_simulated.positions)], default=D(0)
    )
    assert lowest >= 0 or result.status == "BLOCKED"


@SOME
@given(rough_proposals())
def test_status_rules_and_gate_say_the_same(document: dict[str, Any]) -> None:
    result = simulate(document)
    failing = {row.severity.value for row in result.rule_results if row.status == "FAIL"}
    expected = "BLOCKED" if "HARD" in failing else "PENDING_REVIEW" if "SOFT" in failing else "READY"
    assert result.status == expected
    gate = result.gate_decision
    assert gate is not None
    assert (gate.gate == "BLOCKED") is (result.status == "BLOCKED")
    assert gate.gate not in CONSENT or result.status == "READY"
    named = {row.reason_code.partition(":")[2] for row in gate.reasons if row.source == "RULE_ENGINE"}
    assert named == failures(result).keys()
    assert gate.gate in CONSENT or gate.reasons
    assert gate.summary.hard_fail_count + gate.summary.soft_fail_count == sum(
        row.status == "FAIL" for row in result.rule_results
    )


@SOME
@given(rough_proposals())
def test_what_is_missing_is_named_once(document: dict[str, Any]) -> None:
    result = simulate(document)
    noted = result.diagnostics
    quality = noted.data_quality
    for names in (quality.price_missing, quality.fx_missing, quality.shelf_missing, noted.missing_fx_pairs):
        assert len(names) == len(set(names))
    assert len({row.target_currency for row in noted.funding_plan}) == len(noted.funding_plan)
    assert set(noted.missing_fx_pairs) <= set(quality.fx_missing)
    options = document["options"]
    counted = len(quality.shelf_missing)
    counted += len(quality.price_missing) if options["block_on_missing_prices"] else 0
    counted += len(quality.fx_missing) if options["block_on_missing_fx"] else 0
    assert failures(result).get("DATA_QUALITY", (0, ""))[0] == counted


@SOME
@given(rough_proposals(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_the_order_of_rows_alone(document: dict[str, Any], shuffler: random.Random) -> None:
    shuffled = {**document, "shelf_entries": _shuffled(document["shelf_entries"], shuffler)}
    for part in ("portfolio_snapshot", "market_data_snapshot"):
        shuffled[part] = {
            name: _shuffled(value, shuffler) if isinstance(value, list) else value
            for name, value in document[part].items()
        }
    assert _unordered(simulate(shuffled)) == _unordered(simulate(document))


def test_a_sum_has_the_same_last_digit_in_any_order() -> None:
    quotes = {"A": ("1.404", "JPY"), "B": ("185.661", "SGD"), "C": ("1.555", "SGD"), "D": ("0.412", "JPY")}
    document = proposal(held={"A": 13, "B": 38, "C": 18, "D": 11}, prices=quotes, fx={"SGD/JPY": "0.5822"})
    expected = simulate(document).before.allocation_by_asset_class
    for rows in itertools.permutations(document["portfolio_snapshot"]["positions"]):
        portfolio = {**document["portfolio_snapshot"], "positions": list(rows)}
        assert simulate({**document, "portfolio_snapshot": portfolio}).before.allocation_by_asset_class == expected


@SOME
@given(rough_proposals(), st.randoms(use_true_random=False))
def test_the_order_of_trades_names_the_intents_and_changes_nothing_else(
    document: dict[str, Any], shuffler: random.Random
) -> None:
    shuffled = {**document, "proposed_trades": _shuffled(document["proposed_trades"], shuffler)}
    one, two = simulate(document), simulate(shuffled)
    assert exchanges_of(one) == exchanges_of(two)
    assert (one.status, failures(one).keys()) == (two.status, failures(two).keys())
    assert one.diagnostics.funding_plan == two.diagnostics.funding_plan
    assert one.diagnostics.insufficient_cash == two.diagnostics.insufficient_cash
    assert cash_after(one) == cash_after(two)
    assert one.after_simulated.total_value == two.after_simulated.total_value
    assert sorted(_anonymous(one)) == sorted(_anonymous(two))


def _anonymous(result: ProposalResult) -> Iterable[str]:
    """Yield each trade without its number."""
    return (repr(replace(row, intent_id="")) for row in result.intents if isinstance(row, ManualTrade))


@SOME
@given(rough_proposals(), st.randoms(use_true_random=False))
def test_the_order_of_cash_flows_matters_to_a_balance_in_between_alone(
    document: dict[str, Any], shuffler: random.Random
) -> None:
    document["options"]["proposal_block_negative_cash"] = False
    shuffled = {**document, "proposed_cash_flows": _shuffled(document["proposed_cash_flows"], shuffler)}
    one, two = simulate(document), simulate(shuffled)
    assert _unordered(replace(one, intents=())) == _unordered(replace(two, intents=()))
    assert [row for row in one.intents if not isinstance(row, CashFlow)] == [
        row for row in two.intents if not isinstance(row, CashFlow)
    ]


def test_a_withdrawal_before_the_deposit_that_covers_it_blocks() -> None:
    flows = [("SGD", -50), ("SGD", 80)]
    assert simulate(proposal(flows=flows)).status == "BLOCKED"
    assert simulate(proposal(flows=flows[::-1])).status == "READY"


def _shuffled(rows: list[Any], shuffler: random.Random) -> list[Any]:
    return shuffler.sample(rows, len(rows))


def _unordered(result: ProposalResult) -> dict[str, Any]:
    """Return a result with what follows the order of the request's rows put in one order."""
    found = asdict(result)
    for state in (found["before"], found["after_simulated"]):
        for name in BY_ROW:
            state[name] = sorted(map(repr, state[name]))
        state["allocation_by_attribute"] = {
            name: sorted(map(repr, rows)) for name, rows in state["allocation_by_attribute"].items()
        }
    found["diagnostics"]["data_quality"] = {
        name: sorted(names) for name, names in found["diagnostics"]["data_quality"].items()
    }
    # One result for each holding beyond its limit.
    found["rule_results"] = sorted(map(repr, found["rule_results"]))
    return found
