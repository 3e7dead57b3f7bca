"""Many rows at once, for lists and query plans; what they mean is not looked at."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import insert

from lotus_web.models import (
    Decision,
    IdempotencyHistoryRow,
    IdempotencyKey,
    LineageEdge,
    Operation,
    Proposal,
    ProposalApproval,
    ProposalDocument,
    ProposalEventRow,
    ProposalKey,
    ProposalVersion,
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


def add_proposals(
    app: Flask,
    number: int,
    *,
    start: datetime,
    step: timedelta = timedelta(minutes=1),
    portfolios: Sequence[str] = ("pf-a",),
    documents: tuple[bytes, bytes, bytes] = (NOTHING, NOTHING, NOTHING),
    chunk: int = 2_000,
) -> list[str]:
    """Insert proposals of one version that await consent, ``step`` apart, with their events, key and approvals; oldest first.

    ``documents`` are the packed result, artifact and inputs that all share.
    """
    ids = []
    for first in range(0, number, chunk):
        rows = [
            _proposal_rows(index, start + index * step, portfolios)
            for index in range(first, min(first + chunk, number))
        ]
        with app.app_context(), transaction() as session:
            session.execute(insert(Proposal), [row["proposal"] for row in rows])
            for name, model in (("version", ProposalVersion), ("key", ProposalKey)):
                session.execute(insert(model), [row[name] for row in rows])
            stored = dict(zip(("result", "artifact", "inputs"), documents, strict=True))
            session.execute(insert(ProposalDocument), [row["place"] | {"version_no": 1} | stored for row in rows])
            session.execute(insert(ProposalEventRow), [event for row in rows for event in row["events"]])
            session.execute(insert(ProposalApproval), [row["approval"] for row in rows])
        ids += [row["proposal"]["proposal_id"] for row in rows]
    with app.app_context(), transaction() as session:
        bring_up_to_date(session, "default")
    return ids


def _proposal_rows(index: int, at: datetime, portfolios: Sequence[str]) -> dict[str, Any]:
    place = {"tenant_id": "default", "proposal_id": f"pp_{index:06d}"}
    portfolio_id = portfolios[index % len(portfolios)]
    who = {"created_by": "leo", "recorded_by": "leo", "created_at": at}
    steps = (
        ("CREATED", None, "DRAFT"),
        ("SUBMITTED_FOR_RISK_REVIEW", "DRAFT", "RISK_REVIEW"),
        ("RISK_APPROVED", "RISK_REVIEW", "AWAITING_CLIENT_CONSENT"),
    )
    events = [
        place
        | {
            "event_id": f"pwe_{index:06d}_{number}",
            "event_type": kind,
            "from_state": before,
            "to_state": after,
            "actor_id": "leo",
            "recorded_by": "leo",
            "occurred_at": at,
            "reason": {},
            "related_version_no": 1,
            "correlation_id": f"corr-p{index}",
            "surface": "rfc",
        }
        for number, (kind, before, after) in enumerate(steps)
    ]
    return {
        "place": place,
        "proposal": place
        | who
        | {
            "portfolio_id": portfolio_id,
            "mandate_id": None,
            "jurisdiction": None,
            "title": None,
            "advisor_notes": None,
            "last_event_at": at,
            "current_state": "AWAITING_CLIENT_CONSENT",
            "current_version_no": 1,
        },
        "version": place
        | who
        | {
            "version_no": 1,
            "proposal_version_id": f"ppv_{index:06d}",
            "portfolio_id": portfolio_id,
            "correlation_id": f"corr-p{index}",
            "request_hash": f"sha256:request-{index}",
            "simulation_hash": "sha256:simulation",
            "artifact_hash": f"sha256:artifact-{index}",
            "status_at_creation": "READY",
            "gate": "CLIENT_CONSENT_REQUIRED",
            "gate_decision": None,
            "engine_version": "test",
        },
        "key": place
        | {
            "scope": "",
            "idempotency_key": f"proposal-key-{index}",
            "request_hash": f"sha256:request-{index}",
            "event_id": f"pwe_{index:06d}_0",
            "created_at": at,
        },
        "events": events,
        "approval": place
        | {
            "approval_id": f"pap_{index:06d}",
            "approval_type": "RISK",
            "approved": True,
            "actor_id": "rosa",
            "recorded_by": "rosa",
            "occurred_at": at,
            "details": {},
            "related_version_no": 1,
            "event_id": f"pwe_{index:06d}_2",
        },
    }
