"""Several jobs processes and no web traffic: one leads, a killed leader is followed within the lease, nothing happens twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from lotus_web.current import utcnow
from lotus_web.db import db
from lotus_web.jobs import scheduler
from lotus_web.models import Notification, SchedulerLease, WorkflowAction
from tests.live_server import ROOT, clean_environment
from tests.outside import open_items

LEASE_SECONDS, SWEEP_SECONDS = 3, 1
PATIENCE = 60


@contextmanager
def jobs_processes(environ: dict[str, str], folder: Path, number: int) -> Iterator[dict[int, subprocess.Popen[bytes]]]:
    settings = {"LOTUS_JOBS_LEASE_SECONDS": str(LEASE_SECONDS), "LOTUS_SLA_SWEEP_SECONDS": str(SWEEP_SECONDS)}
    command = [sys.executable, "-m", "flask", "--app", str(ROOT / "app.py"), "jobs", "run"]
    processes = []
    for place in range(number):
        with (folder / f"jobs-{place}.log").open("wb") as log:
            started = subprocess.Popen(
                command, cwd=folder, env=clean_environment({**environ, **settings}), stdout=log, stderr=log
            )
        processes.append(started)
    try:
        yield {process.pid: process for process in processes}
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
            process.wait()


def until(app: Flask, holds: Callable[[], bool], seconds: float = PATIENCE) -> float:
    """Look again and again until something holds; return how long that took."""
    started = time.monotonic()
    with app.app_context():
        while not holds():
            db.session.rollback()
            assert time.monotonic() - started < seconds, "it never came to hold"
            time.sleep(0.02)
        db.session.rollback()
    return time.monotonic() - started


def escalated() -> int:
    query = select(func.count()).select_from(WorkflowAction).where(WorkflowAction.action_type == "escalate")
    return db.session.scalar(query) or 0


def leader() -> tuple[int, int]:
    """Return the leader's process id and fence; zeros before there is one."""
    row = db.session.get(SchedulerLease, "jobs", populate_existing=True)
    return (int(row.owner.split(":")[1]), row.fence) if row is not None and row.owner else (0, 0)


def test_three_processes_escalate_each_item_once_though_their_leader_is_killed(
    app: Flask, environ: dict[str, str], tmp_path: Path
) -> None:
    first = open_items(app, [f"t{number:03d}" for number in range(100)], at=utcnow() - timedelta(hours=5))
    with jobs_processes(environ, tmp_path, 3) as processes:
        until(app, lambda: escalated() > 0)
        with app.app_context():
            killed, fence = leader()
        processes[killed].send_signal(signal.SIGKILL)
        processes[killed].wait()
        until(app, lambda: leader()[1] > fence, LEASE_SECONDS * 2 + 2)
        until(app, lambda: escalated() >= 100)
        second = open_items(app, [f"u{number:03d}" for number in range(20)], at=utcnow() - timedelta(hours=5))
        until(app, lambda: escalated() >= 120, 2 * SWEEP_SECONDS + 8)
        left = [process for pid, process in processes.items() if pid != killed]
        for process in left:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(timeout=30) for process in left] == [0, 0]
    with app.app_context():
        assert leader()[0] in {process.pid for process in left}
        acted = Counter(db.session.scalars(select(WorkflowAction.workflow_id)))
        told = Counter(
            db.session.scalars(select(Notification.workflow_id).where(Notification.category == "escalation"))
        )
    assert acted == told == Counter(first + second)


@pytest.mark.stores("sqlite")
def test_a_leader_that_is_asked_to_stop_lets_the_lease_go(app: Flask, environ: dict[str, str], tmp_path: Path) -> None:
    with jobs_processes(environ, tmp_path, 1) as processes:
        until(app, lambda: leader()[1] > 0)
        (process,) = processes.values()
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    with app.app_context():
        row = db.session.get(SchedulerLease, "jobs")
        assert row is not None
        assert utcnow() - timedelta(minutes=2) < row.until < utcnow()


@pytest.mark.stores("sqlite")
def test_a_scheduler_stops_though_the_store_is_gone(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def gone(_session: object, owner: str) -> None:
        asked.append(owner)
        raise OperationalError("UPDATE", {}, Exception("the store is gone"))

    monkeypatch.setattr(scheduler, "give_up_lead", gone)
    leading = scheduler.Scheduler(app, app.extensions["lotus_settings"])
    leading.start()
    leading.stop()
    assert asked == [leading.owner]
    assert not leading.clock.running
