"""Whether a run is under legal hold, and who set or lifted it when and why (delta 16)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.errors import RunNotFound
from lotus_web.domain.retention import RetentionEntryType
from lotus_web.models import RetentionEntry, Run

_HOLDS = (RetentionEntryType.HOLD_SET.value, RetentionEntryType.HOLD_LIFTED.value)


@dataclass(frozen=True, slots=True)
class HoldEntry:
    """One time that the hold was set or lifted."""

    entry_type: str
    actor_id: str
    reason: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class LegalHold:
    """The current hold of a run, and its history, oldest first."""

    rebalance_run_id: str
    legal_hold: bool
    history: tuple[HoldEntry, ...]


def legal_hold(session: Session, tenant_id: str, run_id: str) -> LegalHold:
    """Return the hold of a run; raises NotFound ``DPM_RUN_NOT_FOUND``. Two queries."""
    held = session.scalar(select(Run.legal_hold).where(Run.tenant_id == tenant_id, Run.rebalance_run_id == run_id))
    if held is None:
        raise RunNotFound
    query = (
        select(RetentionEntry)
        .where(
            RetentionEntry.tenant_id == tenant_id,
            RetentionEntry.entity_id == run_id,
            RetentionEntry.entry_type.in_(_HOLDS),
        )
        .order_by(RetentionEntry.entry_id)
    )
    history = tuple(
        HoldEntry(row.entry_type, row.actor_id, row.reason or "", row.recorded_at) for row in session.scalars(query)
    )
    return LegalHold(run_id, held, history)
