"""RFC-0020 decisions: append-only, with labels as values so that a purged run leaves its decisions readable."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lotus_web.store.types import Base, UtcDateTime


class Decision(Base):
    """One APPROVE, REJECT or REQUEST_CHANGES on a run; ``shown_digest`` is what the decider had in front of them."""

    __tablename__ = "dpm_workflow_decisions"

    decision_seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    decision_id: Mapped[str]
    tenant_id: Mapped[str]
    run_id: Mapped[str]
    workflow_id: Mapped[str]
    portfolio_id: Mapped[str]
    action: Mapped[str]
    reason_code: Mapped[str]
    comment: Mapped[str | None]
    actor_id: Mapped[str]
    recorded_by: Mapped[str]
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    correlation_id: Mapped[str]
    shown_digest: Mapped[str]
    surface: Mapped[str]

    __table_args__ = (
        UniqueConstraint("tenant_id", "decision_id"),
        CheckConstraint("action IN ('APPROVE', 'REJECT', 'REQUEST_CHANGES')", name="action"),
        # GET /rebalance/workflow/decisions and the decision history page: one index for each filter, in list order.
        Index("ix_dpm_workflow_decisions_newest", "tenant_id", "decided_at", "decision_id"),
        Index("ix_dpm_workflow_decisions_run", "tenant_id", "run_id", "decision_seq"),
        Index("ix_dpm_workflow_decisions_actor", "tenant_id", "actor_id", "decided_at", "decision_id"),
        Index("ix_dpm_workflow_decisions_reason", "tenant_id", "reason_code", "decided_at", "decision_id"),
        Index("ix_dpm_workflow_decisions_action", "tenant_id", "action", "decided_at", "decision_id"),
        Index("ix_dpm_workflow_decisions_portfolio", "tenant_id", "portfolio_id", "decided_at", "decision_id"),
        # The search box: what was decided by a request (queries/search.py).
        Index("ix_dpm_workflow_decisions_correlation", "tenant_id", "correlation_id"),
        {"sqlite_autoincrement": True},
    )


class DecisionEvidence(Base):
    """An evidence document on which somebody decided, packed; ``entity_kind`` and ``entity_id`` are what it is about, for retention.

    A trigger refuses UPDATE; its digest is in the log.
    """

    __tablename__ = "dpm_decision_evidence"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    entity_kind: Mapped[str]
    entity_id: Mapped[str]
    document: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (Index("ix_dpm_decision_evidence_entity", "tenant_id", "entity_id"),)
