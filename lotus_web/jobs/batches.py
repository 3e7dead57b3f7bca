"""Working through items, each in a transaction of its own, so that one bad row holds up nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from lotus_web.jobs.context import JobContext
from lotus_web.services.events.item_rows import ItemKey
from lotus_web.services.jobs.leases import is_lead_lost
from lotus_web.services.sla import push_back
from lotus_web.store.session import db
from lotus_web.telemetry.logs import log_unexpected

BATCH = 200


def work_through(
    context: JobContext,
    now: datetime,
    find: Callable[[Session], list[ItemKey]],
    act: Callable[[Session, ItemKey], bool],
) -> tuple[int, int]:
    """Act on what ``find`` gives, a batch at a time, until it gives nothing new; returns how many were done and failed.

    An item that fails is put off for a while. Raises Conflict ``LEASE_LOST`` when another process leads by now.
    """
    done = failed = 0
    seen: set[ItemKey] = set()
    while not context.stop.is_set():
        found = [key for key in find(db.session()) if key not in seen]
        db.session.rollback()
        if not found:
            break
        for key in found:
            if context.stop.is_set():
                break
            seen.add(key)
            try:
                with context.unit() as session:
                    done += act(session, key)
            except Exception as error:
                if is_lead_lost(error):
                    raise
                failed += 1
                log_unexpected(error, "item_failed", tenant=key[0], workflow_id=key[1])
                with context.unit() as session:
                    push_back(session, key, now=now)
    return done, failed
