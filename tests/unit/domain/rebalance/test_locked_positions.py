"""What the shelf has frozen is never traded, whatever the caps say (delta 24)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.domain.rebalance.bodies import failed_rules, run_of, tags_of, trades_of, weights_of

D = Decimal
FROZEN: dict[str, Any] = {
    "cash": {"SGD": 4000},
    "held": {"ICE": 60},
    "prices": {"ICE": 100, "NEW": 100},
    "model": {"NEW": ".3"},
}


@pytest.mark.parametrize("shelf", [{"ICE": "BANNED"}, {"ICE": "SUSPENDED"}, {"ICE": "RESTRICTED"}, {"ICE": None}])
def test_a_single_position_cap_makes_no_order_on_a_locked_position(shelf: dict[str, Any]) -> None:
    result = run_of(**FROZEN, shelf=shelf, single_position_max_weight=".5")
    assert trades_of(result) == [("BUY", "NEW", D(30))]
    assert weights_of(result)["ICE"] == D(".6")
    assert tags_of(result)["ICE"] == {"LOCKED_POSITION"}


def test_a_locked_position_above_the_cap_is_reported_by_the_rule() -> None:
    result = run_of(**FROZEN, shelf={"ICE": "BANNED"}, single_position_max_weight=".5")
    assert failed_rules(result) == {"SINGLE_POSITION_MAX": D(".6")}


def test_the_reference_sells_a_locked_position_to_its_cap() -> None:
    result = run_of(**FROZEN, shelf={"ICE": "BANNED"}, single_position_max_weight=".5", strict_reference=True)
    assert ("SELL", "ICE", D(10)) in trades_of(result)


def test_the_weight_above_the_cap_of_a_locked_position_is_not_handed_out() -> None:
    capped = run_of(**FROZEN, shelf={"ICE": "BANNED"}, single_position_max_weight=".5")
    assert weights_of(capped)["NEW"] == D(".3")


GROUP = {"attributes": {"sector": "TECH"}}


def test_a_group_cap_shrinks_only_the_members_that_can_move() -> None:
    result = run_of(
        cash={"SGD": 7000},
        held={"ICE": 30},
        prices={"ICE": 100, "TECH": 100, "BOND": 100},
        model={"TECH": ".3", "BOND": ".4"},
        shelf={"ICE": {"status": "SUSPENDED", **GROUP}, "TECH": GROUP},
        group_constraints={"sector:TECH": {"max_weight": ".4"}},
    )
    assert trades_of(result) == [("BUY", "TECH", D(10)), ("BUY", "BOND", D(60))]
    (event,) = result.diagnostics.group_constraint_events
    assert (event.group_weight_before, event.released_weight) == (D(".6"), D(".2"))
    assert result.status == "READY"


def test_a_group_whose_locked_members_alone_exceed_the_cap_asks_for_a_review() -> None:
    result = run_of(
        cash={"SGD": 4000},
        held={"ICE": 60},
        prices={"ICE": 100, "BOND": 100},
        model={"BOND": ".4"},
        shelf={"ICE": {"status": "BANNED", **GROUP}},
        group_constraints={"sector:TECH": {"max_weight": ".4"}},
    )
    assert trades_of(result) == [("BUY", "BOND", D(40))]
    assert result.status == "PENDING_REVIEW"
    assert result.diagnostics.warnings == ("INFEASIBILITY_HINT_LOCKED_GROUP_WEIGHT_sector:TECH",)


def test_a_locked_model_row_is_not_called_capped() -> None:
    result = run_of(
        cash={"SGD": 9000}, held={"ICE": 10}, prices={"ICE": 100}, model={"ICE": ".5"}, shelf={"ICE": "BANNED"}
    )
    assert tags_of(result)["ICE"] == {"LOCKED_POSITION"}
    assert trades_of(result) == []


def test_a_locked_position_is_never_listed_as_a_suppressed_order() -> None:
    result = run_of(**FROZEN, shelf={"ICE": "BANNED"}, min_trade_notional={"amount": 10, "currency": "SGD"})
    assert result.diagnostics.suppressed_intents == ()


def test_allowing_restricted_instruments_makes_a_restricted_target_buyable() -> None:
    result = run_of(
        cash={"SGD": 1000}, prices={"R": 10}, model={"R": 1}, shelf={"R": "RESTRICTED"}, allow_restricted=True
    )
    assert trades_of(result) == [("BUY", "R", D(100))]
