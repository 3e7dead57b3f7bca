"""Retention: expired runs and finished operations go, in batches that hold the store's lock for a moment (delta 16)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from lotus_web.domain.lineage import EntityKind
from lotus_web.domain.retention import FIRST_BATCH, next_batch_size, operation_cutoff, run_cutoff
from lotus_web.jobs.context import JobContext
from lotus_web.services.events.log import lock_tenant
from lotus_web.services.retention.operations import find_lapsed_operations, purge_operations
from lotus_web.services.retention.pieces import Beside, Owner, choose, purge_piece
from lotus_web.services.retention.preview import kept_runs, preview_operations, preview_runs
from lotus_web.services.retention.rows import Removed
from lotus_web.services.retention.runs import find_expired_runs, purge_runs, read_ahead, tenants_with_runs
from lotus_web.store.session import db

BESIDE = {
    EntityKind.RUN: (Beside.HISTORY, Beside.LEAVING, Beside.ARRIVING),
    EntityKind.OPERATION: (Beside.LEAVING, Beside.ARRIVING),
}
Found = TypeVar("Found")


def purge(context: JobContext, now: datetime) -> dict[str, Any]:
    """Remove everything that has had its time; returns how many rows of each thing went and the longest batch in ms.

    A batch takes longer than its lock is held: on SQLite it counts the checkpoint after the commit.
    """
    pace = _Pace(context)
    removed = Removed()
    cutoff = run_cutoff(now, context.settings.retention_days)
    if cutoff is not None:
        for tenant_id in list(tenants_with_runs(db.session())):
            removed.update(_purge_runs(context, pace, tenant_id, cutoff, now))
    gone = operation_cutoff(now, context.settings.async_operations_ttl_seconds)
    removed.update(_purge_operations(context, pace, gone, now))
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


def _purge_runs(context: JobContext, pace: _Pace, tenant_id: str, cutoff: datetime, now: datetime) -> Removed:
    removed, after = Removed(), None
    while not context.stop.is_set():
        found = _look(partial(find_expired_runs, tenant_id=tenant_id, cutoff=cutoff, after=after, rows=pace.size))
        if found is None:
            break
        after = found.last
        if pace.is_too_much(found.rows):
            owner = Owner(tenant_id, EntityKind.RUN, found.run_ids[0])
            removed.update(_purge_beside(context, pace, owner, cutoff, now))
        work = partial(purge_runs, tenant_id=tenant_id, run_ids=found.run_ids, cutoff=cutoff, now=now)
        if not context.stop.is_set():
            _look(partial(read_ahead, tenant_id=tenant_id, run_ids=found.run_ids))
            removed.update(pace.hold(work, tenant_id))
    return removed


def _purge_operations(context: JobContext, pace: _Pace, cutoff: datetime, now: datetime) -> Removed:
    removed, after = Removed(), None
    while not context.stop.is_set():
        found = _look(partial(find_lapsed_operations, cutoff=cutoff, after=after, rows=pace.size))
        if found is None:
            break
        after = found.last
        if pace.is_too_much(found.rows):
            tenant_id, operation_id = found.keys[0]
            owner = Owner(tenant_id, EntityKind.OPERATION, operation_id)
            removed.update(_purge_beside(context, pace, owner, cutoff, now))
        if not context.stop.is_set():
            removed.update(pace.hold(partial(purge_operations, keys=found.keys, cutoff=cutoff, now=now)))
    return removed


def _purge_beside(context: JobContext, pace: _Pace, owner: Owner, cutoff: datetime, now: datetime) -> Removed:
    """Remove what one batch could not take along, until nothing is left of it or its owner may not go any more."""
    removed = Removed()
    for beside in BESIDE[owner.kind]:
        while rows := _look(partial(choose, owner=owner, beside=beside)):
            while rows:
                if context.stop.is_set():
                    return removed
                piece, rows = rows[: pace.size], rows[pace.size :]
                work = partial(purge_piece, owner=owner, beside=beside, rows=piece, cutoff=cutoff, now=now)
                gone = pace.hold(partial(work, first=not removed), owner.tenant_id)
                if not gone:
                    return removed
                removed.update(gone)
    return removed


def _look(find: Callable[[Session], Found]) -> Found:
    found = find(db.session())
    db.session.rollback()
    return found


class _Pace:
    """Sizes batches, in rows, by how long the last one held the lock, and then lets others have it for as long."""

    def __init__(self, context: JobContext):
        self.context, self.size, self.longest = context, FIRST_BATCH, 0.0

    def is_too_much(self, rows: int) -> bool:
        """Return whether what must go together has too many rows for it; the first batch is small enough for any disk."""
        return rows > max(self.size, FIRST_BATCH)

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
