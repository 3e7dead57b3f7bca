"""Every field of a simulation's request: what it takes, what it refuses, and that the refusal names it (proposals-api §7 to 9)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from lotus_web.wire.proposals.lifecycle import request_hash
from lotus_web.wire.proposals.request import SimulateRequestBody
from lotus_web.wire.rebalance.options import EngineOptionsBody, SuitabilityThresholdsBody
from tests.unit.wire.proposals.whole import MONEY, WHOLE

Path = tuple[str | int, ...]
# What the contract lets be null; everything else has a value or is left out (§9, 11).
NULLABLE = {
    "snapshot_id", "market_value", "settled", "pending", "issuer_id", "liquidity_tier", "min_notional", "description",
    "quantity of a trade", "notional", "reference_model", "min_trade_notional", "dust_trade_threshold",
    "max_turnover_pct", "max_realized_capital_gains", "link_buy_to_same_currency_sell_dependency",
}  # fmt: skip
FLAGS = [name for name, field in EngineOptionsBody.model_fields.items() if "bool" in str(field.annotation)]
COUNTS = [
    ("options", "settlement_horizon_days"), ("options", "fx_settlement_days"),
    ("options", "drift_top_contributors_limit"), ("shelf_entries", 0, "settlement_days"),
]  # fmt: skip
EXACT: list[Path] = [
    ("proposed_cash_flows", 0, "amount"), ("proposed_trades", 0, "quantity"), ("proposed_trades", 1, "notional", "amount"),
]  # fmt: skip


def walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every member of a request with its path, objects and lists too."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield (*path, name), child
        yield from walk(child, (*path, name))


def at(path: Path, value: Any) -> dict[str, Any]:
    """Return the whole request with another value at one place."""
    document: dict[str, Any] = json.loads(json.dumps(WHOLE))
    holder: Any = document
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return document


def refused(path: Path, value: Any) -> str | None:
    """Return why a value is refused at its place; None where it is taken. Fails where another place is blamed."""
    try:
        SimulateRequestBody.model_validate(at(path, value))
    except ValidationError as error:
        problems = error.errors(include_input=False)
        places = [problem["loc"] for problem in problems]
        assert any(loc[: len(path)] == path or path[: len(loc)] == loc for loc in places), (path, places)
        return "; ".join(problem["msg"] for problem in problems)
    return None


PLACES = dict(walk(WHOLE))
LEAVES = {path: value for path, value in PLACES.items() if not isinstance(value, dict | list)}
NUMBERS = [
    path for path, value in LEAVES.items()
    if isinstance(value, str) and value.replace(".", "").isdigit() and isinstance(path[-1], str)
]  # fmt: skip
TEXTS = [path for path, value in LEAVES.items() if isinstance(value, str) and path not in NUMBERS]


def test_the_request_names_every_field_that_there_is() -> None:
    assert set(WHOLE) == set(SimulateRequestBody.model_fields)
    assert set(WHOLE["options"]) == set(EngineOptionsBody.model_fields)
    assert set(WHOLE["options"]["suitability_thresholds"]) == set(SuitabilityThresholdsBody.model_fields)
    SimulateRequestBody.model_validate(WHOLE)


def test_null_is_refused_wherever_a_default_is_not_null() -> None:
    taken = set()
    for path in PLACES:
        if isinstance(path[-1], str) and refused(path, None) is None:
            taken.add(path[-1])
    sized = {"quantity of a trade", "notional"}  # a trade has exactly one of them, so that one cannot be null
    assert taken == {"single_position_max_weight", *NULLABLE} - sized
    assert refused(("options", "suitability_thresholds", "single_position_max_weight"), None)
    unsized = at(("proposed_trades", 1, "quantity"), None)
    unsized["proposed_trades"][0]["notional"] = None
    SimulateRequestBody.model_validate(unsized)


@pytest.mark.parametrize(
    "wrong", [True, False, [], {}, "", "ten", "NaN", "-Infinity", "1e400", "1E+100000000", "1_0", "0x10", "１"]
)
def test_a_number_is_a_finite_decimal_number(wrong: Any) -> None:
    assert [path for path in NUMBERS if refused(path, wrong) is None] == []


def test_a_number_has_a_bounded_size() -> None:
    wrong = (10**5000, 10**39, "9" * 4000, "1" * 39, Decimal("1e31"), "1e-31", "0." + "0" * 40 + "1")
    started = time.process_time()
    for number in wrong:
        assert [path for path in NUMBERS if refused(path, number) is None] == []
    assert time.process_time() - started < 3


def test_numbers_may_be_written_in_any_form() -> None:
    for path in NUMBERS:
        number = Decimal(LEAVES[path])
        forms = [f"{number:E}", f"{number}00" if "." in str(number) else f"{number}.00", f"+{number}", f" {number} "]
        read = {request_hash(SimulateRequestBody.model_validate(at(path, form))) for form in forms}
        assert read == {request_hash(SimulateRequestBody.model_validate(WHOLE))}, path


@pytest.mark.parametrize("written", ["1.5", "2.0", "2e0", "1E+2"])
def test_three_amounts_are_never_floats(written: str) -> None:
    floats = [json.loads(written), json.loads(written, parse_float=Decimal)]
    assert [(path, value) for path in EXACT for value in floats if "float" not in str(refused(path, value))] == []
    whole = int(Decimal(written))
    assert [path for path in EXACT if refused(path, whole) is not None] == []
    others = [path for path in NUMBERS if path not in EXACT and path[-1] in ("price", "rate", "amount")]
    assert [path for path in others if refused(path, floats[1]) is not None] == []


def test_a_text_is_a_text_that_every_store_takes() -> None:
    for wrong in (1, 1.5, True, [], {}, "a\x00b", "\ud800"):
        assert [path for path in TEXTS if refused(path, wrong) is None] == [], wrong
    assert [path for path in TEXTS if refused(path, "x" * 2_001) is None] == []


def test_a_list_is_a_list_and_an_object_an_object() -> None:
    for path, value in PLACES.items():
        if isinstance(value, dict | list):
            for wrong in (1, "x", True, {} if isinstance(value, list) else []):
                assert refused(path, wrong) is not None, (path, wrong)


ENUMS: dict[Path, list[Any]] = {
    ("options", "valuation_mode"): ["calculated", "MARKET", 1],
    ("options", "funding_mode"): ["MANUAL", "auto_fx"],
    ("options", "fx_funding_source_currency"): ["SGD", "any_cash"],
    ("options", "fx_generation_policy"): ["MANY"],
    ("options", "suitability_thresholds", "data_quality_issue_severity"): ["CRITICAL", "low"],
    ("shelf_entries", 0, "status"): ["approved", "GONE", ""],
    ("shelf_entries", 0, "liquidity_tier"): ["L0", "L6", "l1"],
    ("proposed_trades", 0, "side"): ["buy", "HOLD", ""],
    ("proposed_trades", 0, "intent_type"): ["CASH_FLOW", "FX_SPOT"],
    ("proposed_cash_flows", 0, "intent_type"): ["SECURITY_TRADE"],
}


@pytest.mark.parametrize("path", ENUMS, ids=lambda path: str(path[-1]))
def test_a_choice_is_one_of_its_words(path: Path) -> None:
    assert [value for value in ENUMS[path] if refused(path, value) is None] == []


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flag_takes_every_word_for_yes_and_no(flag: str) -> None:
    for yes, no in (
        ("true", "false"),
        ("YES", "No"),
        ("on", "OFF"),
        ("T", "f"),
        ("y", "N"),
        ("1", "0"),
        (1, 0),
        (1.0, 0.0),
    ):
        for value, meant in ((yes, True), (no, False)):
            read = SimulateRequestBody.model_validate(at(("options", flag), value))
            assert getattr(read.options, flag) is meant
    assert [value for value in ("maybe", "", 2, [], "ja", 0.5) if refused(("options", flag), value) is None] == []


@pytest.mark.parametrize("path", COUNTS, ids=lambda path: str(path[-1]))
def test_a_count_takes_whole_numbers_within_its_bounds(path: Path) -> None:
    assert [value for value in ("2", 2.0, "2.0", Decimal("2.0")) if refused(path, value) is not None] == []
    wrong = (-1, 21, 2.5, "two", [], "", 10**30, "9" * 5000, float("inf"), Decimal("NaN"))
    assert [value for value in wrong if refused(path, value) is None] == []


def twice(path: Path) -> dict[str, Any]:
    """Return the request with the rows of a list given twice, read as we read and not as the reference does."""
    document: dict[str, Any] = json.loads(json.dumps(WHOLE))
    document["options"]["strict_reference"] = False
    holder: Any = document
    for step in path:
        holder = holder[step]
    holder *= 2
    return document


@pytest.mark.parametrize(
    ("path", "named"),
    [
        (("portfolio_snapshot", "cash_balances"), "currency 'SGD'"),
        (("portfolio_snapshot", "positions"), "instrument 'A'"),
        (("market_data_snapshot", "prices"), "instrument 'A'"),
        (("market_data_snapshot", "fx_rates"), "pair 'USD/SGD'"),
        (("shelf_entries",), "instrument 'A'"),
        (("reference_model", "asset_class_targets"), "asset class 'EQUITY'"),
        (("reference_model", "instrument_targets"), "instrument 'A'"),
    ],
    ids=lambda value: str(value[-1]) if isinstance(value, tuple) else None,
)
def test_a_row_given_twice_is_refused_by_its_name(path: Path, named: str) -> None:
    with pytest.raises(ValidationError, match=f"{'.'.join(map(str, path))} names {named} more than once"):
        SimulateRequestBody.model_validate(twice(path))


@pytest.mark.parametrize("path", [("proposed_trades",), ("proposed_cash_flows",)])
def test_the_same_trade_or_cash_flow_may_come_twice(path: Path) -> None:
    SimulateRequestBody.model_validate(twice(path))


BAD_TRADES: dict[str, dict[str, Any]] = {
    "neither size": {"quantity": None},
    "both sizes": {"notional": MONEY},
    "nothing": {"quantity": 0},
    "less than nothing": {"quantity": "-1"},
    "a notional of nothing": {"quantity": None, "notional": {"amount": "0", "currency": "SGD"}},
    "a negative notional": {"quantity": None, "notional": {"amount": "-0.01", "currency": "SGD"}},
}


@pytest.mark.parametrize("name", BAD_TRADES)
def test_a_trade_has_one_positive_size(name: str) -> None:
    trade = {"side": "BUY", "instrument_id": "A", "quantity": "1", **BAD_TRADES[name]}
    assert "PROPOSAL_INVALID_TRADE_INPUT" in str(refused(("proposed_trades", 0), trade))


def test_what_is_not_known_is_ignored_at_every_depth_and_part_of_no_hash() -> None:
    expected = request_hash(SimulateRequestBody.model_validate(WHOLE))
    named_freely = {"attributes", "max_overdraft_by_ccy", "group_constraints", "max_weight_by_liquidity_tier"}
    objects = [path for path, value in PLACES.items() if isinstance(value, dict) and path[-1] not in named_freely]
    for path in [(), *objects]:
        document: dict[str, Any] = json.loads(json.dumps(WHOLE))
        holder: Any = document
        for step in path:
            holder = holder[step]
        holder["colour"] = {"nested": [1, None, "x"]}
        assert request_hash(SimulateRequestBody.model_validate(document)) == expected, path


def _without(document: Any, drop: Callable[[Path], bool], path: Path = ()) -> Any:
    if isinstance(document, dict):
        return {k: _without(v, drop, (*path, k)) for k, v in document.items() if not drop((*path, k))}
    if isinstance(document, list):
        return [_without(row, drop, (*path, index)) for index, row in enumerate(document)]
    return document


def test_a_default_that_is_given_is_one_that_is_left_out() -> None:
    spare = SimulateRequestBody.model_validate(
        {name: WHOLE[name] for name in ("portfolio_snapshot", "market_data_snapshot", "shelf_entries")}
    )
    spelled_out = SimulateRequestBody.model_validate(json.loads(spare.model_dump_json()))
    assert request_hash(spelled_out) == request_hash(spare)


def test_every_field_and_the_order_of_every_list_is_part_of_the_hash() -> None:
    expected = request_hash(SimulateRequestBody.model_validate(WHOLE))
    for path, value in LEAVES.items():
        other = {"portfolio_id": "pf_2"}.get(str(path[-1])) or _another(value)
        if refused(path, other) is None:
            assert request_hash(SimulateRequestBody.model_validate(at(path, other))) != expected, path
    turned = at(("proposed_trades",), WHOLE["proposed_trades"][::-1])
    assert request_hash(SimulateRequestBody.model_validate(turned)) != expected


def _another(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value - 1
    return {"EQUITY": "BOND", "SELL": "BUY", "RESTRICTED": "APPROVED", "L1": "L2", "LOW": "HIGH"}.get(
        value, f"{value}1"
    )
