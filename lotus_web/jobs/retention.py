"""Retention: expired runs and finished operations go, in batches that hold the store's lock for a moment (delta 16)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from lotus_web.db import db
from lotus_web.domain.retention import next_batch_size, operation_cutoff, run_cutoff
from lotus_web.jobs.context import JobContext
from lotus_web.services.event_log import lock_tenant
from lotus_web.services.retention import Removed, find_expired_runs, purge_operations, purge_runs, tenants_with_runs
from lotus_web.services.retention_preview import kept_runs, preview_operations, preview_runs

FIRST_BATCH = 50


def purge(context: JobContext, now: datetime) -> dict[str, Any]:
    """Remove everything that has had its time; returns how many rows of each thing went and the longest batch in ms.

    A batch takes longer than its lock is held: on SQLite it counts the checkpoint after the commit.
    """
    pace = _Pace(context)
    removed = Removed()
    cutoff = run_cutoff(now, context.settings.retention_days)
    if cutoff is not None:
        for tenant_id in list(tenants_with_runs(db.session())):
            removed.update(_purge_tenant(context, pace, tenant_id, cutoff, now))
    gone = operation_cutoff(now, context.settings.async_operations_ttl_seconds)
    while not context.stop.is_set():
        batch = pace.hold(partial(purge_operations, cutoff=gone, now=now, limit=pace.size))
        removed.update(batch)
        if not batch:
            break
    return {**_sorted(removed), "longest_batch_ms": round(pace.longest * 1000)}


def preview(context: JobContext, now: datetime) -> dict[str, Any]:
    """Return what ``purge`` would remove at this instant, and how many old runs it would keep and why."""
    session, found = db.session(), Removed()
    held = reviewed = 0
    cutoff = run_cutoff(now, context.settings.retention_days)
    if cutoff is not None:
        for tenant_id in list(tenants_with_runs(session)):
            found.update(preview_runs(session, tenant_id, cutoff=cutoff))
            kept = kept_runs(session, tenant_id, cutoff=cutoff)
            held, reviewed = held + kept.legal_hold, reviewed + kept.open_item
    gone = operation_cutoff(now, context.settings.async_operations_ttl_seconds)
    found.update(preview_operations(session, cutoff=gone, runs_cutoff=cutoff))
    return {**_sorted(found), "kept": {"legal_hold": held, "open_item": reviewed}}


def _purge_tenant(context: JobContext, pace: _Pace, tenant_id: str, cutoff: datetime, now: datetime) -> Removed:
    removed, after = Removed(), None
    while not context.stop.is_set():
        found = find_expired_runs(db.session(), tenant_id, cutoff=cutoff, after=after, limit=pace.size)
        db.session.rollback()
        if found is None:
            break
        after = found.last
        work = partial(purge_runs, tenant_id=tenant_id, run_ids=found.run_ids, cutoff=cutoff, now=now)
        removed.update(pace.hold(work, tenant_id))
    return removed


class _Pace:
    """Sizes batches by how long the last one held the lock, and then lets others have it for as long."""

    def __init__(self, context: JobContext):
        self.context, self.size, self.longest = context, FIRST_BATCH, 0.0

    def hold(self, work: Callable[[Session], Removed], tenant_id: str | None = None) -> Removed:
        with self.context.unit() as session:
            if tenant_id is not None:
                lock_tenant(session, tenant_id)  # waiting for it keeps nobody else waiting
            started = time.monotonic()
            removed = work(session)
        seconds = time.monotonic() - started
        self.longest = max(self.longest, seconds)
        self.size = next_batch_size(self.size, seconds)
        self.context.stop.wait(seconds)
        return removed


def _sorted(removed: Removed) -> dict[str, int]:
    return {name: removed[name] for name in sorted(removed) if removed[name]}
