"""A worker that computes for long keeps its lease; one that lost it records nothing; neither waits for the other's lock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import exc

from lotus_web.config.current import utcnow
from lotus_web.config.settings import Settings
from lotus_web.domain.errors import Conflict
from lotus_web.domain.rebalance.values.result import RebalanceResult
from lotus_web.jobs.context import JobContext
from lotus_web.jobs.operations import run_due
from lotus_web.models import Operation
from lotus_web.services.analyses import scenarios
from lotus_web.services.handlers import HANDLERS
from lotus_web.services.operations import heartbeat as operations_heartbeat
from lotus_web.services.operations.heartbeat import heartbeat
from lotus_web.services.operations.leases import Claim, claim_due, claim_operation
from lotus_web.services.operations.worker import execute_now, work_on
from lotus_web.store.session import db, transaction
from tests.servers.patience import PATIENCE
from tests.support.analyses import TERMS, accept, silence, told
from tests.support.analyses import batch as analysis
from tests.support.histories import FEED, OFF, count
from tests.support.pause import Pause

pytestmark = pytest.mark.usefixtures("session")


@pytest.fixture(autouse=True)
def _no_heart_beats_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(Pause, "made", [])
    monkeypatch.setattr(operations_heartbeat, "Event", Pause)
    yield
    assert hearts() == []


def hearts() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("heartbeat-")]


def claim(operation_id: str) -> Claim:
    with transaction() as session:
        return claim_operation(session, "default", operation_id, terms=TERMS, now=utcnow())


def take_over() -> Claim | None:
    with transaction() as session:
        return claim_due(session, terms=TERMS, now=utcnow())


def owner(operation_id: str) -> str | None:
    db.session.rollback()
    operation = db.session.get(Operation, ("default", operation_id), populate_existing=True)
    assert operation is not None
    return operation.lease_owner


@pytest.fixture
def in_the_engine(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], None]], None]:
    """``in_the_engine(2, act)``: do ``act`` while the second scenario is being computed."""
    rebalance, calls = scenarios.rebalance, iter(range(1, 100))

    def at(number: int, act: Callable[[], None]) -> None:
        def slow(*given: Any, **named: Any) -> RebalanceResult:
            if next(calls) == number:
                act()
            return rebalance(*given, **named)

        monkeypatch.setattr(scenarios, "rebalance", slow)

    return at


def work(operation_id: str) -> bool:
    return work_on(claim(operation_id), handlers=HANDLERS, policy=OFF, terms=TERMS, clock=utcnow)


def test_a_scenario_that_computes_longer_than_its_lease_is_left_to_its_worker(app: Flask, in_the_engine: Any) -> None:
    operation_id = accept().operation_id
    taken: list[Claim | None] = []

    def outlast_the_lease() -> None:
        with app.app_context():
            silence(operation_id)
            Pause.made[-1].beat()
            taken.append(take_over())

    in_the_engine(2, outlast_the_lease)
    assert work(operation_id)
    assert taken == [None]
    row = told(operation_id).row
    assert (row.status, row.attempts, row.progress.scenarios_done) == ("SUCCEEDED", 1, 3)
    assert count("dpm_runs") == 3


def test_a_worker_that_lost_its_lease_while_it_computed_records_nothing_of_it(app: Flask, in_the_engine: Any) -> None:
    operation_id = accept().operation_id
    taken: list[Claim] = []

    def be_thought_lost() -> None:
        with app.app_context():
            silence(operation_id)
            other = take_over()
            assert other is not None
            taken.append(other)

    in_the_engine(2, be_thought_lost)
    assert not work(operation_id)
    assert count("dpm_runs") == count("dpm_operation_steps") == 1
    assert work_on(taken[0], handlers=HANDLERS, policy=OFF, terms=TERMS, clock=utcnow)
    row = told(operation_id).row
    assert (row.status, row.attempts, row.progress.scenarios_done) == ("SUCCEEDED", 2, 3)
    assert count("dpm_runs") == count("dpm_operation_steps") == 3
    assert count("dpm_lineage_edges", "edge_type = 'CAUSED_BY'") == 3


def test_a_caller_who_executes_now_is_told_that_another_worker_took_it_over(app: Flask, in_the_engine: Any) -> None:
    operation_id = accept().operation_id

    def be_thought_lost() -> None:
        with app.app_context():
            silence(operation_id)
            assert take_over() is not None

    in_the_engine(1, be_thought_lost)
    with pytest.raises(Conflict, match="another worker carries the operation out") as refused:
        execute_now(operation_id, tenant_id="default", handlers=HANDLERS, policy=OFF, terms=TERMS, clock=utcnow)
    assert refused.value.code == "DPM_ASYNC_OPERATION_NOT_EXECUTABLE"
    assert told(operation_id).row.status == "RUNNING"


def test_a_failure_after_the_lease_was_lost_is_not_recorded_either(
    app: Flask, environ: dict[str, str], in_the_engine: Any
) -> None:
    operation_id = accept().operation_id

    def be_thought_lost_and_fail() -> None:
        with app.app_context():
            silence(operation_id)
            run_due(JobContext(Settings(environ)), utcnow())
        raise ZeroDivisionError

    in_the_engine(1, be_thought_lost_and_fail)
    assert not work(operation_id)
    assert told(operation_id).row.status == "SUCCEEDED"
    assert count("dpm_operation_steps", "failure IS NOT NULL") == 0
    assert count("dpm_runs") == 3


def test_a_beat_does_not_win_a_lost_lease_back_and_ends() -> None:
    operation_id = accept().operation_id
    ours = claim(operation_id)
    with heartbeat(ours, TERMS):
        silence(operation_id)
        other = take_over()
        assert other is not None
        (heart,) = hearts()
        Pause.made[-1].start_beat()
        heart.join(PATIENCE)
        assert not heart.is_alive()
        assert owner(operation_id) == other.owner


def test_a_beat_that_holds_the_store_when_the_scenario_ends_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, in_the_engine: Any
) -> None:
    operation_id = accept().operation_id
    renew, writing = operations_heartbeat.renew, threading.Event()

    def hold_on(*given: Any, **named: Any) -> None:
        renew(*given, **named)
        writing.set()
        assert Pause.made[-1].ended.wait(PATIENCE), "the scenario did not end"

    def end_meanwhile() -> None:
        Pause.made[-1].start_beat()
        assert writing.wait(PATIENCE), "the heart did not write"

    monkeypatch.setattr(operations_heartbeat, "renew", hold_on)
    in_the_engine(1, end_meanwhile)
    assert work(operation_id)
    assert told(operation_id).row.status == "SUCCEEDED"
    assert count("dpm_runs") == 3


def test_a_beat_that_finds_the_store_away_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    operation_id = accept().operation_id
    renew = operations_heartbeat.renew
    away = iter([exc.OperationalError("BEGIN", {}, Exception("the disk is gone"))])

    def renew_once_it_is_back(*given: Any, **named: Any) -> None:
        for problem in away:
            raise problem
        renew(*given, **named)

    monkeypatch.setattr(operations_heartbeat, "renew", renew_once_it_is_back)
    with heartbeat(claim(operation_id), TERMS):
        silence(operation_id)
        Pause.made[-1].beat()
        assert told(operation_id).row.status == "RUNNING"
        Pause.made[-1].beat()
        assert take_over() is None


def test_work_that_hangs_is_taken_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations_heartbeat, "LEASES_A_STEP", 1)
    operation_id = accept().operation_id
    with heartbeat(claim(operation_id), TERMS):
        (heart,) = hearts()
        for _ in range(2):
            Pause.made[-1].beat()
        Pause.made[-1].start_beat()
        heart.join(PATIENCE)
        assert not heart.is_alive()
        silence(operation_id)
        assert take_over() is not None


def test_an_analysis_that_is_answered_at_once_has_no_lease_to_prolong() -> None:
    scenarios.analyze(analysis(), correlation_id=None, asked_under="corr", actor=FEED, policy=OFF, clock=utcnow)
    assert count("dpm_runs") == 3
    assert Pause.made == []
