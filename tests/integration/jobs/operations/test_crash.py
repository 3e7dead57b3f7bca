"""A worker is killed in the middle of an operation: another finishes it, and no scenario is recorded twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import IO

import pytest

from lotus_web.config.current import utcnow
from lotus_web.config.settings import Settings
from lotus_web.jobs.context import JobContext
from lotus_web.jobs.operations import run_due
from lotus_web.models import Operation
from lotus_web.queries.operations.lookup import operation_runs
from lotus_web.store.session import db
from tests.servers.live_server import ROOT, clean_environment
from tests.support.analyses import SCENARIOS, accept, silence, told
from tests.support.histories import count

pytestmark = [
    pytest.mark.usefixtures("session"),
    # So long that it runs out only where a test lets it.
    pytest.mark.environ(LOTUS_OPERATION_LEASE_SECONDS="3600", DPM_WORKFLOW_ENABLED="true"),
]
StartWorker = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def start_worker(environ: dict[str, str]) -> Iterator[StartWorker]:
    """``start_worker("writing")``: a process that has fallen silent in the middle of its second scenario."""
    with ExitStack() as started:

        def start(where: str) -> subprocess.Popen[str]:
            worker = subprocess.Popen(
                [sys.executable, "-m", "tests.stores.silent_worker", where],
                cwd=ROOT,
                env=clean_environment(environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            started.callback(worker.communicate)
            started.callback(worker.kill)
            assert line_of(worker.stdout) == "in the middle"
            return worker

        yield start


def line_of(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline().strip()


def due(operation_id: str) -> datetime:
    db.session.rollback()
    operation = db.session.get(Operation, ("default", operation_id), populate_existing=True)
    assert operation is not None
    assert operation.due_at is not None
    return operation.due_at


@pytest.mark.parametrize("where", ["writing", "computing"])
def test_a_worker_that_is_killed_in_the_middle_is_replaced_within_its_lease(
    environ: dict[str, str], start_worker: StartWorker, where: str
) -> None:
    accepted = accept()
    worker = start_worker(where)
    worker.kill()
    worker.wait()

    assert told(accepted.operation_id).row.status == "RUNNING"
    first = operation_runs(db.session(), "default", accepted.operation_id)
    assert [run.scenario for run in first] == ["baseline"]
    assert count("dpm_runs") == 1

    context = JobContext(Settings(environ))
    assert run_due(context, utcnow()) == {"finished": 0, "released": 0}
    silence(accepted.operation_id)
    assert run_due(context, utcnow()) == {"finished": 1, "released": 0}

    row = told(accepted.operation_id).row
    assert (row.status, row.attempts, row.progress.scenarios_done) == ("SUCCEEDED", 2, 3)
    finished = operation_runs(db.session(), "default", accepted.operation_id)
    assert finished[0] == first[0]
    assert [run.scenario for run in finished] == sorted(SCENARIOS)
    assert count("dpm_runs") == 3
    assert count("dpm_lineage_edges", "edge_type = 'CAUSED_BY'") == 3


def test_a_worker_that_computes_for_longer_than_its_lease_keeps_the_operation(
    environ: dict[str, str], start_worker: StartWorker
) -> None:
    accepted = accept()
    worker = start_worker("computing")
    silence(accepted.operation_id)
    assert due(accepted.operation_id) <= utcnow()
    assert worker.stdin is not None
    worker.stdin.write("beat\n")
    worker.stdin.flush()
    assert line_of(worker.stdout) == "beaten"
    assert due(accepted.operation_id) > utcnow()
    assert run_due(JobContext(Settings(environ)), utcnow()) == {"finished": 0, "released": 0}
    row = told(accepted.operation_id).row
    assert (row.status, row.attempts, row.progress.scenarios_done) == ("RUNNING", 1, 1)
