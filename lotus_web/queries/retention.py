"""Whether a run or a proposal is under legal hold, and who set or lifted it when and why (delta 16)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.errors import RunNotFound
from lotus_web.domain.proposals.refusals import ProposalNotFound
from lotus_web.domain.retention import RetentionEntryType
from lotus_web.models import Proposal, RetentionEntry, Run

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
    """The current hold of a run or a proposal, and its history, oldest first."""

    entity_id: str
    legal_hold: bool
    history: tuple[HoldEntry, ...]

    @property
    def rebalance_run_id(self) -> str:
        """The id, where it is a run's."""
        return self.entity_id

    @property
    def proposal_id(self) -> str:
        """The id, where it is a proposal's."""
        return self.entity_id


def legal_hold(session: Session, tenant_id: str, run_id: str) -> LegalHold:
    """Return the hold of a run; raises NotFound ``DPM_RUN_NOT_FOUND``. Two queries."""
    held = session.scalar(select(Run.legal_hold).where(Run.tenant_id == tenant_id, Run.rebalance_run_id == run_id))
    if held is None:
        raise RunNotFound
    return LegalHold(run_id, held, _history(session, tenant_id, run_id))


def proposal_legal_hold(session: Session, tenant_id: str, proposal_id: str) -> LegalHold:
    """Return the hold of a proposal; raises NotFound ``PROPOSAL_NOT_FOUND``. Two queries."""
    query = select(Proposal.legal_hold).where(Proposal.tenant_id == tenant_id, Proposal.proposal_id == proposal_id)
    held = session.scalar(query)
    if held is None:
        raise ProposalNotFound
    return LegalHold(proposal_id, held, _history(session, tenant_id, proposal_id))


def _history(session: Session, tenant_id: str, entity_id: str) -> tuple[HoldEntry, ...]:
    query = (
        select(RetentionEntry)
        .where(
            RetentionEntry.tenant_id == tenant_id,
            RetentionEntry.entity_id == entity_id,
            RetentionEntry.entry_type.in_(_HOLDS),
        )
        .order_by(RetentionEntry.entry_id)
    )
    return tuple(
        HoldEntry(row.entry_type, row.actor_id, row.reason or "", row.recorded_at) for row in session.scalars(query)
    )
