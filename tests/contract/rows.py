"""Many rows at once, for lists and query plans; what they mean is not looked at."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import insert

from lotus_web.models import (
    Decision,
    IdempotencyHistoryRow,
    IdempotencyKey,
    LineageEdge,
    Operation,
    Run,
    RunPayload,
    WorkflowItem,
)
from lotus_web.services.support import bring_up_to_date
from lotus_web.store.session import transaction

NOTHING = zlib.compress(b"{}")
ACTIONS = ("APPROVE", "REJECT", "REQUEST_CHANGES")


def add_runs(
    app: Flask,
    number: int,
    *,
    start: datetime,
    step: timedelta = timedelta(minutes=1),
    batch: str = "",
    statuses: Sequence[str] = ("READY",),
    portfolios: Sequence[str] = ("pf-a",),
    tenant: str = "default",
) -> list[str]:
    """Insert runs ``step`` apart and return their ids, oldest first."""
    rows = [
        {
            "tenant_id": tenant,
            "rebalance_run_id": f"rr_{batch}{index:06d}",
            "correlation_id": f"corr-{batch}{index}",
            "request_hash": f"sha256:{batch}{index}",
            "idempotency_key": None,
            "portfolio_id": portfolios[index % len(portfolios)],
            "status": statuses[index % len(statuses)],
            "created_at": start + index * step,
            "engine_version": "test",
            "artifact_hash": "sha256:0",
            "submitted_by": "engine-feed",
            "legal_hold": False,
        }
        for index in range(number)
    ]
    payloads = [
        {"tenant_id": tenant, "rebalance_run_id": row["rebalance_run_id"], "request": NOTHING, "result": NOTHING}
        for row in rows
    ]
    with app.app_context(), transaction() as session:
        session.execute(insert(Run), rows)
        session.execute(insert(RunPayload), payloads)
    return [str(row["rebalance_run_id"]) for row in rows]


def add_decisions(
    app: Flask,
    number: int,
    *,
    start: datetime,
    step: timedelta = timedelta(minutes=1),
    batch: str = "",
    tenant: str = "default",
) -> list[str]:
    """Insert decisions by three people on ten runs and return their ids, oldest first."""
    rows = [
        {
            "decision_id": f"dwd_{batch}{index:06d}",
            "tenant_id": tenant,
            "run_id": f"rr_{index % 10}",
            "workflow_id": f"c:exception:rr_{index % 10}",
            "portfolio_id": "pf-a",
            "action": ACTIONS[index % 3],
            "reason_code": f"REASON_{index % 4}",
            "comment": None,
            "actor_id": f"person-{index % 3}",
            "recorded_by": "engine-feed",
            "decided_at": start + index * step,
            "correlation_id": "c",
            "shown_digest": "sha256:0",
            "surface": "rfc",
        }
        for index in range(number)
    ]
    with app.app_context(), transaction() as session:
        session.execute(insert(Decision), rows)
    return [str(row["decision_id"]) for row in rows]


def add_keys(app: Flask, number: int, *, start: datetime, tenant: str = "default") -> None:
    """Insert idempotency keys, each mapped to a run of ``add_runs``."""
    rows = [
        {
            "tenant_id": tenant,
            "idempotency_key": f"key-{index}",
            "request_hash": f"sha256:{index}",
            "rebalance_run_id": f"rr_{index:06d}",
            "created_at": start,
        }
        for index in range(number)
    ]
    with app.app_context(), transaction() as session:
        session.execute(insert(IdempotencyKey), rows)


def add_items(app: Flask, number: int, *, start: datetime, tenant: str = "default") -> None:
    """Insert open items, each of a run of ``add_runs``."""
    rows = [
        {
            "tenant_id": tenant,
            "workflow_id": f"corr-{index}:exception:rr_{index:06d}",
            "trace_id": f"corr-{index}",
            "workflow_kind": "exception_review",
            "workflow_name": "rebalance",
            "subject_type": "exception",
            "subject_id": f"rr_{index:06d}",
            "rebalance_run_id": f"rr_{index:06d}",
            "portfolio_id": "pf-a",
            "status": "requested",
            "priority_rank": 2,
            "title": "Review",
            "request_reason": "CASH_BAND",
            "requested_by_type": "service_account",
            "requested_by_id": "engine-feed",
            "requested_at": start,
            "sla_due_at": start,
            "updated_at": start,
            "created_from_event_id": f"evt_{index}",
            "last_source_log_seq": index,
            "details": {},
            "version": 1,
        }
        for index in range(number)
    ]
    with app.app_context(), transaction() as session:
        session.execute(insert(WorkflowItem), rows)


def add_operations(app: Flask, number: int, *, start: datetime, tenant: str = "default") -> None:
    """Insert operations that have ended, each with the edges of its one scenario, a run of ``add_runs``."""
    rows, edges = [], []
    for index in range(number):
        operation_id, at = f"dop_{index:06d}", start + index * timedelta(minutes=1)
        rows.append(
            {
                "tenant_id": tenant,
                "operation_id": operation_id,
                "family": "rebalance",
                "operation_type": "ANALYZE_SCENARIOS",
                "status": "SUCCEEDED",
                "correlation_id": f"corr-{index}",
                "subject_id": f"batch_{index:06d}",
                "actor_type": "service_account",
                "actor_id": "engine-feed",
                "created_at": at,
                "finished_at": at,
                "attempts": 1,
                "steps_done": 1,
                "steps_total": 1,
            }
        )
        ends = {"DERIVED_FROM": ("batch", f"batch_{index:06d}"), "CAUSED_BY": ("operation", operation_id)}
        edges += [
            {
                "tenant_id": tenant,
                "source_entity_id": f"rr_{index:06d}",
                "source_kind": "run",
                "edge_type": edge_type,
                "target_entity_id": target,
                "target_kind": kind,
                "created_at": at,
                "details": {},
            }
            for edge_type, (kind, target) in ends.items()
        ]
    with app.app_context(), transaction() as session:
        session.execute(insert(Operation), rows)
        session.execute(insert(LineageEdge), edges)


def add_replays(run_id: str, number: int, *, key: str, start: datetime, tenant: str = "default") -> None:
    """Insert what so many replays of a run's key leave behind, a second apart, within an application's context."""
    edge = {
        "tenant_id": tenant,
        "source_kind": "correlation",
        "edge_type": "REPLAYED_FROM",
        "target_entity_id": run_id,
        "target_kind": "run",
        "details": {},
    }
    row = {"tenant_id": tenant, "idempotency_key": key, "rebalance_run_id": run_id, "request_hash": "sha256:0"}
    replays = [(f"corr-replay-{index:05d}", start + timedelta(seconds=index)) for index in range(number)]
    with transaction() as session:
        session.execute(insert(LineageEdge), [edge | {"source_entity_id": c, "created_at": at} for c, at in replays])
        session.execute(
            insert(IdempotencyHistoryRow), [row | {"correlation_id": c, "created_at": at} for c, at in replays]
        )
        bring_up_to_date(session, tenant)
