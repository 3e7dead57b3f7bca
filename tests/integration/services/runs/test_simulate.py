"""One simulate request: computed once, replayed word for word, freed by failure, taken over after a crash (delta 1–5)."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from lotus_web.domain.errors import Conflict, InProgress, StoreUnavailable
from lotus_web.domain.identifiers import artifact_id
from lotus_web.models import IdempotencyHistoryRow, LineageEdge, Run, RunPayload
from lotus_web.services.analyses import scenarios
from lotus_web.services.idempotency import LEASE, release_key, reserve_key
from lotus_web.services.runs import simulate as runs_simulate
from lotus_web.services.runs.replay import replay_run
from lotus_web.services.runs.simulate import Simulated, simulate
from lotus_web.store.session import db, transaction
from lotus_web.wire.rebalance.request import BatchRequestBody, RebalanceRequestBody, request_hash
from tests.support.histories import FEED, NOW, POLICY, assert_provable, contents, count

DEMO = Path(__file__).parents[3] / "data" / "reference-demos" / "01_standard_drift.json"


def body(**changes: Any) -> RebalanceRequestBody:
    return RebalanceRequestBody.model_validate({**json.loads(DEMO.read_text()), **changes})


@pytest.fixture(autouse=True)
def in_app(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def simulated(key: str = "k", correlation_id: str = "corr-1", *, at: timedelta = timedelta(0), **how: Any) -> Simulated:
    given = {"actor": FEED, "policy": POLICY, "clock": lambda: NOW + at}
    return simulate(how.pop("request", body()), idempotency_key=key, correlation_id=correlation_id, **{**given, **how})


def test_a_run_is_computed_once_and_replayed_word_for_word() -> None:
    first, again = simulated(), simulated(correlation_id="corr-2")
    assert (first.replayed, again.replayed) == (False, True)
    assert (again.result, again.rebalance_run_id, again.correlation_id) == (
        first.result,
        first.rebalance_run_id,
        "corr-1",
    )
    assert count("dpm_runs") == 1
    assert_provable()


def test_a_replay_leaves_an_edge_and_a_line_in_the_keys_history() -> None:
    first = simulated()
    simulated(correlation_id="corr-2")
    edge = db.session.scalars(db.select(LineageEdge).where(LineageEdge.edge_type == "REPLAYED_FROM")).one()
    assert (edge.source_entity_id, edge.target_entity_id) == ("corr-2", first.rebalance_run_id)
    history = db.session.scalars(db.select(IdempotencyHistoryRow).order_by(IdempotencyHistoryRow.history_id)).all()
    assert [line.correlation_id for line in history] == ["corr-1", "corr-2"]


def test_numbers_that_differ_beyond_the_28th_digit_are_another_request() -> None:
    digits = "1." + "0" * 30
    requests = []
    for last in ("1", "2"):
        raw = json.loads(DEMO.read_text())
        raw["market_data_snapshot"]["prices"][0]["price"] = digits + last
        requests.append(RebalanceRequestBody.model_validate(raw))
    assert request_hash(requests[0]) != request_hash(requests[1])
    simulated(request=requests[0])
    with pytest.raises(Conflict, match="request hash mismatch"):
        simulated(request=requests[1])


def test_no_transaction_is_open_while_the_engine_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, open_meanwhile = runs_simulate.rebalance, []

    def look(*args: Any, **given: Any) -> Any:
        open_meanwhile.append(db.session().in_transaction())
        return engine(*args, **given)

    for module in (runs_simulate, scenarios):
        monkeypatch.setattr(module, "rebalance", look)
    first = simulated()
    how: dict[str, Any] = {"actor": FEED, "policy": POLICY, "clock": lambda: NOW}
    replay_run(first.rebalance_run_id, correlation_id="corr-2", **how)
    raw = {name: part for name, part in json.loads(DEMO.read_text()).items() if name != "options"}
    asked = BatchRequestBody.model_validate({**raw, "scenarios": {"one": {"options": {}}, "two": {"options": {}}}})
    scenarios.analyze(asked, correlation_id=None, asked_under="corr-3", **how)
    assert open_meanwhile == [False] * 4
    assert count("dpm_runs") == 4
    assert_provable()


def test_who_waits_for_a_key_only_looks_until_it_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction() as session:
        body_hash = request_hash(body())
        reserve_key(session, tenant_id="default", key="k", request_hash=body_hash, owner="own_other", now=NOW)
    writes: list[bool] = []
    looks = []

    def sleep(_seconds: float) -> None:
        looks.append(db.session().in_transaction())
        if len(looks) == 20:
            with transaction() as session:
                release_key(session, tenant_id="default", key="k", owner="own_other")
            writes.clear()

    reserve = runs_simulate.reserve_key

    def reserved(*args: Any, **given: Any) -> Any:
        writes.append(True)
        return reserve(*args, **given)

    monkeypatch.setattr(runs_simulate, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))
    monkeypatch.setattr(runs_simulate, "reserve_key", reserved)
    assert not simulated().replayed
    assert looks == [False] * 20
    assert writes == [True]


def test_a_wait_that_lasts_writes_once_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction() as session:
        body_hash = request_hash(body())
        reserve_key(session, tenant_id="default", key="k", request_hash=body_hash, owner="own_other", now=NOW)
    moments = itertools.count()
    clock = SimpleNamespace(monotonic=lambda: float(next(moments)), sleep=lambda _seconds: None)
    monkeypatch.setattr(runs_simulate, "time", clock)
    monkeypatch.setattr(runs_simulate, "WAIT_SECONDS", 30.0)
    begun: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *call: begun.append(call[2]))
    with pytest.raises(InProgress):
        simulated()
    assert len([one for one in begun if one.startswith("INSERT")]) == 1
    assert len([one for one in begun if one.startswith("BEGIN IMMEDIATE")]) <= 1
    assert len([one for one in begun if one.startswith("SELECT")]) > 20


def test_a_failure_of_the_engine_frees_the_key_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents()

    def fail(*_: Any, **__: Any) -> None:
        raise ArithmeticError("the engine stumbled")

    monkeypatch.setattr(runs_simulate, "rebalance", fail)
    with pytest.raises(ArithmeticError):
        simulated()
    monkeypatch.undo()
    assert (contents(), count("dpm_idempotency_keys")) == (before, 0)
    assert not simulated().replayed


def test_a_failure_of_the_recording_frees_the_key_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents()

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(runs_simulate, "record_run", fail)
    with pytest.raises(OSError, match="full"):
        simulated()
    monkeypatch.undo()
    assert (contents(), count("dpm_idempotency_keys")) == (before, 0)


def crash_after_reserving() -> None:
    with transaction() as session:
        reserve_key(session, tenant_id="default", key="k", request_hash=request_hash(body()), owner="own_dead", now=NOW)


def test_a_key_whose_worker_died_is_waited_for_and_then_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    crash_after_reserving()
    monkeypatch.setattr(runs_simulate, "WAIT_SECONDS", 0.0)
    with pytest.raises(InProgress, match="IDEMPOTENCY_KEY_IN_PROGRESS") as refused:
        simulated()
    assert refused.value.retry_after >= 1


def test_a_key_whose_worker_died_is_taken_over_when_its_lease_is_over() -> None:
    crash_after_reserving()
    done = simulated(at=LEASE + timedelta(seconds=1))
    assert not done.replayed
    assert simulated(at=2 * LEASE).replayed
    assert count("dpm_runs") == 1
    assert_provable()


def test_a_worker_that_outlived_its_lease_records_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was slow, another took the key over and answered: the slow one is told so, and there is one run."""
    engine = runs_simulate.rebalance

    def slow(*arguments: Any, **named: Any) -> Any:
        monkeypatch.setattr(runs_simulate, "rebalance", engine)
        db.session.rollback()
        assert not simulated(correlation_id="corr-2", at=2 * LEASE).replayed
        return engine(*arguments, **named)

    monkeypatch.setattr(runs_simulate, "rebalance", slow)
    with pytest.raises(InProgress):
        simulated()
    run = db.session.scalars(db.select(Run)).one()
    assert run.correlation_id == "corr-2"
    assert_provable()


def test_with_replay_off_each_request_is_a_run_of_its_own() -> None:
    policy = replace(POLICY, replay_enabled=False)
    runs = {simulated(policy=policy).rebalance_run_id for _ in range(2)}
    assert (len(runs), count("dpm_runs")) == (2, 2)


def test_a_key_whose_run_is_gone_is_an_unavailable_store_and_no_second_run() -> None:
    first = simulated()
    with transaction() as session:
        session.delete(session.get_one(RunPayload, ("default", first.rebalance_run_id)))
    with pytest.raises(StoreUnavailable, match="INCONSISTENT"):
        simulated()
    assert count("dpm_runs") == 1


def test_the_artifact_of_a_run_carries_its_id() -> None:
    assert artifact_id(simulated().rebalance_run_id).startswith("dra_")
