"""What is kept of jobs: a long run is under way and not late, one that finds nothing writes nothing, a loser leaves no trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from lotus_web.config.current import utcnow
from lotus_web.domain.errors import Conflict
from lotus_web.jobs.context import JobContext
from lotus_web.jobs.schedule import JOBS, Job, job_named
from lotus_web.jobs.scheduler import Scheduler, run_job
from lotus_web.models import JobRun
from lotus_web.queries.jobs import JobStatus, LastRun, job_status
from lotus_web.services.jobs.leases import Leadership, take_lead
from lotus_web.store.session import db, transaction
from tests.support.events import open_items

CADENCES = {"sla": 30, "operations": 2}
LONG = timedelta(hours=1)
LEADER, NEXT = "host:1:a", "host:2:b"


@contextmanager
def sent(app: Flask) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    with app.app_context():
        store = db.engine
    event.listen(store, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(store, "before_cursor_execute", note)


def writes(statements: list[str]) -> list[str]:
    return [one for one in statements if not one.startswith(("SELECT", "BEGIN DEFERRED"))]


def lead(owner: str, lease: timedelta = 2 * LONG) -> Leadership:
    with transaction() as session:
        found = take_lead(session, owner, lease=lease)
    assert found is not None
    return found


def job_of(name: str, run: Any) -> Job:
    return Job(name, run, lambda _settings: 2)


def status(now: datetime) -> JobStatus:
    db.session.rollback()
    return job_status(db.session(), CADENCES, now=now)


def operations(now: datetime) -> LastRun:
    return next(one for one in status(now).jobs if one.job == "operations")


def row(job: str) -> tuple[str, dict[str, Any] | None, str | None]:
    db.session.rollback()
    found = db.session.get_one(JobRun, job, populate_existing=True)
    return found.owner, found.outcome, found.error


def test_a_run_that_lasts_is_under_way_and_not_late_until_its_leader_falls_silent(app: Flask, session: Any) -> None:
    context = JobContext(app.extensions["lotus_settings"], lead(LEADER))
    seen: list[LastRun] = []

    def run(context: JobContext, now: datetime) -> dict[str, Any]:
        with context.unit():
            pass
        seen.extend((operations(now + LONG), operations(now + 3 * LONG)))
        return {"finished": 1}

    run_job(job_of("operations", lambda *_: {"finished": 0}), context, owner=LEADER, now=utcnow())
    run_job(job_of("operations", run), context, owner=LEADER, now=utcnow())
    assert [(one.running, one.late, one.outcome) for one in seen] == [
        (True, False, {"finished": 0}),
        (True, True, {"finished": 0}),
    ]
    done = operations(utcnow())
    assert (done.running, done.late, done.outcome) == (False, False, {"finished": 1})
    assert operations(utcnow() + LONG).late


def test_a_leader_without_work_writes_nothing_but_a_sign_of_life_a_minute(app: Flask) -> None:
    scheduler = Scheduler(app, app.extensions["lotus_settings"])
    scheduler.renew()
    often = [job for job in JOBS if job.cadence(scheduler.settings) < 60]
    assert {"sla", "claims", "operations"} <= {job.name for job in often}
    with sent(app) as first:
        for job in often:
            scheduler.tick(job)
    assert len([one for one in first if "job_runs" in one and one.startswith("INSERT")]) == len(often)
    with sent(app) as idle:
        for job in often:
            scheduler.tick(job)
    assert idle
    assert writes(idle) == []
    with app.app_context(), sent(app) as later:
        for job in often:
            context = JobContext(scheduler.settings, scheduler.lead)
            run_job(job, context, owner=scheduler.owner, now=utcnow() + timedelta(seconds=61))
    assert len([one for one in later if "job_runs" in one and one.startswith("INSERT")]) == len(often)


def test_what_was_done_is_told_at_once(app: Flask, session: Any) -> None:
    context, sweep = JobContext(app.extensions["lotus_settings"], lead(LEADER)), job_named("sla")
    assert sweep is not None
    run_job(sweep, context, owner=LEADER, now=utcnow())
    open_items(app, ["t1"], at=utcnow() - timedelta(hours=5))
    run_job(sweep, context, owner=LEADER, now=utcnow())
    assert row("sla") == (LEADER, {"escalated": 1, "warned": 0, "failed": 0}, None)


def test_who_waits_for_the_lead_only_looks(app: Flask, session: Any) -> None:
    lead(LEADER)
    waiting = Scheduler(app, app.extensions["lotus_settings"])
    with sent(app) as statements:
        waiting.renew()
        for job in JOBS:
            waiting.tick(job)
    assert waiting.lead is None
    assert statements
    assert writes(statements) == []


def test_a_lead_that_ran_out_is_taken(app: Flask, session: Any) -> None:
    lead(LEADER, lease=timedelta(0))
    waiting = Scheduler(app, app.extensions["lotus_settings"])
    waiting.renew()
    assert waiting.lead == Leadership(waiting.owner, 2)


def test_who_lost_the_lead_leaves_the_new_leaders_row_alone(app: Flask, session: Any) -> None:
    settings = app.extensions["lotus_settings"]
    old = lead(LEADER, lease=timedelta(0))
    run_job(job_of("sla", lambda *_: {"done": 1}), JobContext(settings, lead(NEXT)), owner=NEXT, now=utcnow())

    def stumble(*_: Any) -> dict[str, Any]:
        raise OSError("late")

    def work(context: JobContext, _now: datetime) -> dict[str, Any]:
        with context.unit():
            raise AssertionError("a unit of another leader's")

    for run in (stumble, work, lambda *_: {"done": 2}):
        with pytest.raises(Conflict) as refused:
            run_job(job_of("sla", run), JobContext(settings, old), owner=LEADER, now=utcnow())
        assert refused.value.code == "LEASE_LOST"
    assert row("sla") == (NEXT, {"done": 1}, None)


def test_another_conflict_fails_the_job_and_keeps_the_lead(app: Flask) -> None:
    scheduler = Scheduler(app, app.extensions["lotus_settings"])
    scheduler.renew()
    held = scheduler.lead

    def refuse(*_: Any) -> dict[str, Any]:
        raise Conflict("NAME_TAKEN", "Somebody was faster.")

    scheduler.tick(job_of("sla", refuse))
    assert scheduler.lead is held is not None
    with app.app_context():
        assert row("sla") == (scheduler.owner, None, "Conflict: Somebody was faster.")
        scheduler.tick(job_of("sla", lambda *_: {"done": 0}))
        assert row("sla") == (scheduler.owner, {"done": 0}, None)


def test_the_log_says_what_failed_and_where_but_not_what_it_said(
    app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    scheduler = Scheduler(app, app.extensions["lotus_settings"])

    def stumble(*_: Any) -> dict[str, Any]:
        raise KeyError("the portfolio of Amara Tan")

    scheduler.tick(job_of("sla", stumble))
    told = capsys.readouterr().err
    assert "job_failed" in told
    assert "KeyError" in told
    assert "test_runs.py" in told
    assert "Amara" not in told
