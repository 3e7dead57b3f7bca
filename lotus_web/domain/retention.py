"""Retention periods, legal holds, and the size of batches (dpm-api §10.2, delta 16)."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.free_text import clean_text

REASON_MAX = 1_000
# How long a batch may hold the store's lock: so far below 200 ms that even a misjudged batch stays below it.
TARGET_SECONDS = 0.03
# The size of a batch is its number of rows of all kinds: an ordinary run has about ten.
FIRST_BATCH = 500
LARGEST_BATCH = 2_000
# What a commit costs does not shrink with its batch: below this, a slow disk would only make the job endless.
SMALLEST_BATCH = 100


class RetentionEntryType(StrEnum):
    """The entries of the retention log: a purge, or a change of a legal hold."""

    RUN_PURGED = "RUN_PURGED"
    OPERATION_PURGED = "OPERATION_PURGED"
    PROPOSAL_PURGED = "PROPOSAL_PURGED"
    SIMULATION_PURGED = "SIMULATION_PURGED"
    HOLD_SET = "HOLD_SET"
    HOLD_LIFTED = "HOLD_LIFTED"


def retention_cutoff(now: datetime, retention_days: int) -> datetime | None:
    """Return the instant before which runs, ended proposals and simulations are too old; None when nothing ever is (0 days)."""
    return now - timedelta(days=retention_days) if retention_days > 0 else None


def operation_cutoff(now: datetime, ttl_seconds: int) -> datetime:
    """Return the instant before which finished operations are too old."""
    return now - timedelta(seconds=ttl_seconds)


def check_hold_reason(reason: str | None) -> str:
    """Return the reason for setting or lifting a hold, as it is stored: 1–1000 characters; raises InvalidInput."""
    text = clean_text(reason or "", what="The reason", loc=("body", "reason"))
    if not 1 <= len(text) <= REASON_MAX:
        raise InvalidInput("invalid_argument", "Enter a reason of 1 to 1000 characters.", loc=("body", "reason"))
    return text


def next_batch_size(size: int, seconds: float) -> int:
    """Return how many rows to take next, given how long the last ``size`` held the lock; ``SMALLEST_BATCH`` to ``LARGEST_BATCH``."""
    if seconds > TARGET_SECONDS:
        return max(SMALLEST_BATCH, int(size * TARGET_SECONDS / seconds))
    return min(LARGEST_BATCH, size * 2 if seconds < TARGET_SECONDS / 2 else size)
