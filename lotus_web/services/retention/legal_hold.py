"""Legal holds: protect a run from retention whatever its age; set and lifted by a person with a reason (delta 16)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor, Permission, check_permission
from lotus_web.domain.errors import Conflict, RunNotFound
from lotus_web.domain.retention import RetentionEntryType, check_hold_reason
from lotus_web.domain.sentences import Sentence
from lotus_web.domain.surface import Surface
from lotus_web.models import RetentionEntry, Run
from lotus_web.services.audit.records import AuditCategory, record_audit

UNCHANGED = "LEGAL_HOLD_UNCHANGED"


def set_legal_hold(
    session: Session, run_id: str, *, hold: bool, reason: str | None, actor: Actor, surface: Surface, now: datetime
) -> None:
    """Set or lift the legal hold of a run; recorded in the retention log and in the audit log.

    Raises Forbidden, InvalidInput, NotFound ``DPM_RUN_NOT_FOUND``, or Conflict ``LEGAL_HOLD_UNCHANGED``.
    """
    check_permission(actor, Permission.ADMIN)
    text = check_hold_reason(reason)
    run = _locked_run(session, actor.tenant_id, run_id)
    if run.legal_hold == hold:
        state = "already under legal hold" if hold else "not under legal hold"
        raise Conflict(UNCHANGED, Sentence("The run is {state}.", state=state))
    run.legal_hold = hold
    entry_type = RetentionEntryType.HOLD_SET if hold else RetentionEntryType.HOLD_LIFTED
    session.add(
        RetentionEntry(
            tenant_id=actor.tenant_id,
            entry_type=entry_type.value,
            entity_id=run_id,
            actor_id=actor.decider_id,
            reason=text,
            details={"recorded_by": actor.actor_id, "surface": surface.value, "portfolio_id": run.portfolio_id},
            recorded_at=now,
        )
    )
    record_audit(
        session,
        AuditCategory.ADMIN,
        actor=actor,
        action="legal_hold_set" if hold else "legal_hold_lifted",
        subject=run_id,
        code=entry_type.value,
        message=text,
        surface=surface,
        now=now,
    )


def _locked_run(session: Session, tenant_id: str, run_id: str) -> Run:
    """Return the run's row, locked against a purge at the same moment."""
    query = select(Run).where(Run.tenant_id == tenant_id, Run.rebalance_run_id == run_id)
    run = session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if run is None:
        raise RunNotFound
    return run
