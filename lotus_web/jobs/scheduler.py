"""The scheduler: APScheduler times the jobs, and a lease row lets only one process run them (workflow.md §3, commands.md)."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from lotus_web.config.current import utcnow
from lotus_web.config.settings import Settings
from lotus_web.jobs.context import JobContext, Progress
from lotus_web.jobs.schedule import JOBS, Job
from lotus_web.services.jobs.leases import Leadership, is_lead_lost, led_by_another, release_lead, take_lead
from lotus_web.services.jobs.runs import JobStart, note_end, noted_recently
from lotus_web.store.session import db, transaction
from lotus_web.telemetry.logs import log_unexpected

GRACE_SECONDS = 3600
log = structlog.get_logger(__name__)


class Scheduler:
    """Runs the table of jobs while this process leads; any number of processes may compete for the lead."""

    def __init__(self, app: Flask, settings: Settings):
        self.app, self.settings = app, settings
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.stop_asked = threading.Event()
        self.lead: Leadership | None = None
        self.lease = timedelta(seconds=settings.jobs_lease_seconds)
        self.clock = BackgroundScheduler(
            timezone="UTC",
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": GRACE_SECONDS},
        )

    def start(self) -> None:
        """Start leading, or waiting for the lead."""
        self.clock.add_job(self.renew, "interval", seconds=self.lease.total_seconds() / 3, next_run_time=utcnow())
        for job in JOBS:
            self.clock.add_job(
                self.tick, "interval", args=[job], seconds=job.cadence(self.settings), next_run_time=utcnow()
            )
        self.clock.start()

    def stop(self) -> None:
        """Finish the current units of work and what is done at a stop, then release the lead.

        If the store is away, the lease expires by itself.
        """
        self.stop_asked.set()
        self.clock.shutdown(wait=True)
        for job in JOBS:
            if job.at_stop and self.lead is not None:
                self._run(job, threading.Event())
        try:
            with self.app.app_context(), transaction() as session:
                release_lead(session, self.owner)
        except SQLAlchemyError as lost:
            log.warning("lease_not_given_up", owner=self.owner, error=type(lost).__name__)

    def renew(self) -> None:
        """Take or renew the lead; without a store there is no lead."""
        with self.app.app_context():
            try:
                lead = self._try_to_lead()
            except Exception as lost:
                log.warning("lease_not_renewed", owner=self.owner, error=type(lost).__name__)
                lead = None
            if (lead is None) != (self.lead is None):
                log.info("jobs_lead_taken" if lead else "jobs_lead_lost", owner=self.owner)
            self.lead = lead

    def _try_to_lead(self) -> Leadership | None:
        elsewhere = led_by_another(db.session(), self.owner)
        db.session.rollback()
        if elsewhere:
            return None
        with transaction() as session:
            return take_lead(session, self.owner, lease=self.lease)

    def tick(self, job: Job) -> None:
        """Run one job if this process leads; a failure is recorded and the next tick tries again."""
        if self.lead is None:
            self.renew()
        if self.lead is not None and not self.stop_asked.is_set():
            self._run(job, self.stop_asked)

    def _run(self, job: Job, stop: threading.Event) -> None:
        with self.app.app_context():
            context = JobContext(self.settings, self.lead, stop)
            try:
                run_job(job, context, owner=self.owner, now=utcnow())
            except Exception as failed:
                if is_lead_lost(failed):
                    log.warning("jobs_lead_lost", owner=self.owner, job=job.name)
                    self.lead = None
                else:
                    log_unexpected(failed, "job_failed", job=job.name)


def run_job(job: Job, context: JobContext, *, owner: str, now: datetime) -> dict[str, Any]:
    """Run one job now and record how it went; raises what the job raises.

    A process that lost the lead records nothing: the row belongs to the new leader.
    """
    progress = Progress(JobStart(job.name, owner, now))
    begun = replace(context, progress=progress)
    try:
        outcome = job.run(begun, now)
    except Exception as failed:
        if not is_lead_lost(failed):
            _record(begun, progress, failed=failed)
        raise
    if progress.noted or not noted_recently(db.session(), progress.start, outcome):
        _record(begun, progress, outcome=outcome)
    db.session.rollback()
    return outcome


def _record(
    context: JobContext, progress: Progress, *, outcome: dict[str, Any] | None = None, failed: Exception | None = None
) -> None:
    db.session.rollback()
    with context.leading() as session:
        note_end(session, progress.start, now=utcnow(), outcome=outcome, failed=failed)
