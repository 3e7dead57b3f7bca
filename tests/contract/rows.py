"""Many rows at once, for lists and query plans; what they mean is not looked at."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import insert

from lotus_web.db import transaction
from lotus_web.models import Decision, Run, RunPayload

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
