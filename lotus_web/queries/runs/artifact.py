"""The artifact of a run: built from the stored result, or stored when the run was recorded (dpm-api §10)."""

from __future__ import annotations

import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.runs.artifact import artifact_document
from lotus_web.models import RunArtifact
from lotus_web.queries.runs.lookup import StoredRun, stored_run
from lotus_web.wire.packed import unpack


def run_artifact(session: Session, tenant_id: str, run_id: str, *, persisted: bool) -> bytes:
    """Return a run's artifact as JSON bytes; with ``persisted`` the stored one, if there is one. Never writes.

    Raises NotFound ``DPM_RUN_NOT_FOUND``. One query, two with ``persisted``.
    """
    run = stored_run(session, tenant_id, run_id)
    packed = _persisted(session, tenant_id, run_id) if persisted else None
    return _derived(run) if packed is None else unpack(packed)


def _persisted(session: Session, tenant_id: str, run_id: str) -> bytes | None:
    return session.scalar(
        select(RunArtifact.artifact).where(RunArtifact.tenant_id == tenant_id, RunArtifact.rebalance_run_id == run_id)
    )


def _derived(run: StoredRun) -> bytes:
    document = artifact_document(
        json.loads(run.result),
        request_hash=run.row.request_hash,
        idempotency_key=run.row.idempotency_key,
        portfolio_id=run.row.portfolio_id,
        created_at=run.row.created_at,
    )
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
