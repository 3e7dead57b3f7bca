"""Requests are parsed as the contract says, and what is wrong is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from lotus_web.domain.rebalance.values.options import EngineOptions
from lotus_web.wire.rebalance.options import EngineOptionsBody
from lotus_web.wire.rebalance.request import BatchRequestBody, RebalanceRequestBody, first_message
from tests.unit.domain.rebalance.bodies import body
from tests.unit.domain.rebalance.scenarios import lot

Document = dict[str, Any]


def simple(**options: Any) -> Document:
    return body(cash={"SGD": 100}, held={"A": 1}, prices={"A": 10}, fx={"USD/SGD": 1}, model={"A": 1}, **options)


def batch(scenarios: Any) -> Document:
    return {key: value for key, value in simple().items() if key != "options"} | {"scenarios": scenarios}


def errors_of(parse: Callable[[], object]) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(ValidationError) as caught:
        parse()
    return [(error["loc"], error["msg"]) for error in caught.value.errors()]


@pytest.mark.parametrize("name", list(simple()))
def test_all_five_objects_are_required(name: str) -> None:
    document = simple()
    del document[name]
    assert errors_of(lambda: RebalanceRequestBody.model_validate(document)) == [((name,), "Field required")]


def test_unknown_fields_are_ignored() -> None:
    document = simple(colour="blue")
    document["portfolio_snapshot"]["manager"] = "Priya Nair"
    assert RebalanceRequestBody.model_validate(document) == RebalanceRequestBody.model_validate(simple())


def test_empty_options_are_the_engines_defaults() -> None:
    assert EngineOptionsBody().to_domain() == EngineOptions()


def test_every_domain_option_is_on_the_wire() -> None:
    assert set(EngineOptions.__dataclass_fields__) <= set(EngineOptionsBody.model_fields)


@pytest.mark.parametrize("portfolio_id", [" ", "pf ", "pf\n", "p\x00f", "p\u200bf", "\ud800", "x" * 256])
@pytest.mark.parametrize("kind", [RebalanceRequestBody, BatchRequestBody])
def test_a_portfolio_id_can_be_seen_whatever_is_asked_of_the_portfolio(
    kind: type[RebalanceRequestBody | BatchRequestBody], portfolio_id: str
) -> None:
    document = simple() | batch({"one": {}})
    document["portfolio_snapshot"]["portfolio_id"] = portfolio_id
    place = ("portfolio_snapshot", "portfolio_id")
    told = "portfolio_id must be 1 to 255 visible characters"
    assert errors_of(lambda: kind.model_validate(document)) == [(place, told)]


TURNOVER = "Value error, max_turnover_pct must be between 0 and 1 inclusive"
GROUP_KEY = "Value error, group_constraints keys must use format '<attribute_key>:<attribute_value>'"
GROUP_WEIGHT = "Value error, max_weight must be between 0 and 1 inclusive"
OVERDRAFT = "Value error, max_overdraft_by_ccy values must be non-negative"
LOW = "Input should be greater than or equal to 0"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("max_turnover_pct", "1.01", TURNOVER),
        ("max_turnover_pct", -1, TURNOVER),
        ("group_constraints", {"sectorTECH": {"max_weight": 0}}, GROUP_KEY),
        ("group_constraints", {"sector:": {"max_weight": 0}}, GROUP_KEY),
        ("group_constraints", {":TECH": {"max_weight": 0}}, GROUP_KEY),
        ("group_constraints", {"a:b:c": {"max_weight": 0}}, GROUP_KEY),
        ("group_constraints", {"sector:TECH": {"max_weight": "1.1"}}, GROUP_WEIGHT),
        ("group_constraints", {"sector:TECH": {}}, "Field required"),
        ("max_overdraft_by_ccy", {"USD": -1}, OVERDRAFT),
        ("max_overdraft_by_ccy", {"": 1}, "Value error, max_overdraft_by_ccy keys must be non-empty currency codes"),
        ("max_realized_capital_gains", -1, LOW),
        ("settlement_horizon_days", -1, LOW),
        ("settlement_horizon_days", 11, "Input should be less than or equal to 10"),
        ("fx_settlement_days", 11, "Input should be less than or equal to 10"),
        ("drift_top_contributors_limit", 0, "Input should be greater than or equal to 1"),
        ("drift_unmodeled_exposure_threshold", 2, "Input should be less than or equal to 1"),
        ("valuation_mode", "GUESSED", "Input should be 'CALCULATED' or 'TRUST_SNAPSHOT'"),
        ("target_method", "MAGIC", "Input should be 'HEURISTIC' or 'SOLVER'"),
        ("funding_mode", "MANUAL", "Input should be 'AUTO_FX'"),
        ("fx_buffer_pct", True, "Decimal input should be an integer, float, string or Decimal object"),
        ("suitability_thresholds", {"issuer_max_weight": 2}, "Input should be less than or equal to 1"),
        (
            "suitability_thresholds",
            {"cash_band_min_weight": ".5"},
            "Value error, cash_band_min_weight must be less than or equal to cash_band_max_weight",
        ),
    ],
)
def test_an_option_out_of_bounds_is_refused(name: str, value: Any, message: str) -> None:
    ((loc, said),) = errors_of(lambda: RebalanceRequestBody.model_validate(simple(**{name: value})))
    assert loc[:2] == ("options", name)
    assert said == message


@pytest.mark.parametrize(
    "options",
    [
        {"max_turnover_pct": 0},
        {"max_turnover_pct": 1},
        {"cash_band_min_weight": 1, "cash_band_max_weight": 0},
        {"fx_buffer_pct": -5},
        {"group_constraints": {"sector:TECH": {"max_weight": 0}, "region:EU": {"max_weight": 1}}},
        {"single_position_max_weight": None, "max_realized_capital_gains": None},
        {"dust_trade_threshold": {"amount": 1, "currency": "SGD"}},
    ],
)
def test_an_option_without_bound_or_at_its_bound_is_accepted(options: Document) -> None:
    assert RebalanceRequestBody.model_validate(simple(**options)).options is not None


def test_settlement_days_of_the_shelf_are_bounded() -> None:
    document = simple()
    document["shelf_entries"][0]["settlement_days"] = 11
    ((loc, _),) = errors_of(lambda: RebalanceRequestBody.model_validate(document))
    assert loc == ("shelf_entries", 0, "settlement_days")


def held(quantity: Any, *lots: Document) -> Document:
    return body(held={"A": {"quantity": quantity, "lots": list(lots)}}, prices={"A": 1})


def test_lots_add_up_to_their_position_within_a_ten_thousandth() -> None:
    RebalanceRequestBody.model_validate(held("10.0001", lot("L", 10, 1, "2024-01-01")))
    ((loc, message),) = errors_of(
        lambda: RebalanceRequestBody.model_validate(held("10.0002", lot("L", 10, 1, "2024-01-01")))
    )
    assert loc == ("portfolio_snapshot", "positions", 0)
    assert message.startswith("Value error, sum(lot.quantity) must equal position.quantity")


def test_a_lot_is_not_negative() -> None:
    ((loc, message),) = errors_of(lambda: RebalanceRequestBody.model_validate(held(-1, lot("L", -1, 1, "2024-01-01"))))
    assert loc[-3:] == ("lots", 0, "quantity")
    assert message == LOW


def test_a_short_position_is_accepted() -> None:
    RebalanceRequestBody.model_validate(held(-10))


DUPLICATES = {
    "cash_balances": ("portfolio_snapshot.cash_balances", "currency 'SGD'"),
    "positions": ("portfolio_snapshot.positions", "instrument 'A'"),
    "prices": ("market_data_snapshot.prices", "instrument 'A'"),
    "fx_rates": ("market_data_snapshot.fx_rates", "pair 'USD/SGD'"),
    "targets": ("model_portfolio.targets", "instrument 'A'"),
    "shelf_entries": ("shelf_entries", "instrument 'A'"),
}


def doubled(document: Document, place: str) -> Document:
    *path, last = place.split(".")
    rows = document
    for step in path:
        rows = rows[step]
    rows[last] = rows[last] * 2
    return document


@pytest.mark.parametrize(("place", "named"), DUPLICATES.values(), ids=DUPLICATES)
def test_a_row_given_twice_is_refused_by_name(place: str, named: str) -> None:
    ((_, message),) = errors_of(lambda: RebalanceRequestBody.model_validate(doubled(simple(), place)))
    assert message == f"Value error, {place} names {named} more than once"
    ((_, message),) = errors_of(lambda: BatchRequestBody.model_validate(doubled(batch({"base": {}}), place)))
    assert named in message


@pytest.mark.parametrize("place", [place for place, _ in DUPLICATES.values()])
def test_a_strict_reader_takes_a_row_twice(place: str) -> None:
    RebalanceRequestBody.model_validate(doubled(simple(strict_reference=True), place))
    strict = {"options": {"strict_reference": True}}
    BatchRequestBody.model_validate(doubled(batch({"base": strict}), place))
    BatchRequestBody.model_validate(doubled(batch({"base": strict, "other": {}}), place))


@pytest.mark.parametrize("flag", [True, "true", "yes", "on", "1", 1, False, "false", "no", 0])
def test_a_batch_reads_the_strict_flag_as_simulate_does(flag: object) -> None:
    once = {"base": {"options": {"strict_reference": flag}}}
    one, many = (
        lambda: RebalanceRequestBody.model_validate(doubled(simple(strict_reference=flag), "shelf_entries")),
        lambda: BatchRequestBody.model_validate(doubled(batch(once), "shelf_entries")),
    )
    if flag in (False, "false", "no"):
        assert errors_of(one) == errors_of(many)
    else:
        assert one().options.strict_reference
        assert many().scenario_options("base").strict_reference


@pytest.mark.parametrize("flag", [None, "maybe", [], 2])
def test_a_strict_flag_that_is_none_takes_no_row_twice(flag: object) -> None:
    scenarios = {"base": {"options": {"strict_reference": flag}}}
    (told,) = errors_of(lambda: BatchRequestBody.model_validate(doubled(batch(scenarios), "shelf_entries")))
    assert told[1].endswith("names instrument 'A' more than once")


def test_lists_are_bounded() -> None:
    document = simple()
    document["market_data_snapshot"]["fx_rates"] = [{"pair": f"A{index}/B", "rate": 1} for index in range(10_001)]
    ((loc, message),) = errors_of(lambda: RebalanceRequestBody.model_validate(document))
    assert loc == ("market_data_snapshot", "fx_rates")
    assert message.startswith("List should have at most 10000 items")


NAME = r"Value error, scenario names must match regex [a-z0-9_\-]{1,64}"


@pytest.mark.parametrize(
    ("scenarios", "message"),
    [
        ({}, "Value error, at least one scenario is required"),
        ({f"s{index}": {} for index in range(21)}, "Value error, scenario count exceeds maximum of 20"),
        ({"Base": {}}, NAME),
        ({"": {}}, NAME),
        ({"base\n": {}}, NAME),
        ({"x" * 65: {}}, NAME),
    ],
)
def test_a_batch_has_one_to_twenty_well_named_scenarios(scenarios: Document, message: str) -> None:
    assert errors_of(lambda: BatchRequestBody.model_validate(batch(scenarios))) == [(("scenarios",), message)]


def test_scenarios_run_in_name_order_and_bad_options_are_found_one_at_a_time() -> None:
    parsed = BatchRequestBody.model_validate(
        batch({"b-2": {"options": {"max_turnover_pct": 7}}, "a_1": {"description": "As it is", "options": {}}})
    )
    assert parsed.scenario_names() == ["a_1", "b-2"]
    assert parsed.scenario_options("a_1") == EngineOptionsBody()
    with pytest.raises(ValidationError) as caught:
        parsed.scenario_options("b-2")
    assert first_message(caught.value) == TURNOVER


def test_a_float_in_scenario_options_keeps_its_value() -> None:
    scenario = {"options": {"fx_buffer_pct": 0.015, "settlement_horizon_days": 3.0, "max_turnover_pct": float("nan")}}
    options = BatchRequestBody.model_validate(batch({"base": scenario})).scenarios["base"].options
    assert options == {"fx_buffer_pct": "0.015", "settlement_horizon_days": 3, "max_turnover_pct": "nan"}


@pytest.mark.parametrize("value", ["a\x00", ["\ud800"], {"x\x00": 1}])
def test_scenario_options_that_no_store_takes_are_refused(value: Any) -> None:
    errors = errors_of(lambda: BatchRequestBody.model_validate(batch({"base": {"options": {"note": value}}})))
    assert errors[0][0] == ("scenarios", "base", "options")


def test_scenario_options_are_not_nested_without_end() -> None:
    deep: Any = 1
    for _ in range(20):
        deep = [deep]
    errors = errors_of(lambda: BatchRequestBody.model_validate(batch({"base": {"options": {"note": deep}}})))
    assert errors[0][1] == "Value error, scenario options are nested too deeply"
