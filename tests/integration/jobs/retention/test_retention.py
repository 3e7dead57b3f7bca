"""Retention: what is old goes with all that hangs on it alone; what is held, open or proof stays; the preview is exact."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, text

from lotus_web.config.current import utcnow
from lotus_web.config.policy import DeploymentPolicy
from lotus_web.config.settings import Settings
from lotus_web.domain.decisions.gate import GateAction
from lotus_web.domain.surface import Surface
from lotus_web.jobs import retention
from lotus_web.jobs.context import JobContext
from lotus_web.models import RetentionEntry
from lotus_web.queries.support.summary import counted
from lotus_web.services.idempotency import overwrite_key
from lotus_web.services.retention.legal_hold import set_legal_hold
from lotus_web.services.retention.purge import purge_batch
from lotus_web.services.retention.targets import RUNS, Target
from lotus_web.services.runs.record import record_run
from lotus_web.services.runs.replay import replay_run
from lotus_web.services.runs.simulate import simulate
from lotus_web.services.support import recount
from lotus_web.store.session import db, transaction
from lotus_web.wire.rebalance.request import RebalanceRequestBody
from tests.support.analyses import accept, simulate_json, ticking
from tests.support.histories import ADA, EVENTS, FEED, NOW, OFF, assert_provable, computed, count, decide, record

pytestmark = [
    pytest.mark.usefixtures("session"),
    pytest.mark.environ(DPM_SUPPORTABILITY_RETENTION_DAYS="30", DPM_ASYNC_OPERATIONS_TTL_SECONDS="3600"),
]
LATER = NOW + timedelta(days=31)
KEPT = DeploymentPolicy(persist_artifacts=True)


@pytest.fixture
def job(environ: dict[str, str]) -> JobContext:
    return JobContext(Settings(environ))


@pytest.fixture(autouse=True)
def _counters_stay_true(session: Any) -> Iterator[None]:
    yield
    db.session.rollback()
    assert counted(db.session(), "default") == recount(db.session(), "default")


def purge(job: JobContext, now: datetime = LATER) -> dict[str, Any]:
    foretold = retention.preview(job, now)
    del foretold["kept"]
    done = retention.purge(job, now)
    assert done.pop("longest_batch_ms") >= 0
    db.session.rollback()
    assert foretold == done
    again = retention.purge(job, now)
    assert again.keys() == {"longest_batch_ms"}
    return done


def simulated(key: str, at: datetime = NOW, *, correlation_id: str = "corr-desk") -> str:
    body = RebalanceRequestBody.model_validate(simulate_json())
    done = simulate(
        body, idempotency_key=key, correlation_id=correlation_id, actor=FEED, policy=KEPT, clock=ticking(at)
    )
    return done.rebalance_run_id


def hold(run_id: str, held: bool = True) -> None:
    with transaction() as session:
        set_legal_hold(session, run_id, hold=held, reason="Court order 7", actor=ADA, surface=Surface.FORM, now=NOW)


def test_an_old_run_goes_with_everything_that_hangs_on_it_alone(job: JobContext) -> None:
    simulated("key-1")
    assert purge(job) == {
        "artifacts": 1,
        "edges": 2,
        "history_rows": 1,
        "idempotency_keys": 1,
        "payloads": 1,
        "runs": 1,
    }
    for table in ("dpm_runs", "dpm_run_payloads", "dpm_run_artifacts", "dpm_idempotency_keys", "dpm_lineage_edges"):
        assert count(table) == 0


def test_age_is_strict_and_zero_days_keep_for_ever(job: JobContext, environ: dict[str, str]) -> None:
    with transaction() as session:
        record(session, 1, policy=OFF)
    assert purge(job, NOW + timedelta(days=30)) == {}
    forever = JobContext(Settings({**environ, "DPM_SUPPORTABILITY_RETENTION_DAYS": "0"}))
    assert purge(forever, NOW + timedelta(days=4000)) == {}
    assert purge(job, NOW + timedelta(days=30, microseconds=1))["runs"] == 1


def test_a_run_with_an_open_item_stays_until_it_is_decided_and_its_decisions_stay_for_ever(job: JobContext) -> None:
    with transaction() as session:
        record(session, 1)
    assert retention.preview(job, LATER) == {"kept": {"legal_hold": 0, "open_item": 1}}
    assert purge(job) == {}
    with transaction() as session:
        decide(session, 1, GateAction.APPROVE)
    before = {table: count(table) for table in ("dpm_workflow_decisions", "dg_workflow_actions")}
    events = count("dg_event_log", EVENTS)
    assert purge(job)["runs"] == 1
    assert {table: count(table) for table in before} == before
    assert count("dg_event_log", EVENTS) == events
    assert count("dg_event_log", "event_type = 'RetentionRecorded'") == 1
    assert before["dpm_workflow_decisions"] == 1
    assert_provable()


def test_a_held_run_stays_until_the_hold_is_lifted(job: JobContext) -> None:
    run_id = simulated("key-1")
    hold(run_id)
    assert retention.preview(job, LATER) == {"kept": {"legal_hold": 1, "open_item": 0}}
    assert purge(job) == {}
    hold(run_id, held=False)
    assert purge(job)["runs"] == 1


def test_a_hold_that_comes_between_choice_and_removal_wins() -> None:
    run_id = simulated("key-1")
    hold(run_id)
    with transaction() as session:
        gone = purge_batch(session, Target(RUNS, "default", LATER, LATER), [run_id])
    assert not gone
    assert count("dpm_runs") == 1


def test_edges_and_keys_of_a_surviving_run_with_the_same_names_stay(job: JobContext) -> None:
    old = simulated("key-1")
    new = simulated("key-2", NOW + timedelta(days=20))
    with transaction() as session:
        overwrite_key(session, tenant_id="default", key="key-1", request_hash="h", run_id=new, now=NOW)
    assert purge(job)["edges"] == 2
    kept = db.session.execute(text("SELECT source_entity_id, target_entity_id FROM dpm_lineage_edges")).all()
    assert sorted(map(tuple, kept)) == [("corr-desk", new), ("key-2", new)]
    assert count("dpm_idempotency_keys", f"rebalance_run_id = '{new}'") == 2
    assert count("dpm_runs", f"rebalance_run_id = '{old}'") == 0


def test_an_id_that_names_something_else_keeps_its_edges(job: JobContext) -> None:
    with transaction() as session:
        run = record_run(session, computed(1), actor=FEED, now=NOW, policy=OFF)
    simulated("key-2", NOW + timedelta(days=20), correlation_id=run.rebalance_run_id)
    assert purge(job)["edges"] == 1
    assert count("dpm_lineage_edges", "source_kind = 'correlation' AND source_entity_id = 'rr_00000001'") == 1


def test_the_edge_between_an_old_run_and_its_replay_goes_once(job: JobContext) -> None:
    old = simulated("key-1")
    replay_run(old, correlation_id="corr-again", actor=FEED, policy=OFF, clock=ticking(NOW))
    done = purge(job)
    assert (done["runs"], done["edges"]) == (2, 4)


def test_after_a_purge_the_key_computes_afresh(job: JobContext) -> None:
    old = simulated("key-1")
    purge(job)
    assert simulated("key-1", LATER) != old
    assert count("dpm_runs") == 1


def test_each_purge_is_on_record_with_what_proves_a_copy(job: JobContext) -> None:
    run_id = simulated("key-1")
    artifact_hash = db.session.execute(text("SELECT artifact_hash FROM dpm_runs")).scalar_one()
    purge(job)
    (entry,) = db.session.scalars(select(RetentionEntry)).all()
    assert (entry.entry_type, entry.entity_id, entry.recorded_at) == ("RUN_PURGED", run_id, LATER)
    assert entry.details["artifact_hash"] == artifact_hash
    assert entry.details["portfolio_id"] == "pf_amara_tan"


def test_only_finished_operations_go_and_only_after_their_time(job: JobContext) -> None:
    one = {"one": {"options": {}}}
    finished = accept(one, inline=True)
    accept(one)
    assert purge(job, utcnow() + timedelta(seconds=3500)) == {}
    assert purge(job, utcnow() + timedelta(seconds=3700)) == {"edges": 2, "operations": 1}
    assert count("dpm_operations", "status = 'PENDING'") == count("dpm_operations") == 1
    assert count("dpm_operation_payloads") == 1
    assert count("dpm_operation_steps") == 0
    assert count("dpm_retention_log", f"entity_id = '{finished.operation_id}'") == 1
    assert count("dpm_runs") == 1


def test_many_batches_and_many_tenants_add_up_to_the_preview(job: JobContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "FIRST_BATCH", 20)
    monkeypatch.setattr(retention, "next_batch_size", lambda size, _seconds: size)
    other = FEED.__class__(FEED.actor_type, FEED.actor_id, "another", FEED.permissions)
    with transaction() as session:
        for number in range(1, 24):
            record(session, number, policy=OFF, actor=other if number % 3 == 0 else FEED)
    hold("rr_00000004")
    assert purge(job)["runs"] == 22
    assert count("dpm_runs") == 1
    assert count("dpm_retention_log", "entry_type = 'RUN_PURGED'") == 22


def test_what_goes_is_read_before_the_lock_is_taken(job: JobContext) -> None:
    simulated("key-1")
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    retention.purge(job, LATER)
    event.remove(db.engine, "before_cursor_execute", note)
    locked = next(place for place, statement in enumerate(sent) if "last_log_seq" in statement)
    for table in ("dpm_run_payloads", "dpm_run_artifacts", "dpm_idempotency_keys", "dpm_lineage_edges", "dpm_runs"):
        read = [place for place, statement in enumerate(sent) if statement.startswith("SELECT") and table in statement]
        assert min(read) < locked, table


def test_the_log_of_retention_refuses_to_be_changed(job: JobContext) -> None:
    simulated("key-1")
    purge(job)
    for statement in ("DELETE FROM dpm_retention_log", "UPDATE dpm_retention_log SET entity_id = 'x'"):
        with pytest.raises(Exception, match="append-only"), transaction() as session:
            session.execute(text(statement))


def test_the_command_previews_and_then_does_what_it_previewed(app: Any, job: JobContext) -> None:
    simulated("key-1", utcnow() - timedelta(days=31))
    runner = app.test_cli_runner()
    asked = ["jobs", "tick", "--job", "retention"]
    foretold = json.loads(runner.invoke(args=[*asked, "--dry-run"]).output)["retention"]
    assert foretold.pop("kept") == {"legal_hold": 0, "open_item": 0}
    assert count("dpm_runs") == 1
    done = json.loads(runner.invoke(args=asked).output)["retention"]
    del done["longest_batch_ms"]
    assert done == foretold
    assert count("dpm_runs") == 0
