"""Cursors: opaque, exact on the way back, and refused when this list did not make them."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_web.domain.errors import InvalidInput
from lotus_web.queries.keyset import decode_cursor, encode_cursor
from tests.support.histories import NOW

STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
POSITIONS = st.lists(STORABLE | st.integers(-(2**63), 2**63 - 1), max_size=5).map(tuple)


@given(POSITIONS)
def test_a_position_comes_back_from_its_cursor(position: tuple[str | int, ...]) -> None:
    kinds = tuple(type(part) for part in position)
    cursor = encode_cursor(position)
    assert decode_cursor(cursor, kinds) == position
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&?#% ")


@given(POSITIONS, st.lists(st.sampled_from([str, int]), max_size=5).map(tuple))
def test_a_cursor_of_another_list_is_refused(position: tuple[str | int, ...], kinds: tuple[type, ...]) -> None:
    if tuple(type(part) for part in position) == kinds:
        return
    with pytest.raises(InvalidInput) as refused:
        decode_cursor(encode_cursor(position), kinds)
    assert refused.value.code == "INVALID_CURSOR"


@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_no_text_at_all_gets_past_the_decoder_as_anything_but_a_position_or_a_refusal(text: str) -> None:
    position: tuple[str | int, ...] = ("refused", 0)
    with suppress(InvalidInput):
        position = decode_cursor(text, (str, int))
    assert [type(part) for part in position] == [str, int]


@pytest.mark.parametrize("part", [2**63, -(2**63) - 1, "\x00", "\ud800", True, None, 0.5, [1]])
def test_parts_that_no_store_could_compare_with_are_refused(part: object) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps([part]).encode()).decode()
    kinds = (str,) if isinstance(part, str) else (int,)
    with pytest.raises(InvalidInput, match="cursor"):
        decode_cursor(cursor, kinds)


@given(st.integers(-(10**15), 10**16), st.integers(-12, 14))
def test_an_instant_survives_in_a_cursor(microseconds: int, hours: int) -> None:
    instant = (NOW + timedelta(microseconds=microseconds)).astimezone(timezone(timedelta(hours=hours)))
    assert decode_cursor(encode_cursor((instant, "x")), (datetime, str)) == (instant, "x")


def test_an_instant_is_a_text_of_one_length_so_that_cursors_of_before_still_work() -> None:
    for microsecond in (0, 1):
        instant = datetime(2026, 1, 1, 0, 0, 0, microsecond, tzinfo=UTC)
        written = encode_cursor((f"2026-01-01T00:00:00.00000{microsecond}+00:00", 7))
        assert encode_cursor((instant, 7)) == written
        assert decode_cursor(written, (datetime, int)) == (instant, 7)


@pytest.mark.parametrize("bad", ["", "yesterday", "2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00", 7])
def test_a_part_that_is_no_aware_instant_is_refused(bad: str | int) -> None:
    with pytest.raises(InvalidInput) as refused:
        decode_cursor(encode_cursor((bad,)), (datetime,))
    assert refused.value.code == "INVALID_CURSOR"
