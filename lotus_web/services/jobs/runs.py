"""The status of each job, one row a job: the start of a run with its first work, its end, and a heartbeat each minute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from lotus_web.models import JobRun
from lotus_web.models.jobs import HEARTBEAT
from lotus_web.store.upserts import insert_into

ERROR_MAX = 500


@dataclass(frozen=True, slots=True)
class JobStart:
    """A run of a job: which process runs it, since when."""

    job: str
    owner: str
    at: datetime


def note_start(session: Session, start: JobStart) -> None:
    """Record that a run has started; the previous run's outcome stays until this one ends."""
    new = {"owner": start.owner, "started_at": start.at}
    row = insert_into(session, JobRun).values(job=start.job, **new)
    session.execute(row.on_conflict_do_update(index_elements=[JobRun.job], set_=new))


def note_end(
    session: Session,
    start: JobStart,
    *,
    now: datetime,
    outcome: Mapping[str, Any] | None = None,
    failed: BaseException | None = None,
) -> None:
    """Record what a run did, or that it failed; the text of the failure is for those who run the deployment."""
    note_start(session, start)
    row = session.get_one(JobRun, start.job, populate_existing=True)
    row.finished_at, row.outcome = now, None if outcome is None else dict(outcome)
    row.error = None if failed is None else f"{type(failed).__name__}: {failed}"[:ERROR_MAX]
    session.flush()


def noted_recently(session: Session, start: JobStart, outcome: Mapping[str, Any]) -> bool:
    """Return whether the row already says the same of this owner's last run, less than a heartbeat ago."""
    row = session.get(JobRun, start.job, populate_existing=True)
    if row is None or row.owner != start.owner or row.error is not None or row.running or row.finished_at is None:
        return False
    return row.outcome == outcome and start.at - row.finished_at < HEARTBEAT
