"""Where a tenant's hash chain ends, and what the last verification of it said (workflow.md §1, console.md /audit, /support)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from lotus_web.domain.audit import VERIFY_CHAIN
from lotus_web.models import AuditRecord, TenantRuntime

# Verifications are rare among the lines of the audit log; one further back than this is not shown.
REACH = 5_000


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """A verification: when, by whom, its result and the sentence about it."""

    at: datetime
    by: str
    code: str
    says: str


@dataclass(frozen=True, slots=True)
class ChainState:
    """The stored end of the chain; ``checked`` is None if it was not verified lately, or ``never``."""

    entries: int
    head_hash: str | None
    checked: ChainCheck | None
    never: bool

    @property
    def word(self) -> str:
        """``intact``, ``broken`` or ``unknown``, for the badge."""
        return self.checked.code if self.checked else "unknown"


def chain_state(session: Session, tenant_id: str) -> ChainState:
    """Return the state of a tenant's chain without verifying it; three queries at most."""
    runtime, checked = session.get(TenantRuntime, tenant_id), _last_check(session, tenant_id)
    return ChainState(
        entries=runtime.entry_count if runtime else 0,
        head_hash=runtime.head_hash if runtime and runtime.entry_count else None,
        checked=checked,
        never=checked is None and _lines(session, tenant_id) < REACH,
    )


def _newest(tenant_id: str) -> Select[int]:
    return (
        select(AuditRecord.audit_seq)
        .where(AuditRecord.tenant_id == tenant_id)
        .order_by(AuditRecord.occurred_at.desc(), AuditRecord.audit_seq.desc())
        .limit(REACH)
    )


def _lines(session: Session, tenant_id: str) -> int:
    """Return how many lines there are, ``REACH`` for any more."""
    return session.scalars(select(func.count()).select_from(_newest(tenant_id).subquery())).one()


def _last_check(session: Session, tenant_id: str) -> ChainCheck | None:
    query = (
        select(AuditRecord)
        .where(AuditRecord.audit_seq.in_(_newest(tenant_id)), AuditRecord.action == VERIFY_CHAIN)
        .order_by(AuditRecord.occurred_at.desc(), AuditRecord.audit_seq.desc())
        .limit(1)
    )
    row = session.scalars(query).one_or_none()
    return ChainCheck(row.occurred_at, row.actor_id, row.code, row.message) if row else None
