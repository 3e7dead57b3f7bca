"""Whether what is stored of a run is what the log records of it: one statement, for pages and for what rests on the run."""

from __future__ import annotations

from sqlalchemy import Text, bindparam, literal, select, type_coerce
from sqlalchemy.orm import Session

from lotus_web.domain.events.envelope import OWN_PRODUCER
from lotus_web.domain.events.facts import FactType
from lotus_web.models.events.log import EventLogEntry
from lotus_web.models.events.logged_rows import is_said, run_document
from lotus_web.models.runs import Run, RunArtifact, RunPayload

_OWN = (Run.tenant_id == bindparam("tenant_id"), Run.rebalance_run_id == bindparam("run_id"))
_KEY = Run.rebalance_run_id.concat(literal(f":{FactType.RUN_RECORDED.value}"))
# Built once: every approval asks it.
_STORED = (
    select(Run, RunPayload, RunArtifact, type_coerce(EventLogEntry.payload, Text).label("recorded"))
    .join(RunPayload, (RunPayload.tenant_id == Run.tenant_id) & (RunPayload.rebalance_run_id == Run.rebalance_run_id))
    .outerjoin(
        RunArtifact, (RunArtifact.tenant_id == Run.tenant_id) & (RunArtifact.rebalance_run_id == Run.rebalance_run_id)
    )
    .join(
        EventLogEntry,
        (EventLogEntry.tenant_id == Run.tenant_id)
        & (EventLogEntry.producer_id == OWN_PRODUCER)
        & (EventLogEntry.idempotency_key == _KEY),
    )
    .where(*_OWN)
    .execution_options(populate_existing=True)
)


def is_as_recorded(session: Session, tenant_id: str, run_id: str) -> bool:
    """Return whether a run, its request, result and artifact are what was recorded; False where no entry records it."""
    found = session.execute(_STORED, {"tenant_id": tenant_id, "run_id": run_id}).one_or_none()
    if found is None:
        return False
    run, payload, artifact, recorded = found
    return is_said(run_document(run, payload, artifact), recorded)
