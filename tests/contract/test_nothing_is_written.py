"""Reads leave the store as it is, to the byte (delta 15); refused writes leave no more than that they were tried."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import make_url

from lotus_web.db import db
from tests.contract.callers import Caller, ready_request, review_request
from tests.contract.conftest import Count, written

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true", DPM_ARTIFACT_STORE_MODE="PERSISTED")

DECISION = {"action": "APPROVE", "reason_code": "OK", "actor_id": "engine-feed"}


@pytest.fixture
def run_id(engine: Caller) -> str:
    """A run that was approved for someone else."""
    found: str = engine.run(review_request(), key="k", correlation="c")["rebalance_run_id"]
    assert engine.decide(found, actor="rosa").status_code == 200
    return found


@pytest.fixture
def content(app: Flask, store_url: str) -> Callable[[], str]:
    """``content()``: a digest of the SQLite file with everything in it."""

    def digest() -> str:
        with app.app_context(), db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return hashlib.sha256(Path(str(make_url(store_url).database)).read_bytes()).hexdigest()

    return digest


def reads(run_id: str) -> list[str]:
    named = (run_id, "by-correlation/c", "idempotency/k", "nobody", "by-correlation/nobody", "idempotency/nobody")
    return [
        "/rebalance/runs",
        "/rebalance/runs?limit=0",
        "/rebalance/runs?cursor=x",
        f"/rebalance/runs/{run_id}/artifact",
        "/rebalance/workflow/decisions",
        "/rebalance/workflow/decisions/by-correlation/c",
        *(f"/rebalance/runs/{name}{part}" for name in named for part in ("", "/workflow", "/workflow/history")),
    ]


@pytest.mark.stores("sqlite")
def test_reads_leave_the_file_as_it_is(engine: Caller, run_id: str, content: Callable[[], str]) -> None:
    before = content()
    for path in reads(run_id):
        assert engine.get(path).status_code in (200, 404, 422)
    assert content() == before


def test_reads_leave_every_table_as_it_is(engine: Caller, run_id: str, count_rows: Callable[[], Count]) -> None:
    before = count_rows()
    for path in reads(run_id):
        engine.get(path)
    assert count_rows() == before


def test_refused_writes_leave_a_line_each_where_someone_is_known_and_something_is_there(
    engine: Caller, reviewer: Caller, run_id: str, count_rows: Callable[[], Count]
) -> None:
    before = count_rows()
    actions = f"/rebalance/runs/{run_id}/workflow/actions"
    refused = [
        engine.send("POST", "/rebalance/simulate", json=ready_request()),
        engine.send("POST", "/rebalance/simulate", data=b"{", headers={"Idempotency-Key": "new"}),
        engine.simulate({}, key="new"),
        engine.simulate(ready_request(), key="k"),
        reviewer.simulate(),
        engine.send("POST", "/rebalance/simulate", data=b" " * 2_000_000),
        engine.send("POST", actions, json={}),
        reviewer.send("POST", actions, json=DECISION),
        engine.send("POST", "/rebalance/runs/nobody/workflow/actions", json=DECISION),
        engine.send("POST", actions, json=DECISION, headers={"Authorization": "Bearer nobody"}),
        engine.send("POST", actions, json=DECISION, headers={"X-Tenant-Id": "alpine"}),
        engine.send("DELETE", "/rebalance/runs"),
    ]
    assert [answer.status_code for answer in refused] == [422, 422, 422, 409, 403, 413, 422, 403, 404, 401, 403, 405]
    assert written(before, count_rows()) == {"dg_audit_records": len(refused) - len([413, 404, 401, 405])}


@pytest.mark.stores("sqlite")
def test_the_digest_sees_a_write(engine: Caller, run_id: str, content: Callable[[], str]) -> None:
    before = content()
    engine.run()
    assert content() != before
