"""Retention: purges expired runs, proposals and operations in batches that hold the store's lock for a moment (delta 16)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from lotus_web.config.settings import Settings
from lotus_web.domain.retention import FIRST_BATCH, next_batch_size, operation_cutoff, retention_cutoff
from lotus_web.jobs.context import JobContext
from lotus_web.services.events.log import lock_tenant
from lotus_web.services.retention.preview import preview_purge, stored_longer
from lotus_web.services.retention.purge import (
    Removed,
    choose_chunk,
    find_expired,
    prefetch,
    purge_batch,
    purge_chunk,
    tenants_with,
)
from lotus_web.services.retention.targets import OPERATIONS, PROPOSALS, RUNS, SIMULATIONS, Target
from lotus_web.store.session import db

Found = TypeVar("Found")


def purge(context: JobContext, now: datetime) -> dict[str, Any]:
    """Remove everything that has expired; returns how many rows of each kind were removed, and the longest batch in ms.

    A batch takes longer than its lock is held: on SQLite it includes the checkpoint after the commit.
    """
    pace, removed = _Pace(context), Removed()
    for target in _read(partial(_targets, settings=context.settings, now=now)):
        removed.update(_purge_target(context, pace, target))
    return {**_sorted(removed), "longest_batch_ms": round(pace.longest * 1000)}


def preview(context: JobContext, now: datetime) -> dict[str, Any]:
    """Return what ``purge`` would remove at this instant, and how many old runs and proposals it would leave and why."""
    session = db.session()
    targets = _targets(session, context.settings, now)
    return {**_sorted(preview_purge(session, targets)), "kept": stored_longer(session, targets)}


def _targets(session: Session, settings: Settings, now: datetime) -> list[Target]:
    """Return what is purged, in this order: runs first, as the edge between a run and its operation counts with the run."""
    too_old = retention_cutoff(now, settings.retention_days)
    cutoffs = (
        (RUNS, too_old),
        (PROPOSALS, too_old),
        (SIMULATIONS, too_old),
        (OPERATIONS, operation_cutoff(now, settings.async_operations_ttl_seconds)),
    )
    return [
        Target(purgeable, tenant_id, cutoff, now)
        for purgeable, cutoff in cutoffs
        if cutoff is not None
        for tenant_id in tenants_with(session, purgeable)
    ]


def _purge_target(context: JobContext, pace: _Pace, target: Target) -> Removed:
    removed, after = Removed(), None
    while not context.stop.is_set():
        found = _read(partial(find_expired, target=target, after=after, rows=pace.size))
        if found is None:
            break
        after = found.last
        if pace.is_too_much(found.rows):
            removed.update(_purge_dependents(context, pace, target, found.ids[0]))
        if not context.stop.is_set():
            _read(partial(prefetch, target=target, ids=found.ids))
            removed.update(pace.hold(partial(purge_batch, target=target, ids=found.ids), target.tenant_id))
    return removed


def _purge_dependents(context: JobContext, pace: _Pace, target: Target, entity_id: str) -> Removed:
    """Remove what one batch could not hold, in chunks, until none is left or their owner may no longer be removed."""
    removed = Removed()
    for dependents in target.purgeable.dependents:
        own: dict[str, Any] = {"target": target, "entity_id": entity_id, "dependents": dependents}
        while dependents.newest_first and (keys := _read(partial(choose_chunk, **own))):
            while keys:
                if context.stop.is_set():
                    return removed
                chunk, keys = keys[: pace.size], keys[pace.size :]
                gone = pace.hold(partial(purge_chunk, **own, keys=chunk, first=not removed), target.tenant_id)
                if not gone:
                    return removed
                removed.update(gone)
    return removed


def _read(query: Callable[[Session], Found]) -> Found:
    found = query(db.session())
    db.session.rollback()
    return found


class _Pace:
    """Sizes batches, in rows, by how long the last one held the lock, and then leaves it to others for as long."""

    def __init__(self, context: JobContext):
        self.context, self.size, self.longest = context, FIRST_BATCH, 0.0

    def is_too_much(self, rows: int) -> bool:
        """Return whether rows that must go together are too many; the first batch is small enough for any disk."""
        return rows > max(self.size, FIRST_BATCH)

    def hold(self, work: Callable[[Session], Removed], tenant_id: str) -> Removed:
        """Do the work of one batch in a transaction under the tenant's lock, and measure it."""
        with self.context.unit() as session:
            lock_tenant(session, tenant_id)  # not measured: waiting for the lock keeps nobody else waiting
            started = time.monotonic()
            removed = work(session)
        seconds = time.monotonic() - started
        self.longest = max(self.longest, seconds)
        self.size = next_batch_size(self.size, seconds)
        self.context.stop.wait(seconds)
        return removed


def _sorted(removed: Removed) -> dict[str, int]:
    return {name: removed[name] for name in sorted(removed) if removed[name]}
