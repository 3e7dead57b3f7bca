"""How wanted weights become final ones, and what the trace says of it."""

from __future__ import annotations

from typing import Any

from tests.unit.domain.rebalance.bodies import D, run_of, tags_of, trades_of, weights_of

SECTORS: dict[str, Any] = {
    "cash": {"SGD": 10000},
    "prices": {"T1": 1, "T2": 1, "B1": 1, "B2": 1},
    "shelf": {
        "T1": {"attributes": {"sector": "TECH"}},
        "T2": {"attributes": {"sector": "TECH"}},
        "B1": {"attributes": {"sector": "BANK"}},
        "B2": {"attributes": {"sector": "BANK"}},
    },
}


def test_cap_redistribution_leaves_a_residue_and_asks_for_a_review() -> None:
    result = run_of(
        cash={"SGD": 10000},
        prices={"A": 1, "B": 1, "C": 1},
        model={"A": ".6", "B": ".2", "C": ".2"},
        single_position_max_weight=".5",
    )
    assert weights_of(result) == {"A": D(".5"), "B": D(".25"), "C": D(".225")}
    assert result.status == "PENDING_REVIEW"


def test_a_model_above_one_is_scaled_and_asks_for_a_review() -> None:
    result = run_of(cash={"SGD": 10000}, prices={"A": 1, "B": 1}, model={"A": "1.5", "B": ".5"})
    assert weights_of(result) == {"A": D(".75"), "B": D(".25")}
    assert result.status == "PENDING_REVIEW"


def test_a_model_below_one_is_not_scaled_up() -> None:
    result = run_of(cash={"SGD": 10000}, prices={"A": 1}, model={"A": ".4"})
    assert weights_of(result) == {"A": D(".4")}
    assert result.status == "READY"


def test_a_group_cap_passes_its_excess_on_in_proportion() -> None:
    result = run_of(
        **SECTORS,
        model={"T1": ".4", "T2": ".2", "B1": ".3", "B2": ".1"},
        group_constraints={"sector:TECH": {"max_weight": ".3"}},
    )
    assert weights_of(result) == {"T1": D(".2"), "T2": D(".1"), "B1": D(".525"), "B2": D(".175")}
    (event,) = result.diagnostics.group_constraint_events
    assert event.status == "CAPPED"
    assert event.recipients == {"B1": D(".225"), "B2": D(".075")}
    assert tags_of(result)["T1"] == {"CAPPED_BY_MAX_WEIGHT"}
    assert tags_of(result)["B1"] == {"REDISTRIBUTED_RECIPIENT"}


def test_group_caps_apply_in_key_order_and_earlier_groups_are_not_looked_at_again() -> None:
    result = run_of(
        **SECTORS,
        model={"T1": ".6", "B1": ".4"},
        group_constraints={"sector:TECH": {"max_weight": ".5"}, "sector:BANK": {"max_weight": ".3"}},
    )
    assert [row.constraint_key for row in result.diagnostics.group_constraint_events] == ["sector:BANK", "sector:TECH"]
    assert weights_of(result) == {"T1": D(".5"), "B1": D(".5")}


ODD_SHARES: dict[str, Any] = {
    "base": "USD",
    "cash": {"USD": 1000},
    "prices": {"A": 10, "B": 10, "C": 10},
    "model": {"A": ".6", "B": ".3", "C": ".1"},
    "shelf": {name: {"attributes": {"sector": "T" if name in "AB" else "F"}} for name in "ABC"},
    "group_constraints": {"sector:T": {"max_weight": ".3"}},
}


def test_a_strict_group_cap_rounds_its_factor_first_as_the_reference_does() -> None:
    result = run_of(**ODD_SHARES, strict_reference=True)
    assert weights_of(result)["B"] == D(".3") * (D(".3") / D(".9")) == D("0.09999999999999999999999999999")
    assert ("BUY", "B", D(9)) in trades_of(result)


def test_a_group_cap_of_ours_loses_no_last_digit() -> None:
    result = run_of(**ODD_SHARES)
    assert weights_of(result)["B"] == D(".1")
    assert ("BUY", "B", D(10)) in trades_of(result)


def test_a_model_above_one_is_scaled_by_a_rounded_factor_where_the_reference_is_followed() -> None:
    over: dict[str, Any] = {"cash": {"SGD": 1000}, "prices": {"A": 100, "B": 100}, "model": {"A": "2", "B": "1"}}
    assert weights_of(run_of(**over))["A"] == D(2) / 3
    assert weights_of(run_of(**over, strict_reference=True))["A"] == 2 * (D(1) / 3)
    assert D(2) / 3 != 2 * (D(1) / 3)


def test_a_group_cap_without_anywhere_to_go_blocks_the_run() -> None:
    result = run_of(**SECTORS, model={"T1": ".6"}, group_constraints={"sector:TECH": {"max_weight": ".5"}})
    assert result.status == "BLOCKED"
    assert result.target.targets == ()
    assert result.diagnostics.warnings == (
        "CAPPED_BY_GROUP_LIMIT_sector:TECH",
        "NO_ELIGIBLE_REDISTRIBUTION_DESTINATION",
    )
    assert result.diagnostics.group_constraint_events[0].status == "BLOCKED"
    assert result.diagnostics.group_constraint_events[0].recipients == {}


def test_a_group_on_an_attribute_nobody_has_is_skipped_with_a_warning() -> None:
    result = run_of(**SECTORS, model={"T1": ".6"}, group_constraints={"region:ASIA": {"max_weight": ".1"}})
    assert result.diagnostics.warnings == ("UNKNOWN_CONSTRAINT_ATTRIBUTE_region",)
    assert result.status == "READY"


