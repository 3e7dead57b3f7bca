"""The rows of a comparison: what differs, and nothing that does not."""

from __future__ import annotations

from typing import Any

import pytest

from lotus_web.queries.runs.diff import Change
from lotus_web.web.format.fields import shown
from lotus_web.web.runs.diff_rows import diff_rows


def test_only_the_fields_that_differ_are_told() -> None:
    before = {"final_weight": "0.2", "model_weight": "0.25", "tags": []}
    (row,) = diff_rows([Change("EQ_1", before, {**before, "final_weight": "0.3", "tags": ["CAPPED"]})])
    assert (row.key, row.came, row.went) == ("EQ_1", False, False)
    assert [(pair.name, pair.before, pair.after) for pair in row.fields] == [
        ("Final weight", "20.00%", "30.00%"),
        ("Tags", "–", "CAPPED"),
    ]


def test_a_row_that_came_or_went_tells_what_it_is() -> None:
    order = {
        "side": "BUY",
        "quantity": "12",
        "notional": {"amount": "1200", "currency": "SGD"},
        "rationale": {"code": "X"},
    }
    came, went = diff_rows([Change("BUY EQ_1", None, order), Change("BUY EQ_2", order, None)])
    assert (came.came, came.went, went.came, went.went) == (True, False, False, True)
    assert [(pair.name, pair.after) for pair in came.fields] == [("Quantity", "12"), ("Notional", "1,200.00\xa0SGD")]
    assert [(pair.name, pair.before) for pair in went.fields] == [("Quantity", "12"), ("Notional", "1,200.00\xa0SGD")]


def test_shares_are_told_in_percent() -> None:
    row = {"single_position_max_weight": "0.12", "max_turnover_pct": "0.5", "quantity": "0.5"}
    assert [shown(name, row) for name in row] == ["12.00%", "50.00%", "0.5"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        ([], "–"),
        ({}, "–"),
        ("BLOCKED", "BLOCKED"),
        ("0.0100", "0.01"),
        (7, "7"),
        (True, "True"),
        ("NaN", "NaN"),
        ({"min": "0.01", "max": "0.05"}, "Min 0.01, Max 0.05"),
        (["A", "B"], "A, B"),
    ],
)
def test_a_value_is_written_as_it_is_read(value: Any, text: str) -> None:
    assert shown("field", {"field": value}) == text
