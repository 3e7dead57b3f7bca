"""Operations: accepted once, claimed by one, taken up after a silence, ended with a stable code."""

from __future__ import annotations

import json
import threading
import zlib
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import exc, text

from lotus_web.config.current import utcnow
from lotus_web.config.settings import Settings
from lotus_web.domain.access import ActorType
from lotus_web.domain.errors import Conflict, NotFound
from lotus_web.jobs.context import JobContext
from lotus_web.jobs.operations import run_due
from lotus_web.models import Operation
from lotus_web.queries.operations.lookup import operation_runs
from lotus_web.services.analyses import operation as analyses_operation
from lotus_web.services.analyses import scenarios
from lotus_web.services.handlers import HANDLERS
from lotus_web.services.operations import leases
from lotus_web.services.operations.leases import Claim, LeaseTerms, OperationLost, claim_due, claim_operation, renew
from lotus_web.services.operations.worker import execute_now, work_on
from lotus_web.store.session import db, transaction
from tests.support.analyses import SCENARIOS, TERMS, WRONG_OPTIONS, accept, silence, told
from tests.support.histories import FEED, OFF, count

pytestmark = pytest.mark.usefixtures("session")
MICROSECOND = timedelta(microseconds=1)


def execute(operation_id: str, terms: LeaseTerms = TERMS) -> None:
    execute_now(operation_id, tenant_id="default", handlers=HANDLERS, policy=OFF, terms=terms, clock=utcnow)


def claim(operation_id: str) -> Any:
    with transaction() as session:
        return claim_operation(session, "default", operation_id, terms=TERMS, now=utcnow())


def jobs(environ: dict[str, str]) -> dict[str, Any]:
    return run_due(JobContext(Settings(environ)), utcnow())


def test_an_accepted_operation_waits_with_its_request_and_an_edge_to_its_correlation() -> None:
    accepted = accept()
    row = told(accepted.operation_id).row
    assert (accepted.status, row.status, row.is_executable) == ("PENDING", "PENDING", True)
    assert (row.progress.scenarios_done, row.progress.scenarios_total) == (0, 3)
    assert count("dpm_lineage_edges", "edge_type = 'OPERATION_TO_CORRELATION'") == 1
    assert count("dpm_runs") == 0


def test_an_inline_operation_is_finished_when_it_is_accepted_and_still_answers_pending() -> None:
    accepted = accept(inline=True)
    stored = told(accepted.operation_id)
    assert accepted.status == "PENDING"
    assert (stored.row.status, stored.row.is_executable, stored.row.progress.scenarios_done) == ("SUCCEEDED", False, 3)
    assert stored.result is not None
    assert count("dpm_runs") == 3


def test_each_run_of_an_operation_belongs_to_its_submitter_whoever_executes_it() -> None:
    accepted = accept()
    execute(accepted.operation_id)
    assert count("dpm_runs", f"submitted_by = '{FEED.actor_id}'") == 3
    operation = db.session.get(Operation, ("default", accepted.operation_id))
    assert operation is not None
    assert (operation.actor_type, operation.attempts) == (ActorType.SERVICE_ACCOUNT, 1)


def test_the_runs_of_an_operation_lead_to_it_and_to_their_batch() -> None:
    accepted = accept(inline=True)
    row = told(accepted.operation_id).row
    assert count("dpm_lineage_edges", f"edge_type = 'CAUSED_BY' AND target_entity_id = '{row.operation_id}'") == 3
    assert count("dpm_lineage_edges", f"edge_type = 'DERIVED_FROM' AND target_entity_id = '{row.subject_id}'") == 3


