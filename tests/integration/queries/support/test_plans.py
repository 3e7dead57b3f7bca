"""The plans of the support queries: each reads by an index, none scans a table, on a store that is full enough to matter."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event, insert, text

from lotus_web.models import IdempotencyHistoryRow, LineageEdge, Operation, OperationPayload, Run, RunPayload
from lotus_web.queries.idempotency.history import find_key_history, latest_of_key
from lotus_web.queries.operations.lookup import OperationFilter, latest_operation, operation_page, stored_operation
from lotus_web.queries.support.bundle import BundleParts, bundle_by_correlation, bundle_by_operation
from lotus_web.queries.support.summary import summary
from lotus_web.services.operations.leases import claim_due
from lotus_web.services.retention.purge import find_expired, purge_batch
from lotus_web.services.retention.targets import OPERATIONS, RUNS, Target
from lotus_web.store.session import db, transaction
from tests.support.analyses import TERMS
from tests.support.histories import NOW, result

ROWS = 2_000
# Small by nature (a tenant's counters, one operation's steps), so that reading one of them whole is the right plan.
SMALL = ("dpm_counters", "dpm_operation_steps", "dg_workflow_runtime", "dpm_run_artifacts")


def fill(app: Flask) -> None:
    """Write many runs, edges, history rows and operations past the services."""
    packed = zlib.compress(json.dumps(result("rr_17", "corr-17")).encode())
    runs, payloads, edges, history, operations, requests = [], [], [], [], [], []
    for number in range(ROWS):
        at = NOW + timedelta(seconds=number)
        key = {"tenant_id": "default", "rebalance_run_id": f"rr_{number}"}
        runs.append(
            key
            | {
                "correlation_id": f"corr-{number}",
                "request_hash": f"h-{number}",
                "portfolio_id": f"pf-{number % 50}",
                "idempotency_key": f"key-{number}",
                "status": "READY",
                "created_at": at,
                "engine_version": "1.0.0",
                "artifact_hash": "h",
                "submitted_by": "drift-engine",
                "legal_hold": False,
            }
        )
        payloads.append(key | {"request": packed, "result": packed})
        edges.append(
            {
                "tenant_id": "default",
                "source_entity_id": f"corr-{number}",
                "source_kind": "correlation",
                "edge_type": "CORRELATION_TO_RUN",
                "target_entity_id": f"rr_{number}",
                "target_kind": "run",
                "created_at": at,
                "details": {},
            }
        )
        history.append(
            key
            | {
                "idempotency_key": f"key-{number}",
                "correlation_id": f"corr-{number}",
                "request_hash": f"h-{number}",
                "created_at": at,
            }
        )
        own = {"tenant_id": "default", "operation_id": f"dop_{number}"}
        finished = number != 7
        operations.append(
            own
            | {
                "family": "rebalance",
                "operation_type": "ANALYZE_SCENARIOS",
                "status": "SUCCEEDED" if finished else "PENDING",
                "correlation_id": f"corr-{number}",
                "subject_id": f"batch_{number}",
                "actor_type": "service_account",
                "actor_id": "drift-engine",
                "created_at": at,
                "finished_at": at if finished else None,
                "due_at": None if finished else at,
                "attempts": 1,
                "steps_done": 0,
                "steps_total": 1,
            }
        )
        requests.append(own | {"request": packed, "result": packed})
    with app.app_context(), transaction() as session:
        for model, rows in (
            (Run, runs),
            (RunPayload, payloads),
            (LineageEdge, edges),
            (IdempotencyHistoryRow, history),
            (Operation, operations),
            (OperationPayload, requests),
        ):
            session.execute(insert(model), rows)
        session.execute(text("ANALYZE"))


pytestmark = [pytest.mark.usefixtures("session"), pytest.mark.filled(by=fill)]


@pytest.fixture
def scans(session: object) -> Iterator[list[str]]:
    """Every scan of a table in the plans of what runs during the test."""
    found: list[str] = []
    engine = db.engine

    def explain(connection: object, cursor: object, statement: str, parameters: object, *_: object) -> None:
        if not statement.startswith(("SELECT", "UPDATE", "DELETE")):
            return
        word = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
        raw = db.session.connection().connection.cursor()
        if word == "EXPLAIN":
            # On tables that are empty here PostgreSQL would rather scan; so it scans only where no index could do.
            raw.execute("SET LOCAL enable_seqscan = off")
        raw.execute(f"{word} {statement}", parameters)
        for row in raw.fetchall():
            line = str(row[-1])
            plain = "INDEX" not in line and "PRIMARY KEY" not in line if word.endswith("PLAN") else "Seq Scan" in line
            if ("SCAN" in line.upper()) and plain and not any(table in line for table in SMALL):
                found.append(f"{line}   <<   {statement}")
        raw.close()

    event.listen(engine, "before_cursor_execute", explain)
    yield found
    event.remove(engine, "before_cursor_execute", explain)


def test_the_summary_reads_counters_and_the_ends_of_indexes(scans: list[str]) -> None:
    summary(db.session(), "default", store_backend="SQL", retention_days=0)
    assert scans == []


def test_bundles_read_by_keys(scans: list[str]) -> None:
    parts = BundleParts(artifact_persisted=True)
    bundle_by_correlation(db.session(), "default", "corr-17", parts)
    bundle_by_operation(db.session(), "default", "dop_17", parts)
    find_key_history(db.session(), "default", "key-17")
    latest_of_key(db.session(), "default", "key-17", limit=1)
    assert scans == []


def test_lists_of_operations_read_in_the_order_of_an_index(scans: list[str]) -> None:
    for wanted in (
        OperationFilter(),
        OperationFilter(operation_type="ANALYZE_SCENARIOS"),
        OperationFilter(status="PENDING"),
        OperationFilter(correlation_id="corr-17"),
        OperationFilter(created_from=NOW + timedelta(seconds=ROWS - 100), created_to=NOW + timedelta(days=1)),
    ):
        page = operation_page(db.session(), "default", wanted, limit=20, cursor=None)
        operation_page(db.session(), "default", wanted, limit=20, cursor=page.next_cursor)
    stored_operation(db.session(), "default", "dop_17")
    latest_operation(db.session(), "default", "corr-17")
    assert scans == []


def test_jobs_find_what_is_due_and_what_is_expired_by_an_index(scans: list[str]) -> None:
    cutoff = NOW + timedelta(seconds=20)
    targets = [Target(purgeable, "default", cutoff, NOW) for purgeable in (RUNS, OPERATIONS)]
    found = [find_expired(db.session(), target, after=None, rows=100) for target in targets]
    # The next batch too: it starts in the middle.
    for target, first in zip(targets, found, strict=True):
        assert first is not None
        find_expired(db.session(), target, after=first.last, rows=100)
    with transaction() as session:
        assert claim_due(session, terms=TERMS, now=NOW) is not None
        for target, first in zip(targets, found, strict=True):
            assert first is not None
            assert purge_batch(session, target, first.ids)
    assert scans == []
