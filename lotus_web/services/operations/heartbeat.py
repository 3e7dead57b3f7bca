"""The heartbeat of a worker: its lease is prolonged for as long as it computes, so that long work is not taken for lost.

It beats only while nothing is written: the worker's own transactions prolong the lease themselves and hold the operation's
row, and on SQLite the store's one lock, until they commit. What keeps a lost worker from recording is not the beat but the
owner of the lease, which each of those transactions checks first (services/operations/leases.py).
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
    """Prolong the lease of ``claim`` beside the work of the block; once it ends, so has the beat, with nothing open.

    Ends by itself when the operation is another's, and after ``LEASES_A_STEP`` leases: work that hangs is taken up too.
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
            _prolong(store, claim, terms)
        except OperationLost:
            log.warning("operation_lost", operation=claim.operation_id)
            return
        except Exception as error:  # a store that is away or busy: the next beat may be in time still
            log.warning("lease_not_prolonged", operation=claim.operation_id, error=type(error).__name__)
    log.warning("heartbeat_given_up", operation=claim.operation_id)


def _prolong(store: Engine, claim: Claim, terms: LeaseTerms) -> None:
    """Renew the lease in a transaction of the beat's own: it has no app context, and so no session of the worker's."""
    with Session(store) as session, session.begin():
        session.connection(execution_options={WRITE: True})
        renew(session, claim, terms=terms)
