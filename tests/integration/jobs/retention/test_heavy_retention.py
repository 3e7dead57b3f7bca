"""However much hangs on one run or operation, a batch removes a bounded number of rows, and asks each time whether it may."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, insert, select
from sqlalchemy.engine import Connection

from lotus_web.config.current import utcnow
from lotus_web.config.settings import Settings
from lotus_web.domain.decisions.gate import GateAction
from lotus_web.domain.retention import FIRST_BATCH, LARGEST_BATCH, SMALLEST_BATCH
from lotus_web.domain.surface import Surface
from lotus_web.jobs import retention
from lotus_web.jobs.context import JobContext
from lotus_web.models import (
    AuditRecord,
    IdempotencyHistoryRow,
    IdempotencyKey,
    LineageEdge,
    Operation,
    OperationPayload,
    OperationStep,
    RetentionEntry,
    Run,
    RunArtifact,
    RunPayload,
)
from lotus_web.queries.support.summary import counted
from lotus_web.services.retention.legal_hold import set_legal_hold
from lotus_web.services.support import bring_up_to_date, recount
from lotus_web.store.session import db, transaction
from tests.contract.rows import add_replays
from tests.support.analyses import accept
from tests.support.histories import ADA, NOW, OFF, count, decide, record

pytestmark = [
    pytest.mark.usefixtures("session"),
    pytest.mark.environ(DPM_SUPPORTABILITY_RETENTION_DAYS="30", DPM_ASYNC_OPERATIONS_TTL_SECONDS="3600"),
]
LATER = NOW + timedelta(days=31)
REPLAYS = 3 * LARGEST_BATCH
REMOVABLE = (
    *(Run, RunPayload, RunArtifact, IdempotencyKey, IdempotencyHistoryRow, LineageEdge),
    *(Operation, OperationPayload, OperationStep),
)


@pytest.fixture
def job(environ: dict[str, str]) -> JobContext:
    return JobContext(Settings(environ))


@pytest.fixture(autouse=True)
def _counters_stay_true(session: Any) -> Iterator[None]:
    yield
    db.session.rollback()
    assert counted(db.session(), "default") == recount(db.session(), "default")


@pytest.fixture
def removals(session: Any) -> Iterator[list[int]]:
    """How many rows each transaction of the test removed, those that removed none left out."""
    sizes: list[int] = []
    left = [0]

    def rows(connection: Connection) -> int:
        tables = (select(func.count()).select_from(model).scalar_subquery() for model in REMOVABLE)
        return sum(connection.execute(select(*tables)).one())

    def note(connection: Connection) -> None:
        now = rows(connection)
        if now < left[0]:
            sizes.append(left[0] - now)
        left[0] = now

    event.listen(db.engine, "commit", note)
    yield sizes
    event.remove(db.engine, "commit", note)


def recorded(number: int = 1, *, reviewed: bool = False) -> str:
    with transaction() as session:
        if not reviewed:
            record(session, number, policy=OFF)
        else:
            record(session, number)
            decide(session, number, GateAction.APPROVE)
    return f"rr_{number:08d}"


def replayed(run_id: str, times: int) -> None:
    add_replays(run_id, times, key="key", start=NOW)


def purge(job: JobContext) -> dict[str, Any]:
    """Purge, and see that what goes is what was foretold."""
    foretold = retention.preview(job, LATER)
    del foretold["kept"]
    done = retention.purge(job, LATER)
    del done["longest_batch_ms"]
    assert done == foretold
    return done


def test_no_transaction_removes_more_rows_than_a_batch_may(job: JobContext, removals: list[int]) -> None:
    run_id = recorded()
    recorded(2)
    replayed(run_id, REPLAYS)
    done = purge(job)
    assert done["history_rows"] == REPLAYS
    assert done["edges"] >= REPLAYS
    assert sum(removals) == sum(done.values())
    assert max(removals) <= LARGEST_BATCH
    assert removals[0] == FIRST_BATCH
    assert count("dpm_retention_log", f"entry_type = 'RUN_PURGED' AND entity_id = '{run_id}'") == 1
    assert count("dg_audit_records", f"code = 'PURGE_BEGUN' AND subject = '{run_id}'") == 1


def test_a_batch_of_many_runs_counts_their_rows(
    job: JobContext, removals: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "next_batch_size", lambda size, _seconds: size)
    for number in range(1, 31):
        replayed(recorded(number), FIRST_BATCH // 10)
    done = purge(job)
    assert done["runs"] == 30
    assert sum(removals) == sum(done.values())
    assert FIRST_BATCH // 2 < removals[0] <= max(removals) <= FIRST_BATCH
    assert count("dg_audit_records") == 0


def test_an_ordinary_run_goes_whole_however_slow_the_store_is(
    job: JobContext, removals: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "next_batch_size", lambda _size, _seconds: SMALLEST_BATCH)
    for number in range(1, 6):
        replayed(recorded(number), SMALLEST_BATCH)
    one = sum(purge(job).values()) // 5
    assert FIRST_BATCH > one > SMALLEST_BATCH
    assert removals == [2 * one, one, one, one]
    assert count("dg_audit_records") == 0


def hold(run_id: str) -> None:
    with transaction() as session:
        set_legal_hold(session, run_id, hold=True, reason="Court order 7", actor=ADA, surface=Surface.FORM, now=LATER)


def reopen(_run_id: str) -> None:
    with transaction() as session:
        decide(session, 1, GateAction.REQUEST_CHANGES)


class Meanwhile(threading.Event):
    """A stop that, between the second batch and the third, lets something happen."""

    def __init__(self, happens: Callable[[], None]):
        super().__init__()
        self.happens, self.waits = happens, 0

    def wait(self, timeout: float | None = None) -> bool:
        self.waits += 1
        if self.waits == 2:
            self.happens()
        return self.is_set()


@pytest.mark.parametrize("keep", [hold, reopen])
def test_a_run_that_is_kept_between_two_pieces_keeps_the_rest_and_its_own_recording(
    job: JobContext, keep: Callable[[str], None]
) -> None:
    run_id = recorded(reviewed=True)
    replayed(run_id, REPLAYS)
    stop = Meanwhile(lambda: keep(run_id))
    done = retention.purge(JobContext(job.settings, stop=stop), LATER)
    assert 0 < done["history_rows"] < REPLAYS
    assert done.keys() == {"history_rows", "longest_batch_ms"}
    assert count("dpm_idempotency_history", "correlation_id = 'corr-replay-00000'") == 1
    assert count("dpm_runs") == count("dpm_run_payloads") == 1
    assert count("dpm_retention_log", "entry_type = 'RUN_PURGED'") == 0
    (line,) = db.session.scalars(select(AuditRecord).where(AuditRecord.code == "PURGE_BEGUN")).all()
    assert (line.actor_type, line.actor_id, line.subject) == ("system", "retention", run_id)


def test_a_job_that_is_stopped_between_two_pieces_is_finished_by_the_next(job: JobContext) -> None:
    replayed(recorded(), REPLAYS)
    stop = Meanwhile(lambda: None)
    stop.happens = stop.set
    begun = retention.purge(JobContext(job.settings, stop=stop), LATER)
    assert "runs" not in begun
    assert begun["history_rows"] + purge(job)["history_rows"] == REPLAYS
    assert count("dpm_runs") == count("dpm_idempotency_history") == count("dpm_lineage_edges") == 0


def test_an_operation_that_was_run_again_without_end_goes_in_pieces_too(job: JobContext, removals: list[int]) -> None:
    operation_id = accept({"one": {"options": {}}}, inline=True).operation_id
    edge = {
        "tenant_id": "default",
        "source_kind": "operation",
        "edge_type": "REPLAYED_FROM",
        "target_entity_id": operation_id,
        "target_kind": "operation",
        "details": {},
        "created_at": NOW,
    }
    with transaction() as session:
        session.execute(insert(LineageEdge), [edge | {"source_entity_id": f"dop_{one}"} for one in range(REPLAYS)])
        bring_up_to_date(session, "default")
    done = retention.purge(job, utcnow() + timedelta(hours=2))
    assert (done["operations"], done["edges"]) == (1, REPLAYS + 2)
    assert max(removals) <= LARGEST_BATCH
    (entry,) = db.session.scalars(select(RetentionEntry)).all()
    assert (entry.entry_type, entry.entity_id) == ("OPERATION_PURGED", operation_id)
