"""Recording a run: run, payloads, mapping, history, edges, events, entry and item in one transaction, or nothing (delta 1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.domain.access import Actor
from lotus_web.domain.lineage import EdgeType, EntityKind
from lotus_web.domain.policy_packs import AppliedPack
from lotus_web.domain.runs.artifact import artifact_document
from lotus_web.domain.support import Counter
from lotus_web.models import IdempotencyHistoryRow, Run, RunArtifact, RunPayload
from lotus_web.models.events.logged_rows import run_fact
from lotus_web.services.events.facts import note_fact
from lotus_web.services.lineage import Edge, add_edges
from lotus_web.services.runs.events import append_run_events
from lotus_web.services.support import count
from lotus_web.wire.packed import pack


@dataclass(frozen=True, slots=True)
class ComputedRun:
    """A result of the engine as JSON bytes, and with ``result`` as the document in them, and what is stored besides."""

    request_hash: str
    idempotency_key: str | None
    portfolio_id: str
    request: Mapping[str, Any]
    result_json: bytes
    pack: AppliedPack | None = None
    result: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        """Read the document once."""
        object.__setattr__(self, "result", json.loads(self.result_json))


def record_run(
    session: Session, computed: ComputedRun, *, actor: Actor, now: datetime, policy: DeploymentPolicy
) -> Run:
    """Store everything that a run leaves behind; the caller's transaction commits it all."""
    artifact = artifact_document(
        computed.result,
        request_hash=computed.request_hash,
        idempotency_key=computed.idempotency_key,
        portfolio_id=computed.portfolio_id,
        created_at=now,
    )
    run = _run_row(computed, artifact["evidence"]["hashes"]["artifact_hash"], actor, now)
    key = {"tenant_id": run.tenant_id, "rebalance_run_id": run.rebalance_run_id}
    session.add(run)
    count(session, run.tenant_id, Counter.RUNS, run.status)
    applied = computed.pack.record() if computed.pack else None
    payload = RunPayload(**key, request=pack(computed.request), result=pack(computed.result_json), policy_pack=applied)
    stored = RunArtifact(**key, artifact=pack(artifact)) if policy.persist_artifacts else None
    session.add_all([payload] if stored is None else [payload, stored])
    note_fact(session, run_fact(run, payload, stored))
    _add_edges(session, run, now)
    if run.idempotency_key is not None:
        add_history(session, run, idempotency_key=run.idempotency_key, correlation_id=run.correlation_id, now=now)
    if policy.workflow_enabled:
        append_run_events(session, run, computed.result, actor=actor, now=now, policy=policy)
    session.flush()
    return run


def _run_row(computed: ComputedRun, artifact_hash: str, actor: Actor, now: datetime) -> Run:
    return Run(
        tenant_id=actor.tenant_id,
        rebalance_run_id=computed.result["rebalance_run_id"],
        correlation_id=computed.result["correlation_id"],
        request_hash=computed.request_hash,
        idempotency_key=computed.idempotency_key,
        portfolio_id=computed.portfolio_id,
        status=computed.result["status"],
        created_at=now,
        engine_version=computed.result["lineage"]["engine_version"],
        artifact_hash=artifact_hash,
        submitted_by=actor.decider_id,
        acted_by=actor.acted_by,
        legal_hold=False,
    )


def _add_edges(session: Session, run: Run, now: datetime) -> None:
    run_end = (EntityKind.RUN, run.rebalance_run_id)
    metadata = {"request_hash": run.request_hash}
    correlation = (EntityKind.CORRELATION, run.correlation_id)
    edges = [Edge(EdgeType.CORRELATION_TO_RUN, correlation, run_end, metadata)]
    if run.idempotency_key is not None:
        key = (EntityKind.IDEMPOTENCY_KEY, run.idempotency_key)
        edges.append(Edge(EdgeType.IDEMPOTENCY_TO_RUN, key, run_end, metadata))
    add_edges(session, edges, tenant_id=run.tenant_id, now=now)


def add_history(session: Session, run: Run, *, idempotency_key: str, correlation_id: str, now: datetime) -> None:
    """Add one row to a key's history: a recording or a replay (delta 4)."""
    session.add(
        IdempotencyHistoryRow(
            tenant_id=run.tenant_id,
            idempotency_key=idempotency_key,
            rebalance_run_id=run.rebalance_run_id,
            correlation_id=correlation_id,
            request_hash=run.request_hash,
            created_at=now,
        )
    )