def test_of_eight_who_execute_at_once_one_does_and_seven_are_refused(app: Flask) -> None:
    accepted = accept()
    started, outcomes = threading.Barrier(8), []

    def ask() -> None:
        with app.app_context():
            started.wait()
            try:
                execute(accepted.operation_id)
                outcomes.append("done")
            except Conflict as refusal:
                outcomes.append(refusal.code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["DPM_ASYNC_OPERATION_NOT_EXECUTABLE"] * 7 + ["done"]
    assert count("dpm_runs") == 3
    assert told(accepted.operation_id).row.status == "SUCCEEDED"


def test_an_unknown_operation_is_not_found_and_a_finished_one_cannot_be_executed() -> None:
    accepted = accept(inline=True)
    with pytest.raises(NotFound) as unknown:
        execute("dop_000000000000")
    assert unknown.value.code == "DPM_ASYNC_OPERATION_NOT_FOUND"
    with pytest.raises(Conflict) as finished:
        execute(accepted.operation_id)
    assert finished.value.message == "The operation is SUCCEEDED and can no longer be executed."


def test_the_jobs_process_executes_what_was_only_accepted(environ: dict[str, str]) -> None:
    first, second = accept(), accept(correlation_id="corr-other")
    assert jobs(environ) == {"finished": 2, "released": 0}
    assert {told(one.operation_id).row.status for one in (first, second)} == {"SUCCEEDED"}
    assert jobs(environ) == {"finished": 0, "released": 0}


def test_a_correlation_id_may_be_used_again_and_again() -> None:
    accepted = [accept(inline=True) for _ in range(5)]
    assert {told(one.operation_id).row.status for one in accepted} == {"SUCCEEDED"}
    assert count("dpm_runs") == 15


def test_work_is_not_taken_from_a_worker_whose_lease_runs(environ: dict[str, str]) -> None:
    claim(accept().operation_id)
    assert jobs(environ) == {"finished": 0, "released": 0}


def test_work_of_a_silent_worker_goes_on_after_its_last_scenario(
    environ: dict[str, str],
) -> None:
    accepted = accept()
    ours = claim(accepted.operation_id)
    stops = iter([False, False, True])
    assert not work_on(ours, handlers=HANDLERS, policy=OFF, terms=TERMS, clock=utcnow, stop=lambda: next(stops))
    before = operation_runs(db.session(), "default", accepted.operation_id)
    assert [run.scenario for run in before] == ["baseline", "capped"]
    assert told(accepted.operation_id).row.attempts == 0
    assert jobs(environ) == {"finished": 1, "released": 0}
    after = operation_runs(db.session(), "default", accepted.operation_id)
    assert after[:2] == before
    assert count("dpm_runs") == 3
    assert told(accepted.operation_id).row.progress.scenarios_done == 3


def test_a_batch_that_was_finished_by_another_is_told_as_if_nothing_had_happened(environ: dict[str, str]) -> None:
    whole, parted = accept(inline=True), accept()
    stops = iter([False, True])
    work_on(
        claim(parted.operation_id), handlers=HANDLERS, policy=OFF, terms=TERMS, clock=utcnow, stop=lambda: next(stops)
    )
    jobs(environ)
    one, other = (json.loads(told(each.operation_id).result or b"") for each in (whole, parted))
    assert list(one["results"]) == list(other["results"]) == sorted(SCENARIOS)
    assert one["comparison_metrics"] == other["comparison_metrics"]
    for name in SCENARIOS:
        assert one["results"][name]["intents"] == other["results"][name]["intents"]


def test_a_worker_that_was_thought_lost_can_write_nothing_more(environ: dict[str, str]) -> None:
    accepted = accept()
    lost = claim(accepted.operation_id)
    silence(accepted.operation_id)
    assert jobs(environ) == {"finished": 1, "released": 0}
    with pytest.raises(OperationLost), transaction() as session:
        renew(session, lost, terms=TERMS, steps_done=1)
    assert not work_on(lost, handlers=HANDLERS, policy=OFF, terms=TERMS, clock=utcnow)
    assert count("dpm_runs") == 3


def test_another_takes_an_operation_up_the_moment_its_lease_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    operation_id, began = accept().operation_id, utcnow() + timedelta(days=1)

    def taken_at(at: datetime) -> Claim | None:
        monkeypatch.setattr(leases, "store_now", lambda _: at)
        with transaction() as session:
            return claim_due(session, terms=TERMS, now=at)

    first = taken_at(began)
    assert first is not None
    assert taken_at(began + TERMS.lease - MICROSECOND) is None
    second = taken_at(began + TERMS.lease)
    assert second is not None
    assert (second.operation_id, second.owner == first.owner) == (operation_id, False)
    monkeypatch.setattr(leases, "store_now", lambda _: began + 1.5 * TERMS.lease)
    with transaction() as session:
        renew(session, second, terms=TERMS)
    assert taken_at(began + 2.5 * TERMS.lease - MICROSECOND) is None


def test_work_that_wears_out_its_workers_ends_as_worker_lost() -> None:
    accepted = accept()
    claim(accepted.operation_id)
    terms = LeaseTerms(max_attempts=2)
    silence(accepted.operation_id)
    with transaction() as session:
        assert claim_due(session, terms=terms, now=utcnow()) is not None
    silence(accepted.operation_id)
    with transaction() as session:
        assert claim_due(session, terms=terms, now=utcnow()) is None
    row = told(accepted.operation_id).row
    assert (row.status, row.attempts) == ("FAILED", 2)
    assert row.error is not None
    assert row.error.code == "WORKER_LOST"


def test_a_failing_scenario_is_told_and_does_not_fail_the_operation() -> None:
    accepted = accept({**SCENARIOS, "wrong": WRONG_OPTIONS}, inline=True)
    stored = told(accepted.operation_id)
    assert stored.row.status == "SUCCEEDED"
    assert b"PARTIAL_BATCH_FAILURE" in (stored.result or b"")
    failed = {run.scenario: run.failure for run in operation_runs(db.session(), "default", accepted.operation_id)}
    assert str(failed["wrong"]).startswith("INVALID_OPTIONS: ")


def test_an_unexpected_failure_ends_the_operation_with_a_code_and_nothing_of_its_cause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> Any:
        raise KeyError("a secret of the program")

    monkeypatch.setattr(analyses_operation, "batch_document", broken)
    accepted = accept(inline=True)
    error = told(accepted.operation_id).row.error
    assert error is not None
    assert error.code == "OPERATION_FAILED"
    assert "secret" not in error.message


def test_a_stored_request_that_is_no_longer_valid_ends_the_operation() -> None:
    accepted = accept()
    with transaction() as session:
        session.execute(text("UPDATE dpm_operation_payloads SET request = :packed"), {"packed": _packed(b"{}")})
    execute(accepted.operation_id)
    error = told(accepted.operation_id).row.error
    assert error is not None
    assert error.code == "STORED_REQUEST_INVALID"


def _packed(document: bytes) -> bytes:
    return zlib.compress(document)


def test_a_store_that_goes_away_in_the_middle_leaves_an_accepted_operation_to_the_jobs(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    away = exc.OperationalError("COMMIT", {}, Exception("the disk is gone"))

    def gone(*_: object, **__: object) -> Any:
        raise away

    with monkeypatch.context() as outage:
        outage.setattr(scenarios, "record_run", gone)
        accepted = accept(inline=True)
    assert told(accepted.operation_id).row.status == "RUNNING"
    silence(accepted.operation_id)
    assert jobs(environ) == {"finished": 1, "released": 0}
    assert told(accepted.operation_id).row.status == "SUCCEEDED"
    assert count("dpm_runs") == 3


def test_an_engine_that_fails_is_told_by_scenario(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(scenarios, "rebalance", broken)
    accepted = accept(inline=True)
    failed = [run.failure for run in operation_runs(db.session(), "default", accepted.operation_id)]
    assert failed == ["SCENARIO_EXECUTION_ERROR: ZeroDivisionError"] * 3
    assert told(accepted.operation_id).row.status == "SUCCEEDED"
