"""Canonical JSON: one text for each value, and no two values that differ in content share one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_web.domain.canonical import (
    HASH_PREFIX,
    canonical_decimal,
    canonical_json,
    canonical_object,
    content_hash,
    is_same_json,
    text_hash,
)
from tests.support.histories import NOW

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=False, allow_infinity=False, places=6)
)
INSTANTS = st.integers(-(10**9), 10**10).map(lambda seconds: NOW + timedelta(seconds=seconds, microseconds=seconds % 7))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)


@given(VALUES)
def test_canonical_text_is_ascii_and_a_fixed_point(value: Any) -> None:
    once = canonical_json(value)
    assert once.isascii()
    assert canonical_json(json.loads(once)) == once


@given(VALUES | INSTANTS, VALUES | INSTANTS)
def test_values_are_the_same_where_their_texts_are(one: Any, other: Any) -> None:
    assert is_same_json(one, other) == (canonical_json(one) == canonical_json(other))
    assert is_same_json(one, one)


def test_what_python_calls_equal_is_not_the_same_where_json_differs() -> None:
    noon = NOW.astimezone(timezone(timedelta(hours=9)))
    assert is_same_json(NOW, noon) and is_same_json(NOW, canonical_json(NOW)[1:-1])
    assert not is_same_json(1, True) and not is_same_json("1", 1) and is_same_json(Decimal("1.0"), "1")


@given(st.dictionaries(st.text(), SCALARS))
def test_the_order_of_keys_does_not_matter(members: dict[str, Any]) -> None:
    assert canonical_json(dict(reversed(members.items()))) == canonical_json(members)


@given(st.dictionaries(st.text(), VALUES))
def test_an_object_can_be_put_together_from_the_texts_of_its_members(members: dict[str, Any]) -> None:
    assert canonical_object({key: canonical_json(value) for key, value in members.items()}) == canonical_json(members)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20), st.integers(0, 6))
def test_a_number_has_one_text_however_it_was_written(number: Decimal, zeros: int) -> None:
    sign, digits, exponent = number.as_tuple()
    longer = Decimal((sign, (*digits, *[0] * zeros), int(exponent) - zeros))
    assert canonical_decimal(longer) == canonical_decimal(number)
    assert Decimal(canonical_decimal(number)) == number


def test_half_is_half_in_every_spelling_and_zero_has_no_sign() -> None:
    assert {canonical_decimal(Decimal(text)) for text in ("0.5", "0.50", "5E-1", ".5")} == {"0.5"}
    assert {canonical_decimal(Decimal(text)) for text in ("0", "-0", "0.00", "0E+9")} == {"0"}


@given(INSTANTS, st.integers(-12, 14))
def test_an_instant_has_one_text_in_every_zone(instant: datetime, hours: int) -> None:
    moved = instant.astimezone(timezone(timedelta(hours=hours)))
    assert canonical_json(moved) == canonical_json(instant.astimezone(UTC))


@given(VALUES, VALUES)
def test_hashes_agree_exactly_where_the_texts_agree(one: Any, other: Any) -> None:
    assert (content_hash(one) == content_hash(other)) == (canonical_json(one) == canonical_json(other))


def test_a_hash_is_sha256_over_the_text() -> None:
    assert content_hash({}) == text_hash("{}")
    assert content_hash({}) == HASH_PREFIX + "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


NAIVE = NOW.replace(tzinfo=None)


class Word(StrEnum):
    ONE = "one"


def test_enums_count_as_their_value_and_tuples_as_lists() -> None:
    assert canonical_json((Word.ONE, {Word.ONE: 1})) == canonical_json(["one", {"one": 1}])


@pytest.mark.parametrize(
    "bad",
    [0.5, float("nan"), Decimal("NaN"), Decimal("Infinity"), Decimal("1E+9999"), NAIVE, object(), b"x"],
)
def test_what_has_no_canonical_form_is_refused(bad: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        canonical_json({"key": [bad]})
