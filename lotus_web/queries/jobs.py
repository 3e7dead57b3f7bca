"""The process that runs the scheduled jobs, and the last run of each job: for ``/support``, ``doctor`` and ``/health/ready``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.models import JobRun, SchedulerLease
from lotus_web.models.jobs import HEARTBEAT, LEASE_NAME


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last run of a job; ``late`` means that it should have run again by now.

    While ``running``, ``started_at`` is of the run under way and the rest of the one before it.
    """

    job: str
    cadence_seconds: int
    started_at: datetime | None
    finished_at: datetime | None
    owner: str | None
    outcome: Mapping[str, Any] | None
    error: str | None
    late: bool
    running: bool = False


@dataclass(frozen=True, slots=True)
class JobStatus:
    """The lease and the jobs; ``leader`` is None while no process holds the lease."""

    leader: str | None
    lease_until: datetime | None
    fence: int
    jobs: tuple[LastRun, ...]

    @property
    def healthy(self) -> bool:
        """Whether a process holds the lease and no job is late or failed."""
        return self.leader is not None and not any(job.late or job.error for job in self.jobs)


def job_status(session: Session, cadences: Mapping[str, int], *, now: datetime) -> JobStatus:
    """Return the state of the jobs named in ``cadences`` (name → seconds between runs). Two queries.

    A job is late after three cadences, or three signs of life where it runs oftener, so that one slow run is no alarm; it is
    not while its leader lives and carries it out, however long that takes.
    """
    lease = session.get(SchedulerLease, LEASE_NAME)
    leader = lease.owner if lease is not None and lease.until >= now else None
    runs = {row.job: row for row in session.scalars(select(JobRun))}
    return JobStatus(
        leader=leader,
        lease_until=lease.until if lease is not None else None,
        fence=lease.fence if lease is not None else 0,
        jobs=tuple(_last_run(name, cadence, runs.get(name), leader, now) for name, cadence in cadences.items()),
    )


def _last_run(name: str, cadence: int, row: JobRun | None, leader: str | None, now: datetime) -> LastRun:
    if row is None:
        return LastRun(name, cadence, None, None, None, None, None, late=True)
    seen = row.started_at if row.finished_at is None else max(row.started_at, row.finished_at)
    carried_out = row.running and row.owner == leader
    late = not carried_out and now - seen > 3 * max(timedelta(seconds=cadence), HEARTBEAT)
    return LastRun(
        name, cadence, row.started_at, row.finished_at, row.owner, row.outcome, row.error, late, running=row.running
    )
