"""The support bundle of a run, found by run, correlation, key or operation (RFC-0023, dpm-api §7, delta 18)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.errors import NotFound
from lotus_web.domain.lineage import EdgeType, EntityKind
from lotus_web.models import LineageEdge, Run
from lotus_web.queries.decisions.of_run import DecisionRecord, decisions_of_run
from lotus_web.queries.idempotency.history import KeyHistory, find_key_history
from lotus_web.queries.idempotency.keys import key_mapping
from lotus_web.queries.lineage import LineageFilter, LineagePage, lineage_page
from lotus_web.queries.operations.lookup import StoredOperation, latest_operation, operation_runs, stored_operation
from lotus_web.queries.runs.artifact import run_artifact
from lotus_web.queries.runs.lookup import StoredRun, run_id_of_correlation, stored_run


@dataclass(frozen=True, slots=True)
class BundleParts:
    """Which parts to include, and whether the artifact is the stored one (DPM_ARTIFACT_STORE_MODE)."""

    artifact: bool = True
    async_operation: bool = True
    idempotency_history: bool = True
    artifact_persisted: bool = False


@dataclass(frozen=True, slots=True)
class SupportBundle:
    """A run with everything related to it; ``artifact`` is JSON as bytes.

    ``related_run_ids`` names the other runs of the operation that the bundle was asked for by, in the order of scenarios.
    """

    run: StoredRun
    artifact: bytes | None
    async_operation: StoredOperation | None
    workflow_history: tuple[DecisionRecord, ...]
    lineage: LineagePage
    idempotency_history: KeyHistory | None
    related_run_ids: tuple[str, ...] | None = None


def bundle_of_run(session: Session, tenant_id: str, run_id: str, parts: BundleParts) -> SupportBundle:
    """Return the bundle of a run; raises NotFound ``DPM_RUN_NOT_FOUND``."""
    return _bundle(session, tenant_id, stored_run(session, tenant_id, run_id), parts)


def bundle_by_correlation(session: Session, tenant_id: str, correlation_id: str, parts: BundleParts) -> SupportBundle:
    """Return the bundle of the newest run of a correlation id; raises NotFound."""
    return bundle_of_run(session, tenant_id, run_id_of_correlation(session, tenant_id, correlation_id), parts)


def bundle_by_key(session: Session, tenant_id: str, key: str, parts: BundleParts) -> SupportBundle:
    """Return the bundle of the run of an idempotency key; raises NotFound for the key, then for the run."""
    return bundle_of_run(session, tenant_id, key_mapping(session, tenant_id, key).rebalance_run_id, parts)


def bundle_by_operation(session: Session, tenant_id: str, operation_id: str, parts: BundleParts) -> SupportBundle:
    """Return the bundle of an operation's first run, by scenario name, with the ids of the others (delta 18).

    An operation without runs has the newest run of its correlation id. Raises NotFound for the operation, then for the run.
    """
    operation = stored_operation(session, tenant_id, operation_id)
    run_ids = _present(session, tenant_id, operation_id)
    if not run_ids:
        run_ids = (run_id_of_correlation(session, tenant_id, operation.row.correlation_id),)
    run = stored_run(session, tenant_id, run_ids[0])
    return _bundle(session, tenant_id, run, parts, operation=operation, related=run_ids[1:])


def _present(session: Session, tenant_id: str, operation_id: str) -> tuple[str, ...]:
    """Return the runs of an operation that are still stored, by scenario name."""
    ids = [step.rebalance_run_id for step in operation_runs(session, tenant_id, operation_id) if step.rebalance_run_id]
    if not ids:
        return ()
    query = select(Run.rebalance_run_id).where(Run.tenant_id == tenant_id, Run.rebalance_run_id.in_(ids))
    found = set(session.scalars(query))
    return tuple(run_id for run_id in ids if run_id in found)


def _bundle(
    session: Session,
    tenant_id: str,
    run: StoredRun,
    parts: BundleParts,
    *,
    operation: StoredOperation | None = None,
    related: tuple[str, ...] | None = None,
) -> SupportBundle:
    row = run.row
    if parts.async_operation and operation is None:
        operation = operation_of_run(session, tenant_id, row.rebalance_run_id, row.correlation_id)
    history = None
    if parts.idempotency_history and row.idempotency_key is not None:
        history = find_key_history(session, tenant_id, row.idempotency_key)
    artifact = None
    if parts.artifact:
        artifact = run_artifact(session, tenant_id, row.rebalance_run_id, persisted=parts.artifact_persisted)
    return SupportBundle(
        run=run,
        artifact=artifact,
        async_operation=operation if parts.async_operation else None,
        workflow_history=decisions_of_run(session, tenant_id, row.rebalance_run_id),
        lineage=lineage_page(session, tenant_id, row.rebalance_run_id, LineageFilter(), limit=None),
        idempotency_history=history,
        related_run_ids=related,
    )


def operation_of_run(session: Session, tenant_id: str, run_id: str, correlation_id: str) -> StoredOperation | None:
    """Return the operation that ran a run, else the newest one of the run's correlation id, else None."""
    caused_by = session.scalar(
        select(LineageEdge.target_entity_id)
        .where(
            LineageEdge.tenant_id == tenant_id,
            LineageEdge.source_entity_id == run_id,
            LineageEdge.source_kind == EntityKind.RUN.value,
            LineageEdge.edge_type == EdgeType.CAUSED_BY.value,
        )
        .order_by(LineageEdge.created_at, LineageEdge.edge_id)
        .limit(1)
    )
    try:
        if caused_by is not None:
            return stored_operation(session, tenant_id, caused_by)
        return latest_operation(session, tenant_id, correlation_id)
    except NotFound:
        return None
