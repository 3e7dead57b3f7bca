"""Counters equal a recount, whatever happened, whoever did it at once, and whatever was rolled back."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from lotus_web.config.current import utcnow
from lotus_web.domain.decisions.gate import GateAction
from lotus_web.domain.errors import LotusError
from lotus_web.domain.operations import FAMILY, OperationFamily, OperationType
from lotus_web.domain.support import Counter
from lotus_web.queries.support.summary import counted, summary
from lotus_web.services.analyses.scenarios import analyze
from lotus_web.services.handlers import HANDLERS
from lotus_web.services.operations.worker import execute_now
from lotus_web.services.retention.purge import Removed, find_expired, purge_batch
from lotus_web.services.retention.targets import OPERATIONS, RUNS, Purgeable, Target
from lotus_web.services.support import bring_up_to_date, recount
from lotus_web.store.session import db, transaction
from tests.support.analyses import TERMS, accept, batch
from tests.support.histories import FEED, NO_FOUR_EYES, NOW, OFF, POLICY, decide, record

pytestmark = pytest.mark.usefixtures("session")
_numbers = itertools.count(1)
STATUSES = ("READY", "PENDING_REVIEW", "BLOCKED")


def assert_counters_are_a_recount(tenant_id: str = "default") -> None:
    db.session.rollback()
    maintained = counted(db.session(), tenant_id)
    assert maintained == recount(db.session(), tenant_id)


def record_one(draw: int) -> None:
    with transaction() as session:
        record(session, next(_numbers), status=STATUSES[draw % 3], correlation_id=f"corr-{next(_numbers)}")


def decide_one(draw: int) -> None:
    runs = db.session.execute(text("SELECT rebalance_run_id FROM dpm_runs ORDER BY rebalance_run_id")).scalars().all()
    if not runs:
        return
    number = int(runs[draw % len(runs)].removeprefix("rr_"), 16)
    try:
        with transaction() as session:
            decide(session, number, list(GateAction)[draw % 3], policy=NO_FOUR_EYES)
    except LotusError:
        db.session.rollback()


def analyze_one(draw: int) -> None:
    options = {"one": {"options": {}}} if draw % 2 else {"one": {"options": {"max_turnover_pct": "2"}}}
    analyze(batch(options), correlation_id=None, asked_under="corr-desk", actor=FEED, policy=OFF, clock=utcnow)


def operate_one(draw: int) -> None:
    accepted = accept({"one": {"options": {}}}, inline=draw % 3 == 0)
    if draw % 3 == 1:
        execute_now(
            accepted.operation_id, tenant_id="default", handlers=HANDLERS, policy=OFF, terms=TERMS, clock=utcnow
        )


def roll_back_one(_draw: int) -> None:
    with pytest.raises(RuntimeError):
        record_and_fail()


def record_and_fail() -> None:
    with transaction() as session:
        record(session, next(_numbers))
        raise RuntimeError


def purge_some(draw: int) -> None:
    cutoff = utcnow() + timedelta(days=1)
    purge_next(RUNS, cutoff, rows=10 * (1 + draw % 3))
    purge_next(OPERATIONS, cutoff, rows=1)


def purge_next(purgeable: Purgeable, cutoff: datetime, *, rows: int) -> Removed:
    target = Target(purgeable, "default", cutoff, NOW)
    found = find_expired(db.session(), target, after=None, rows=rows)
    if found is None:
        return Removed()
    with transaction() as session:
        return purge_batch(session, target, found.ids)


STEPS: tuple[Callable[[int], None], ...] = (
    record_one,
    decide_one,
    analyze_one,
    operate_one,
    roll_back_one,
    purge_some,
)


@settings(max_examples=12)
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 30)), min_size=3, max_size=14))
def test_after_any_history_the_counters_equal_a_recount(history: list[tuple[Callable[[int], None], int]]) -> None:
    for step, draw in history:
        step(draw)
    assert_counters_are_a_recount()


def test_many_at_once_lose_no_count(app: Flask) -> None:
    def write(first: int) -> None:
        with app.app_context():
            for number in range(first, first + 5):
                with transaction() as session:
                    record(session, number, policy=OFF, status=STATUSES[number % 3])

    threads = [threading.Thread(target=write, args=(1 + 100 * worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counted(db.session(), "default")[Counter.RUNS].values()) == 30
    assert_counters_are_a_recount()


def test_tenants_are_counted_apart() -> None:
    with transaction() as session:
        record(session, 1, policy=OFF)
    assert counted(db.session(), "another") == {counter: {} for counter in Counter}


def test_a_recount_mends_what_was_written_past_the_services() -> None:
    with transaction() as session:
        record(session, 1, policy=POLICY)
    with transaction() as session:
        session.execute(text("DELETE FROM dpm_counters"))
    assert counted(db.session(), "default")[Counter.RUNS] == {}
    with transaction() as session:
        bring_up_to_date(session, "default")
    assert counted(db.session(), "default")[Counter.RUNS] == {"PENDING_REVIEW": 1}
    assert_counters_are_a_recount()


def test_the_summary_tells_only_values_that_were_seen() -> None:
    empty = told()
    assert (empty.run_count, empty.run_status_counts, empty.oldest_run_created_at) == (0, {}, None)
    with transaction() as session:
        record(session, 1)
        decide(session, 1, GateAction.APPROVE)
    accept({"one": {"options": {}}})
    full = told()
    assert full.run_status_counts == {"PENDING_REVIEW": 1}
    assert (full.oldest_run_created_at, full.newest_run_created_at) == (NOW, NOW)
    assert full.workflow_action_counts == {"APPROVE": 1}
    assert full.workflow_reason_code_counts == {"CASH_PLANNED": 1}
    assert full.operation_status_counts == {"PENDING": 1}
    # correlation to run, decided by, operation to correlation
    assert full.lineage_edge_count == 3
    assert full.oldest_operation_created_at == full.newest_operation_created_at


def test_a_status_that_was_left_is_told_no_more() -> None:
    accept({"one": {"options": {}}}, inline=True)
    assert told().operation_status_counts == {"SUCCEEDED": 1}


def test_operations_of_another_family_are_not_in_the_summary_of_rebalances(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as another:
        another.setitem(FAMILY, OperationType.ANALYZE_SCENARIOS, OperationFamily.PROPOSALS)
        waiting = accept({"one": {"options": {}}}).operation_id
        accept({"one": {"options": {}}}, inline=True)
    found = told()
    assert (found.operation_count, found.operation_status_counts, found.newest_operation_created_at) == (0, {}, None)
    accept({"one": {"options": {}}})
    assert told().operation_status_counts == {"PENDING": 1}
    execute_now(waiting, tenant_id="default", handlers=HANDLERS, policy=OFF, terms=TERMS, clock=utcnow)
    assert purge_next(OPERATIONS, utcnow() + timedelta(days=1), rows=100)["operations"] == 2
    assert told().operation_status_counts == {"PENDING": 1}
    assert_counters_are_a_recount()


def told() -> Any:
    db.session.rollback()
    return summary(db.session(), "default", store_backend="SQLITE", retention_days=0)
