"""Numbers come exact, finite and bounded; texts come storable."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import TypeAdapter, ValidationError

from lotus_web.wire.scalars import Number, Text

NUMBER: TypeAdapter[Decimal] = TypeAdapter(Number)
TEXT: TypeAdapter[str] = TypeAdapter(Text)


def kind_of_error(adapter: TypeAdapter[object], value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(value)
    return str(caught.value.errors()[0]["type"])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.50", "0.50"),
        (" 7 ", "7"),
        ("+.5", "0.5"),
        ("5.", "5"),
        ("1e3", "1E+3"),
        ("-2.5E-4", "-0.00025"),
        (3, "3"),
        (-0.1, "-0.1"),
        (1e-7, "1E-7"),
        (0.1 + 0.2, "0.30000000000000004"),
        (Decimal("1.10"), "1.10"),
        ("9" * 30, "9" * 30),
        ("0.00" + "3" * 28, "0.00" + "3" * 28),
        ("0E-23", "0E-23"),
    ],
)
def test_a_number_keeps_its_exact_value_and_scale(value: object, text: str) -> None:
    assert str(NUMBER.validate_python(value)) == text


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, "decimal_type"),
        (None, "decimal_type"),
        ([], "decimal_type"),
        ({}, "decimal_type"),
        (b"1", "decimal_type"),
        ("", "decimal_parsing"),
        ("abc", "decimal_parsing"),
        ("1_000", "decimal_parsing"),
        ("1,5", "decimal_parsing"),
        ("0x10", "decimal_parsing"),
        ("१", "decimal_parsing"),
        ("NaN", "finite_number"),
        ("sNaN", "finite_number"),
        ("-Infinity", "finite_number"),
        (float("nan"), "finite_number"),
        (float("inf"), "finite_number"),
        (Decimal("NaN"), "finite_number"),
        ("1e31", "number_out_of_range"),
        ("1e-31", "number_out_of_range"),
        ("1e999999999", "number_out_of_range"),
        ("0e999999999", "number_out_of_range"),
        ("1" * 39, "number_out_of_range"),
        ("1" * 10_000, "number_out_of_range"),
        (10**4000, "number_out_of_range"),
        (1.5e300, "number_out_of_range"),
    ],
)
def test_what_is_no_bounded_number_is_refused(value: object, kind: str) -> None:
    assert kind_of_error(NUMBER, value) == kind


@pytest.mark.parametrize(
    ("value", "kind"),
    [("a\x00b", "value_error"), ("\ud800", "string_unicode"), ("x" * 256, "string_too_long"), (5, "string_type")],
)
def test_a_text_that_no_store_takes_is_refused(value: object, kind: str) -> None:
    assert kind_of_error(TEXT, value) == kind


def test_a_text_may_be_empty_or_foreign() -> None:
    assert [TEXT.validate_python(text) for text in ("", "招商銀行", "🪷")] == ["", "招商銀行", "🪷"]
