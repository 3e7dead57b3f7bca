"""One run for its page: its fields, its evidence, and whether the stored artifact hash still matches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.errors import RunNotFound
from lotus_web.domain.policy_packs import AppliedPack
from lotus_web.domain.runs.artifact import artifact_document
from lotus_web.domain.runs.evidence import RunEvidence, run_evidence
from lotus_web.models import Run, RunPayload, WorkflowItem
from lotus_web.models.events.recorded_runs import is_as_recorded
from lotus_web.wire.packed import unpack_document

Row = tuple[Run, bytes, bytes, dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class RunFacts:
    """A run's row as plain values."""

    rebalance_run_id: str
    correlation_id: str
    request_hash: str
    idempotency_key: str | None
    portfolio_id: str
    status: str
    created_at: datetime
    engine_version: str
    artifact_hash: str
    submitted_by: str
    acted_by: Mapping[str, Any] | None
    legal_hold: bool


@dataclass(frozen=True, slots=True)
class RunDetail:
    """A run and its evidence; ``verified`` tells whether the artifact built now has the recorded hash, and all that is stored is what the log records.

    ``pack`` is what it was computed under, None where no policy pack was named.
    """

    run: RunFacts
    evidence: RunEvidence
    verified: bool
    pack: AppliedPack | None


@dataclass(frozen=True, slots=True)
class RunPayloads:
    """The request and the result as they were stored."""

    run: RunFacts
    request: Mapping[str, Any]
    result: Mapping[str, Any]


def _facts(run: Run) -> RunFacts:
    return RunFacts(**{name: getattr(run, name) for name in RunFacts.__slots__})


def run_payloads(session: Session, tenant_id: str, run_id: str) -> RunPayloads:
    """Return the stored request and result, which the page shows as raw JSON; raises NotFound."""
    row = _load(session, tenant_id, run_id)
    if row is None:
        raise RunNotFound
    run, request, result, _ = row
    return RunPayloads(_facts(run), unpack_document(request), unpack_document(result))


def run_detail(session: Session, tenant_id: str, run_id: str) -> RunDetail:
    """Return a run with its evidence, verified now; raises NotFound."""
    found = find_run_detail(session, tenant_id, run_id)
    if found is None:
        raise RunNotFound
    return found


def find_run_detail(session: Session, tenant_id: str, run_id: str) -> RunDetail | None:
    """Return a run with its evidence; None if it is not stored, or no longer."""
    row = _load(session, tenant_id, run_id)
    if row is None:
        return None
    run, _, packed, stored_pack = row
    result = unpack_document(packed)
    document = artifact_document(
        result,
        request_hash=run.request_hash,
        idempotency_key=run.idempotency_key,
        portfolio_id=run.portfolio_id,
        created_at=run.created_at,
    )
    recomputed = document["evidence"]["hashes"]["artifact_hash"]
    pack = None if stored_pack is None else AppliedPack.of_record(stored_pack)
    verified = recomputed == run.artifact_hash and is_as_recorded(session, tenant_id, run_id)
    return RunDetail(_facts(run), run_evidence(result), verified=verified, pack=pack)


def _load(session: Session, tenant_id: str, run_id: str) -> Row | None:
    query = (
        select(Run, RunPayload.request, RunPayload.result, RunPayload.policy_pack)
        .join(
            RunPayload,
            (RunPayload.tenant_id == Run.tenant_id) & (RunPayload.rebalance_run_id == Run.rebalance_run_id),
        )
        .where(Run.tenant_id == tenant_id, Run.rebalance_run_id == run_id)
    )
    row = session.execute(query).one_or_none()
    return None if row is None else (row[0], row[1], row[2], row[3])


def workflow_id_of_run(session: Session, tenant_id: str, run_id: str) -> str | None:
    """Return the id of a run's item, or None when it has none."""
    return session.scalar(
        select(WorkflowItem.workflow_id).where(
            WorkflowItem.tenant_id == tenant_id, WorkflowItem.rebalance_run_id == run_id
        )
    )
