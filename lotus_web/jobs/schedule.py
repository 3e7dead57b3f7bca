"""The table of scheduled jobs: name, function, cadence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lotus_web.config.settings import Settings
from lotus_web.jobs import checkpoints, claims, delivery, housekeeping, operations, retention, sla, witnesses
from lotus_web.jobs.context import JobContext

Outcome = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Job:
    """A bounded function of the current time that returns what it did; ``cadence`` gives the seconds between runs.

    ``preview``, where a job has one, returns what it would do and writes nothing. ``at_stop`` means once more at an orderly stop.
    """

    name: str
    run: Callable[[JobContext, datetime], Outcome]
    cadence: Callable[[Settings], int]
    preview: Callable[[JobContext, datetime], Outcome] | None = None
    at_stop: bool = False


JOBS: tuple[Job, ...] = (
    Job("sla", sla.sweep, lambda settings: settings.sla_sweep_seconds),
    Job("claims", claims.release, lambda settings: settings.sla_sweep_seconds),
    Job("operations", operations.run_due, lambda settings: operations.CADENCE_SECONDS),
    Job("checkpoints", checkpoints.sign, lambda settings: settings.checkpoint_seconds, at_stop=True),
    # After the operations, which plan callbacks, and so that no receiver keeps them waiting in `jobs tick`.
    Job("delivery", delivery.deliver_pending, lambda settings: delivery.CADENCE_SECONDS, delivery.preview),
    Job("witnesses", witnesses.ask_all, lambda settings: settings.checkpoint_seconds),
    Job("retention", retention.purge, lambda settings: 3600, retention.preview),
    Job("housekeeping", housekeeping.purge, lambda settings: 3600),
)


def job_named(name: str) -> Job | None:
    """Return the job of that name, or None."""
    return next((job for job in JOBS if job.name == name), None)


def cadences(settings: Settings) -> dict[str, int]:
    """Return the seconds between runs of each job, by name."""
    return {job.name: job.cadence(settings) for job in JOBS}
