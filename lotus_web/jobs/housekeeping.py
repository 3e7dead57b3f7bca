"""Removes expired rows: sessions, sign-in failures, key reservations whose worker died."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lotus_web.jobs.context import JobContext
from lotus_web.services.retention.housekeeping import PURGES


def purge(context: JobContext, now: datetime) -> dict[str, Any]:
    """Remove each kind of expired row in bounded batches; returns how many of each."""
    removed: dict[str, Any] = {}
    for name, purge_batch in PURGES.items():
        removed[name] = 0
        while not context.stop.is_set():
            with context.unit() as session:
                count = purge_batch(session, now=now)
            removed[name] += count
            if count == 0:
                break
    return removed
