"""What a purge costs: each of its statements goes to the rows of its batch by an index, however much is stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, insert

from lotus_web.domain.lineage import EdgeType, EntityKind
from lotus_web.models import IdempotencyHistoryRow, LineageEdge
from lotus_web.services.lineage import add_edge
from lotus_web.services.retention.purge import choose_chunk, find_expired, prefetch, purge_batch, purge_chunk
from lotus_web.services.retention.targets import RUNS, Target
from lotus_web.store.session import db, transaction
from tests.contract.rows import add_keys, add_runs
from tests.support.events import NOON

MANY = 2_000
LATER = NOON + timedelta(days=400)
HOT = "rr_000007"
OLD_RUNS = Target(RUNS, "default", LATER, LATER)
AFTER_HOT = (NOON + timedelta(minutes=7), HOT)

pytestmark = pytest.mark.stores("sqlite")


@pytest.fixture
def loaded(app: Flask) -> Iterator[list[tuple[str, Any]]]:
    """A store with many runs, of which one has replays; the statements that are sent from now on."""
    add_runs(app, MANY, start=NOON)
    add_keys(app, MANY, start=NOON)
    row = {"tenant_id": "default", "request_hash": "h", "created_at": NOON, "correlation_id": "c"}
    history = [
        row | {"idempotency_key": f"k-{number}", "rebalance_run_id": HOT if number % 2 else f"rr_{number:06d}"}
        for number in range(MANY)
    ]
    with app.app_context():
        with transaction() as session:
            session.execute(insert(IdempotencyHistoryRow), history)
            for number in range(MANY):
                ends = (EntityKind.CORRELATION, f"corr-{number}"), (EntityKind.RUN, f"rr_{number:06d}")
                add_edge(session, EdgeType.CORRELATION_TO_RUN, *ends, tenant_id="default", now=NOON, metadata={})
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
        sent: list[tuple[str, Any]] = []
        event.listen(db.engine, "before_cursor_execute", lambda *call: sent.append(call[2:4]))
        yield sent


def plans(sent: list[tuple[str, Any]], verbs: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return each step of each plan with its statement."""
    return [
        (statement, row[-1])
        for statement, parameters in list(sent)
        if statement.startswith(verbs)
        for row in db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
    ]


def test_a_batch_reads_its_own_rows_alone(loaded: list[tuple[str, Any]]) -> None:
    found = find_expired(db.session(), OLD_RUNS, after=AFTER_HOT, rows=130)
    assert found is not None
    prefetch(db.session(), OLD_RUNS, found.ids)
    with transaction() as session:
        removed = purge_batch(session, OLD_RUNS, found.ids)
    # With a line each in the log, which is added and not removed.
    assert found.rows - 20 >= sum(removed.values()) == 90
    steps = plans(loaded, ("DELETE", "SELECT dpm_lineage", "SELECT dpm_idempotency", "SELECT dpm_run_"))
    assert len({statement for statement, _ in steps}) >= 11
    for statement, step in steps:
        if step.startswith(("SCAN", "SEARCH dpm")):
            assert "run_id=?" in step or "entity_id=?" in step, f"{statement}\n{step}"


def test_a_chunk_is_chosen_and_removed_by_an_index(loaded: list[tuple[str, Any]]) -> None:
    for dependents in [one for one in RUNS.dependents if one.newest_first]:
        keys = choose_chunk(db.session(), OLD_RUNS, HOT, dependents)
        assert keys or dependents.id_column is LineageEdge.source_entity_id
        with transaction() as session:
            purge_chunk(session, OLD_RUNS, HOT, dependents, keys, first=False)
    steps = plans(loaded, ("DELETE", "SELECT dpm"))
    assert len({statement for statement, _ in steps}) >= 6
    for statement, step in steps:
        if "dpm_" in step and "EXISTS" not in step:
            assert any(name in step for name in ("run_id=?", "entity_id=?", "PRIMARY KEY (rowid=?)")), (
                f"{statement}\n{step}"
            )
