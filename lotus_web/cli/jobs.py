"""Commands for scheduled work."""

from __future__ import annotations

import json
import signal

import click
from flask import current_app
from flask.cli import AppGroup

from lotus_web.cli.transactions import refusals
from lotus_web.config import current
from lotus_web.jobs.context import JobContext
from lotus_web.jobs.schedule import JOBS, job_named
from lotus_web.jobs.scheduler import Scheduler, run_job

STOPS = (signal.SIGTERM, signal.SIGINT)
group = AppGroup("jobs", help="Scheduled work: deadlines, claims, operations, deliveries, retention, housekeeping.")


@group.command("run")
def run() -> None:
    """Run the scheduler until SIGTERM or Ctrl-C; any number may run, one leads."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    scheduler = Scheduler(app, current.settings())
    # They wait, in this thread and those it starts, until they are asked for: a handler is not run for a signal that comes just
    # before a wait begins, and an event's lock may be held by what the signal interrupts.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    scheduler.start()
    click.echo(f"Jobs process {scheduler.owner} runs", err=True)
    signal.sigwait(STOPS)
    scheduler.stop()


@group.command("tick")
@click.option("--job", "name", type=click.Choice([job.name for job in JOBS]), help="Only this job.")
@click.option("--dry-run", is_flag=True, help="Show what the job would do, without doing it.")
def tick(name: str | None, dry_run: bool) -> None:
    """Run due work once and print what was done as JSON."""
    chosen = job_named(name) if name else None
    context = JobContext(current.settings())
    done = {}
    with refusals():
        for job in (chosen,) if chosen else JOBS:
            if not dry_run:
                done[job.name] = run_job(job, context, owner="tick", now=current.utcnow())
            elif job.preview is not None:
                done[job.name] = job.preview(context, current.utcnow())
            elif chosen is not None:
                raise click.UsageError(f"The job {job.name} has no preview.")
    click.echo(json.dumps(done))
