"""Ids are opaque text within bounds: what callers may send, and what is made of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.identifiers import (
    CORRELATION_MAX,
    KEY_MAX,
    artifact_id,
    check_correlation_id,
    check_idempotency_key,
    is_storable,
)


@pytest.mark.parametrize("good", ["k", "a b", "urn:x/y?z=1&ä", "k" * KEY_MAX])
def test_visible_keys_are_taken_as_they_are(good: str) -> None:
    assert check_idempotency_key(good) == good


@pytest.mark.parametrize("bad", [None, "", " k", "k ", "a\nb", "a\x00b", "\ud800", "\u200b", "k" * (KEY_MAX + 1)])
def test_other_keys_are_refused(bad: str | None) -> None:
    with pytest.raises(InvalidInput):
        check_idempotency_key(bad)


@pytest.mark.parametrize(("length", "fits"), [(CORRELATION_MAX, True), (CORRELATION_MAX + 1, False)])
def test_correlation_ids_have_their_own_bound(length: int, fits: bool) -> None:
    if fits:
        assert check_correlation_id("c" * length)
    else:
        with pytest.raises(InvalidInput):
            check_correlation_id("c" * length)


@given(st.text())
def test_storable_is_what_utf8_can_write_without_nul(text: str) -> None:
    try:
        writable = "\x00" not in text.encode().decode()
    except UnicodeEncodeError:
        writable = False
    assert is_storable(text) == writable


def test_only_the_first_prefix_of_a_run_id_is_swapped_for_its_artifact() -> None:
    assert artifact_id("rr_rr_01") == "dra_rr_01"