def test_warnings_of_groups_come_in_the_order_in_which_the_groups_are_judged() -> None:
    limits = {"sector:TECH": ".5", "zone:1": ".1", "region:ASIA": ".1"}
    result = run_of(
        **SECTORS,
        model={"T1": ".6", "B1": ".4"},
        group_constraints={key: {"max_weight": limit} for key, limit in limits.items()},
    )
    assert result.diagnostics.warnings == (
        "UNKNOWN_CONSTRAINT_ATTRIBUTE_region",
        "CAPPED_BY_GROUP_LIMIT_sector:TECH",
        "UNKNOWN_CONSTRAINT_ATTRIBUTE_zone",
    )


def test_no_group_is_judged_after_the_one_that_blocks() -> None:
    limits = {"sector:TECH": ".5", "zone:1": ".1"}
    result = run_of(
        **SECTORS, model={"T1": ".6"}, group_constraints={key: {"max_weight": limit} for key, limit in limits.items()}
    )
    assert result.diagnostics.warnings == (
        "CAPPED_BY_GROUP_LIMIT_sector:TECH",
        "NO_ELIGIBLE_REDISTRIBUTION_DESTINATION",
    )


def test_a_group_within_tolerance_of_its_cap_is_left_alone() -> None:
    result = run_of(**SECTORS, model={"T1": ".5"}, group_constraints={"sector:TECH": {"max_weight": ".4999"}})
    assert weights_of(result) == {"T1": D(".5")}


def test_what_the_model_does_not_name_is_sold_to_zero() -> None:
    result = run_of(held={"OLD": 10}, prices={"OLD": 1, "NEW": 1}, model={"NEW": ".5"})
    assert tags_of(result)["OLD"] == {"IMPLICIT_SELL_TO_ZERO"}
    assert trades_of(result) == [("SELL", "OLD", D(10)), ("BUY", "NEW", D(5))]
    assert str(result.target.targets[-1].model_weight) == "0.0"


def test_a_sell_only_holding_outside_the_model_is_sold() -> None:
    result = run_of(held={"OLD": 10}, prices={"OLD": 1}, shelf={"OLD": "SELL_ONLY"})
    assert trades_of(result) == [("SELL", "OLD", D(10))]


def test_a_position_of_nothing_is_not_traded() -> None:
    result = run_of(cash={"SGD": 10}, held={"OLD": 0}, prices={"OLD": 1}, shelf={"OLD": "BANNED"})
    assert result.target.targets == ()
    assert [row.instrument_id for row in result.after_simulated.positions] == ["OLD"]


def test_locked_weights_above_one_ask_for_a_review() -> None:
    result = run_of(
        cash={"SGD": -10}, held={"ICE": 100}, prices={"ICE": 1, "A": 1}, model={"A": ".1"}, shelf={"ICE": "BANNED"}
    )
    assert weights_of(result)["A"] == 0
    assert result.status == "BLOCKED"


def test_an_empty_portfolio_gives_an_empty_run() -> None:
    result = run_of(model={"A": 1}, prices={"A": 1})
    assert result.status == "READY"
    assert result.intents == ()
    assert result.before.total_value.amount == 0


def test_a_negative_weight_shorts_and_is_blocked() -> None:
    result = run_of(cash={"SGD": 100}, prices={"A": 1}, model={"A": "-.5"})
    assert result.status == "BLOCKED"
    assert result.diagnostics.warnings == ("SIMULATION_SAFETY_CHECK_FAILED",)


def test_comparing_methods_names_what_differs() -> None:
    result = run_of(
        cash={"SGD": 10000},
        prices={"A": 1, "B": 1, "C": 1},
        model={"A": ".6", "B": ".2", "C": ".2"},
        single_position_max_weight=".5",
        compare_target_methods=True,
    )
    comparison = result.explanation.target_method_comparison
    assert comparison is not None
    assert (comparison.primary_method, comparison.alternate_method) == ("HEURISTIC", "SOLVER")
    assert (comparison.primary_status, comparison.alternate_status) == ("PENDING_REVIEW", "READY")
    assert comparison.differing_instruments == ("B", "C")
    assert result.diagnostics.warnings == ("TARGET_METHOD_STATUS_DIVERGENCE", "TARGET_METHOD_WEIGHT_DIVERGENCE")


def test_methods_that_agree_warn_of_nothing() -> None:
    result = run_of(
        cash={"SGD": 10000},
        prices={"A": 1},
        model={"A": ".6"},
        target_method="SOLVER",
        compare_target_methods=True,
    )
    assert result.diagnostics.warnings == ()
    comparison = result.explanation.target_method_comparison
    assert comparison is not None
    assert comparison.differing_instruments == ()


def test_the_other_method_warns_in_the_comparison_only() -> None:
    result = run_of(
        **SECTORS,
        model={"T1": ".6"},
        group_constraints={"sector:TECH": {"max_weight": ".5"}},
        target_method="SOLVER",
        compare_target_methods=True,
    )
    comparison = result.explanation.target_method_comparison
    assert comparison is not None
    assert comparison.alternate_warnings == (
        "CAPPED_BY_GROUP_LIMIT_sector:TECH",
        "NO_ELIGIBLE_REDISTRIBUTION_DESTINATION",
    )
    assert "CAPPED_BY_GROUP_LIMIT_sector:TECH" not in result.diagnostics.warnings
