"""The heartbeat of a worker: renews its lease while it computes, so that long work does not count as lost.

It beats only while nothing is written: the worker's own transactions renew the lease themselves and hold the operation's row, and
on SQLite the store's only write lock, until they commit. What stops a lost worker from recording is not the heartbeat but the owner
of the lease, which each of those transactions checks first (services/operations/leases.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from lotus_web.domain.operations import BEATS_A_LEASE, LEASES_A_STEP
from lotus_web.services.operations.leases import Claim, LeaseTerms, OperationLost, renew
from lotus_web.store.engine import WRITE
from lotus_web.store.session import db

log = structlog.get_logger(__name__)


@contextmanager
def heartbeat(claim: Claim, terms: LeaseTerms) -> Iterator[None]:
    """Renew the lease of ``claim`` in a thread while the block runs; after the block the thread has ended, with nothing open.

    It also ends when another worker has the operation, and after ``LEASES_A_STEP`` leases: work that hangs is taken over too.
    """
    ended = Event()
    beat = Thread(
        target=_beat, args=(db.engine, claim, terms, ended), name=f"heartbeat-{claim.operation_id}", daemon=True
    )
    beat.start()
    try:
        yield
    finally:
        ended.set()
        beat.join()


def _beat(store: Engine, claim: Claim, terms: LeaseTerms, ended: Event) -> None:
    pause = terms.lease.total_seconds() / BEATS_A_LEASE
    for _ in range(LEASES_A_STEP * BEATS_A_LEASE):
        if ended.wait(pause):
            return
        try:
            _renew(store, claim, terms)
        except OperationLost:
            log.warning("operation_lost", operation=claim.operation_id)
            return
        except Exception as error:  # the store is away or busy: the next beat may still be in time
            log.warning("lease_not_prolonged", operation=claim.operation_id, error=type(error).__name__)
    log.warning("heartbeat_given_up", operation=claim.operation_id)


def _renew(store: Engine, claim: Claim, terms: LeaseTerms) -> None:
    """Renew the lease in a transaction of this thread's own: it has no application context, and so not the worker's session."""
    with Session(store) as session, session.begin():
        session.connection(execution_options={WRITE: True})
        renew(session, claim, terms=terms)
