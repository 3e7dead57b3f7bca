"""Equal requests have equal hashes, however they were written; a stored request comes back equal (delta 3, 27)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from lotus_web.wire.rebalance.request import BatchRequestBody, RebalanceRequestBody, request_hash, stored_request
from tests.unit.domain.rebalance.bodies import body, run
from tests.unit.domain.rebalance.scenarios import SCENARIOS
from tests.unit.domain.rebalance.test_properties import requests


def simple(weight: Any = "0.5", **options: Any) -> dict[str, Any]:
    return body(cash={"SGD": 100}, prices={"A": 10}, model={"A": weight}, **options)


def hash_of(document: dict[str, Any]) -> str:
    return request_hash(RebalanceRequestBody.model_validate(document))


@pytest.mark.parametrize("weight", ["0.50", "5E-1", 0.5, "+.5", " 0.500 "])
def test_one_number_written_differently_is_one_request(weight: Any) -> None:
    assert hash_of(simple(weight)) == hash_of(simple("0.5"))


@pytest.mark.parametrize(
    "options",
    [
        {"fx_buffer_pct": "0.010"},
        {"cash_band_max_weight": 1},
        {"group_constraints": {}},
        {"single_position_max_weight": None},
        {"strict_reference": False},
        {"suitability_thresholds": {"issuer_max_weight": "0.2"}},
        {"unheard_of": 1},
    ],
)
def test_a_default_that_is_spelled_out_changes_nothing(options: dict[str, Any]) -> None:
    assert hash_of(simple(**options)) == hash_of(simple())


@pytest.mark.parametrize(
    "options", [{"fx_buffer_pct": "0.02"}, {"enable_tax_awareness": True}, {"strict_reference": True}]
)
def test_an_option_that_differs_changes_the_hash(options: dict[str, Any]) -> None:
    assert hash_of(simple(**options)) != hash_of(simple())


def test_the_order_of_rows_is_part_of_the_request() -> None:
    document = body(prices={"A": 1, "B": 2})
    turned = body(prices={"A": 1, "B": 2})
    turned["market_data_snapshot"]["prices"].reverse()
    assert hash_of(document) != hash_of(turned)


def test_the_hash_of_a_known_request_never_changes() -> None:
    assert hash_of(simple()) == "sha256:943cfb9025eded1cd2005bd4fb149e692238d967e7a85cfe45f22eef6a562fad"


def test_a_batch_is_hashed_by_what_its_options_mean() -> None:
    base = {key: value for key, value in simple().items() if key != "options"}
    spellings: list[dict[str, Any]] = [{"fx_buffer_pct": 0.02}, {"fx_buffer_pct": "2e-2", "allow_restricted": False}]
    hashes = {
        request_hash(BatchRequestBody.model_validate(base | {"scenarios": {"one": {"options": options}}}))
        for options in spellings
    }
    assert len(hashes) == 1


def test_a_batch_with_options_that_mean_nothing_still_has_a_hash_and_is_stored() -> None:
    base = {key: value for key, value in simple().items() if key != "options"}
    odd = {"max_turnover_pct": float("inf"), "rows": [0.25, None, {"deep": True}]}
    batch = BatchRequestBody.model_validate(base | {"scenarios": {"odd": {"options": odd}, "even": {}}})
    assert request_hash(batch).startswith("sha256:")
    assert BatchRequestBody.model_validate(json.loads(json.dumps(stored_request(batch)))) == batch


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_stored_request_comes_back_equal_with_the_same_hash_and_result(scenario: Any) -> None:
    parsed = RebalanceRequestBody.model_validate(body(**scenario.request))
    stored = json.loads(json.dumps(stored_request(parsed), allow_nan=False))
    assert RebalanceRequestBody.model_validate(stored) == parsed
    assert hash_of(stored) == request_hash(parsed)
    assert run(stored) == run(body(**scenario.request))


@settings(max_examples=60)
@given(requests())
def test_any_stored_request_parses_back_to_the_same_request(document: dict[str, Any]) -> None:
    parsed = RebalanceRequestBody.model_validate(document)
    again = RebalanceRequestBody.model_validate(json.loads(json.dumps(stored_request(parsed))))
    assert again == parsed
    assert request_hash(again) == request_hash(parsed)
