"""The job of checkpoints: in its own process, at its stop, and what happens to a log under load while it signs."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from lotus_web.jobs import checkpoints
from lotus_web.jobs.context import JobContext
from lotus_web.jobs.schedule import job_named
from lotus_web.jobs.scheduler import run_job
from lotus_web.models import EventLogEntry, JobRun, LogCheckpoint
from lotus_web.queries.transparency.verify import verify_tree
from lotus_web.services.transparency import checkpoints as service
from lotus_web.store.session import db
from tests.conftest import MakeApp
from tests.support.histories import NOW
from tests.support.logs import fill, log_settings, sign


def sizes() -> list[int]:
    db.session.rollback()
    return list(db.session.scalars(select(LogCheckpoint.tree_size).order_by(LogCheckpoint.tree_size)))


def test_the_jobs_process_signs_what_is_new_when_it_stops(
    make_app: MakeApp, environ: dict[str, str], tmp_path: Path, root: Path
) -> None:
    settings = log_settings(tmp_path, LOTUS_CHECKPOINT_SECONDS="3600", LOTUS_JOBS="external")
    app = make_app(**settings)
    with app.app_context():
        fill(3)
        command = [sys.executable, "-m", "flask", "--app", str(root / "app.py"), "jobs", "run"]
        jobs = subprocess.Popen(command, env={**environ, **settings}, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
        assert jobs.stderr is not None
        while "checkpoints" not in set(db.session.scalars(select(JobRun.job))):
            db.session.rollback()
            assert jobs.poll() is None, jobs.stderr.read()
            threading.Event().wait(0.05)
        assert sizes() == [3], "at its start"
        fill(4)
        jobs.send_signal(signal.SIGTERM)
        _, said = jobs.communicate(timeout=60)
        assert jobs.returncode == 0, said
        assert sizes() == [3, 7], "and at its stop, an hour before the next is due"
        assert verify_tree(db.session(), app.extensions["lotus_settings"], "default").intact
        db.session.rollback()


def test_checkpoints_signed_while_others_append_are_all_of_one_log(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(**log_settings(tmp_path))
    done = threading.Event()

    def append() -> None:
        with app.app_context():
            for _ in range(25):
                fill(11)
        done.set()

    def check(signer: Flask) -> None:
        with signer.app_context():
            while not done.is_set():
                sign(signer)
            sign(signer)

    other = make_app(**log_settings(tmp_path))
    threads = [threading.Thread(target=append), threading.Thread(target=check, args=[app])]
    threads.append(threading.Thread(target=check, args=[other]))
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=120)
    with app.app_context():
        assert sizes()[-1] == db.session.scalar(select(func.count()).select_from(EventLogEntry)) == 275
        report = verify_tree(db.session(), app.extensions["lotus_settings"], "default")
        assert (report.wrong, report.size) == ([], 275)
        db.session.rollback()


def test_a_job_that_is_asked_to_stop_ends_after_its_step(
    make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(**log_settings(tmp_path))
    monkeypatch.setattr(service, "STEP", 1)
    with app.app_context():
        fill(600)
        context = JobContext(app.extensions["lotus_settings"])
        context.stop.set()
        assert checkpoints.sign(context, NOW) == {"signed": 0, "entries": 0}
        assert sizes() == []
        job = job_named("checkpoints")
        assert job is not None and job.at_stop
        told = run_job(job, JobContext(app.extensions["lotus_settings"]), owner="test", now=NOW)
        assert told == {"signed": 3, "entries": 600}
        db.session.rollback()
