"""What a purge costs: each of its statements goes to the rows of its batch by an index, however much is stored."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event

from lotus_web.db import db, transaction
from lotus_web.domain.lineage import EdgeType, EntityKind
from lotus_web.services.lineage import add_edge
from lotus_web.services.retention import find_expired_runs, purge_runs
from tests.contract.rows import add_keys, add_runs
from tests.outside import NOON

MANY = 2_000
LATER = NOON + timedelta(days=400)


@pytest.mark.stores("sqlite")
def test_a_batch_reads_its_own_rows_alone(app: Flask) -> None:
    add_runs(app, MANY, start=NOON)
    add_keys(app, MANY, start=NOON)
    with app.app_context():
        with transaction() as session:
            for number in range(MANY):
                ends = (EntityKind.CORRELATION, f"corr-{number}"), (EntityKind.RUN, f"rr_{number:06d}")
                add_edge(session, EdgeType.CORRELATION_TO_RUN, *ends, tenant_id="default", now=NOON, metadata={})
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
        found = find_expired_runs(db.session(), "default", cutoff=LATER, after=None, limit=20)
        assert found is not None
        sent = []
        event.listen(db.engine, "before_cursor_execute", lambda *call: sent.append(call[2:4]))
        with transaction() as session:
            removed = purge_runs(session, "default", found.run_ids, cutoff=LATER, now=LATER)
        assert (removed["runs"], removed["edges"]) == (20, 20)
        plans = [
            (statement, row[-1])
            for statement, parameters in sent
            if statement.startswith("DELETE")
            for row in db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    assert len({statement for statement, _ in plans}) >= 7
    for statement, step in plans:
        if step.startswith(("SCAN", "SEARCH dpm")):
            assert "run_id=?" in step or "entity_id=?" in step, f"{statement}\n{step}"
