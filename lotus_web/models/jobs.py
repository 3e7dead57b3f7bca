"""Who leads the scheduled jobs, and how each job last went."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from lotus_web.store.types import Base, Json, UtcDateTime

LEASE_NAME = "jobs"
# A job that finds nothing to do says so this often, and no oftener: most runs of most jobs find nothing.
HEARTBEAT = timedelta(minutes=1)


class SchedulerLease(Base):
    """The one row that makes a process the leader until its time runs out; ``fence`` grows with each new leader."""

    __tablename__ = "scheduler_leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    until: Mapped[datetime] = mapped_column(UtcDateTime)
    fence: Mapped[int]


class JobRun(Base):
    """The last run of a job: when, by whom, what it did or why it failed.

    While a run is under way, ``finished_at``, ``outcome`` and ``error`` are those of the run before it.
    """

    __tablename__ = "job_runs"

    job: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[dict[str, Any] | None] = mapped_column(Json)
    error: Mapped[str | None]

    @property
    def running(self) -> bool:
        """Whether the run that began last has not said its end."""
        return self.finished_at is None or self.started_at > self.finished_at
