"""Several jobs processes and no web traffic: one leads, a killed leader is followed, nothing happens twice.

How soon is told by test_leadership.py and test_sweep.py, whose clocks do not depend on the machine.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from lotus_web.config.current import utcnow
from lotus_web.jobs import scheduler
from lotus_web.models import Notification, SchedulerLease, WorkflowAction
from lotus_web.store.session import db
from tests.servers.live_server import FLASK, clean_environment
from tests.servers.patience import PATIENCE, until
from tests.support.events import open_items

SHORTEST_LEASE, LONGEST_LEASE, SWEEP_SECONDS = 3, 3600, 1


@contextmanager
def jobs_processes(
    environ: dict[str, str], folder: Path, number: int, lease_seconds: int
) -> Iterator[dict[int, subprocess.Popen[bytes]]]:
    settings = {"LOTUS_JOBS_LEASE_SECONDS": str(lease_seconds), "LOTUS_SLA_SWEEP_SECONDS": str(SWEEP_SECONDS)}
    processes: dict[int, subprocess.Popen[bytes]] = {}
    try:
        for _ in range(number):
            with (folder / "jobs.log").open("wb") as log:
                started = subprocess.Popen(
                    [*FLASK, "jobs", "run"],
                    cwd=folder,
                    env=clean_environment({**environ, **settings}),
                    stdout=log,
                    stderr=log,
                )
            processes[started.pid] = started
            (folder / "jobs.log").rename(folder / f"jobs-{started.pid}.log")
        yield processes
    finally:
        for process in processes.values():
            if process.poll() is None:
                process.kill()
            process.wait()


def runs(folder: Path, process_id: int) -> bool:
    """Return whether a process has said that it runs; from then on it knows what to do when asked to stop."""
    return b"Jobs process" in (folder / f"jobs-{process_id}.log").read_bytes()


def until_stored(app: Flask, holds: Callable[[], bool]) -> None:
    """Look into the store again and again until something holds."""

    def looked() -> bool:
        db.session.rollback()
        return holds()

    with app.app_context():
        until(looked)
        db.session.rollback()


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
    with jobs_processes(environ, tmp_path, 3, SHORTEST_LEASE) as processes:
        until_stored(app, lambda: escalated() > 0)
        with app.app_context():
            killed, fence = leader()
        processes[killed].send_signal(signal.SIGKILL)
        processes[killed].wait()
        until_stored(app, lambda: leader()[1] > fence)
        until_stored(app, lambda: escalated() >= 100)
        second = open_items(app, [f"u{number:03d}" for number in range(20)], at=utcnow() - timedelta(hours=5))
        until_stored(app, lambda: escalated() >= 120)
        del processes[killed]
        until(lambda: all(runs(tmp_path, left) for left in processes))
        for process in processes.values():
            process.send_signal(signal.SIGTERM)
        assert [process.wait(timeout=PATIENCE) for process in processes.values()] == [0, 0]
    with app.app_context():
        assert leader()[0] in processes
        acted = Counter(db.session.scalars(select(WorkflowAction.workflow_id)))
        told = Counter(
            db.session.scalars(select(Notification.workflow_id).where(Notification.category == "escalation"))
        )
    assert acted == told == Counter(first + second)


@pytest.mark.stores("sqlite")
def test_a_leader_that_is_asked_to_stop_lets_the_lease_go(app: Flask, environ: dict[str, str], tmp_path: Path) -> None:
    with jobs_processes(environ, tmp_path, 1, LONGEST_LEASE) as processes:
        until_stored(app, lambda: leader()[1] > 0)
        (process,) = processes.values()
        asked = utcnow()
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(timeout=PATIENCE) == 0
    with app.app_context():
        row = db.session.get(SchedulerLease, "jobs")
        assert row is not None
        assert asked <= row.until <= utcnow()


@pytest.mark.stores("sqlite")
def test_a_scheduler_stops_though_the_store_is_gone(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def gone(_session: object, owner: str) -> None:
        asked.append(owner)
        raise OperationalError("UPDATE", {}, Exception("the store is gone"))

    monkeypatch.setattr(scheduler, "release_lead", gone)
    leading = scheduler.Scheduler(app, app.extensions["lotus_settings"])
    leading.start()
    leading.stop()
    assert asked == [leading.owner]
    assert not leading.clock.running
