"""What is approved, or computed again, rests on the run as it was recorded."""

from __future__ import annotations

from sqlalchemy.orm import Session

from lotus_web.domain.errors import Conflict
from lotus_web.models.events.recorded_runs import is_as_recorded

EVIDENCE_MISMATCH = "EVIDENCE_MISMATCH"
MESSAGE = (
    "What is stored of this run is not what the log records of it. Nothing can rest on it until audit verify says why."
)


def check_as_recorded(session: Session, tenant_id: str, run_id: str) -> None:
    """Raise Conflict ``EVIDENCE_MISMATCH`` unless a run, its request, result and artifact are what the log records."""
    if not is_as_recorded(session, tenant_id, run_id):
        raise Conflict(EVIDENCE_MISMATCH, MESSAGE)
