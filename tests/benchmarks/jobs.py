"""What the jobs cost on a loaded store: a sweep in which ten items fell due, and a retention that finds a fifth expired."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from lotus_web.config import current
from lotus_web.config.settings import Settings
from lotus_web.domain.access import DEFAULT_TENANT
from lotus_web.jobs import retention
from lotus_web.jobs.context import JobContext
from lotus_web.jobs.sla import sweep
from lotus_web.models import Run
from lotus_web.store.session import db
from tests.benchmarks.grow import DUE_A_MINUTE, FIRST_DUE
from tests.benchmarks.loaded import LoadedStore, environment
from tests.benchmarks.measure import Call

SWEEPS = 5
EXPIRED_SHARE = 5


def measured_sweep(loaded: LoadedStore) -> Call:
    """Return a sweep that finds ten items due, a minute later with each call."""
    context = JobContext(current.settings())
    start = loaded.filled_at + timedelta(minutes=FIRST_DUE, seconds=1)
    minutes = itertools.count()

    def call(_number: int) -> None:
        found = sweep(context, start + timedelta(minutes=next(minutes)))
        assert found == {"escalated": DUE_A_MINUTE, "warned": 0, "failed": 0}, found

    return call


@dataclass(frozen=True)
class Purge:
    """What a retention did: runs removed, seconds it took, milliseconds its longest batch took with its commit."""

    runs: int
    seconds: float
    longest_ms: int


def purge_a_fifth(url: str) -> Purge:
    """Remove the oldest fifth of the runs as the retention job does it."""
    now = current.utcnow()
    days = (now - _age_of_a_fifth()).days
    settings = Settings({**environment(url), "DPM_SUPPORTABILITY_RETENTION_DAYS": str(days)})
    started = time.perf_counter()
    removed = retention.purge(JobContext(settings), now)
    return Purge(removed.get("runs", 0), time.perf_counter() - started, removed["longest_batch_ms"])


def _age_of_a_fifth() -> datetime:
    mine = Run.tenant_id == DEFAULT_TENANT
    runs = db.session.scalar(select(func.count()).where(mine)) or 0
    query = select(Run.created_at).where(mine).order_by(Run.created_at).offset(runs // EXPIRED_SHARE).limit(1)
    found = db.session.scalars(query).one()
    db.session.rollback()
    return found
