"""Who leads the jobs and how each last went."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from lotus_web.config.current import utcnow
from lotus_web.jobs.context import JobContext
from lotus_web.jobs.schedule import job_named
from lotus_web.jobs.scheduler import run_job
from lotus_web.queries.jobs import job_status
from lotus_web.services.jobs.leases import take_lead
from lotus_web.store.session import db, transaction

CADENCES = {"sla": 30, "claims": 30}


def test_before_anything_ran_nobody_leads_and_all_is_late(session: Session) -> None:
    found = job_status(db.session(), CADENCES, now=utcnow())
    assert (found.leader, found.fence, found.healthy) == (None, 0, False)
    assert [(job.job, job.late) for job in found.jobs] == [("sla", True), ("claims", True)]


def test_the_leader_and_the_last_runs_are_shown(app: Flask, session: Session) -> None:
    with transaction() as opened:
        take_lead(opened, "host:1:a", lease=timedelta(seconds=15))
    for name in CADENCES:
        job = job_named(name)
        assert job is not None
        run_job(job, JobContext(app.extensions["lotus_settings"]), owner="host:1:a", now=utcnow())
    found = job_status(db.session(), CADENCES, now=utcnow())
    assert (found.leader, found.fence, found.healthy) == ("host:1:a", 1, True)
    assert found.jobs[0].outcome == {"escalated": 0, "warned": 0, "failed": 0}
    later = job_status(db.session(), CADENCES, now=utcnow() + timedelta(minutes=3))
    assert (later.leader, later.healthy, later.jobs[0].late) == (None, False, True)
