"""Retention: when something is too old, what keeps it all the same, and how much goes at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.retention import (
    LARGEST_BATCH,
    SMALLEST_BATCH,
    TARGET_SECONDS,
    check_hold_reason,
    next_batch_size,
    operation_cutoff,
    retention_cutoff,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_zero_days_mean_for_ever() -> None:
    assert retention_cutoff(NOW, 0) is None
    assert retention_cutoff(NOW, 30) == NOW - timedelta(days=30)
    assert operation_cutoff(NOW, 90) == NOW - timedelta(seconds=90)


@pytest.mark.parametrize("reason", [None, "", " ", "x" * 1001, "a\x00b"])
def test_a_hold_needs_a_reason_that_can_be_kept(reason: str | None) -> None:
    with pytest.raises(InvalidInput):
        check_hold_reason(reason)


def test_a_reason_is_kept_without_space_around_it() -> None:
    assert check_hold_reason("  Court order 7 ") == "Court order 7"


@given(st.integers(SMALLEST_BATCH, LARGEST_BATCH), st.floats(0, 100))
def test_a_batch_stays_between_the_smallest_and_the_largest(size: int, seconds: float) -> None:
    assert SMALLEST_BATCH <= next_batch_size(size, seconds) <= LARGEST_BATCH


@given(st.integers(SMALLEST_BATCH + 1, LARGEST_BATCH), st.floats(1.5, 100))
def test_a_batch_that_held_the_lock_too_long_is_followed_by_a_smaller_one(size: int, factor: float) -> None:
    assert next_batch_size(size, TARGET_SECONDS * factor) < size


def test_a_quick_batch_is_followed_by_one_of_twice_the_size() -> None:
    assert next_batch_size(50, 0.001) == 100
    assert next_batch_size(50, TARGET_SECONDS * 0.8) == 50
