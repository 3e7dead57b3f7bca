"""Proposals: the row that moves, what is only ever added to it, and the stored simulation of each key."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, LargeBinary, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from lotus_web.store.types import Base, Json, SentJson, UtcDateTime

_STATES = (
    "'DRAFT', 'RISK_REVIEW', 'COMPLIANCE_REVIEW', 'AWAITING_CLIENT_CONSENT', 'EXECUTION_READY',"
    " 'EXECUTED', 'REJECTED', 'CANCELLED', 'EXPIRED'"
)

ENDED = text("current_state IN ('EXECUTED', 'REJECTED', 'CANCELLED', 'EXPIRED')")


def _sequence() -> Mapped[int]:
    return mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


class Proposal(Base):
    """A proposal as it stands now (proposals-api §2 Summary); ``created_by`` is whose it is, ``recorded_by`` who sent it."""

    __tablename__ = "proposals"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    proposal_id: Mapped[str] = mapped_column(primary_key=True)
    portfolio_id: Mapped[str]
    mandate_id: Mapped[str | None]
    jurisdiction: Mapped[str | None]
    title: Mapped[str | None]
    advisor_notes: Mapped[str | None]
    created_by: Mapped[str]
    recorded_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_event_at: Mapped[datetime] = mapped_column(UtcDateTime)
    current_state: Mapped[str]
    current_version_no: Mapped[int]
    legal_hold: Mapped[bool] = mapped_column(default=False, server_default=false())

    __table_args__ = (
        CheckConstraint(f"current_state IN ({_STATES})", name="current_state"),
        CheckConstraint("current_version_no >= 1", name="current_version_no"),
        # One index for each way that the list is asked; each ends in its order.
        Index("ix_proposals_newest", "tenant_id", "created_at", "proposal_id"),
        Index("ix_proposals_portfolio", "tenant_id", "portfolio_id", "created_at", "proposal_id"),
        Index("ix_proposals_state", "tenant_id", "current_state", "created_at", "proposal_id"),
        Index("ix_proposals_creator", "tenant_id", "created_by", "created_at", "proposal_id"),
        # Retention takes those that ended, the longest ago first.
        Index(
            "ix_proposals_ended",
            "tenant_id",
            "last_event_at",
            "proposal_id",
            sqlite_where=ENDED,
            postgresql_where=ENDED,
        ),
    )


class ProposalVersion(Base):
    """One version: who made it and the hashes that prove it. Rows are only ever added.

    ``gate`` is the gate that the simulation came to, ``gate_decision`` the same as JSON, null where gates were switched off.
    """

    __tablename__ = "proposal_versions"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    proposal_id: Mapped[str] = mapped_column(primary_key=True)
    version_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    proposal_version_id: Mapped[str]
    portfolio_id: Mapped[str]
    created_by: Mapped[str]
    recorded_by: Mapped[str]
    acted_by: Mapped[dict[str, Any] | None] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    correlation_id: Mapped[str]
    request_hash: Mapped[str]
    simulation_hash: Mapped[str]
    artifact_hash: Mapped[str]
    status_at_creation: Mapped[str]
    gate: Mapped[str]
    gate_decision: Mapped[dict[str, Any] | None] = mapped_column(Json)
    engine_version: Mapped[str]

    __table_args__ = (
        UniqueConstraint("tenant_id", "proposal_version_id"),
        CheckConstraint("version_no >= 1", name="version_no"),
        CheckConstraint("status_at_creation IN ('READY', 'PENDING_REVIEW', 'BLOCKED')", name="status"),
        # The search box: what a request made, and what a hash is of.
        Index("ix_proposal_versions_correlation", "tenant_id", "correlation_id"),
        Index("ix_proposal_versions_request_hash", "tenant_id", "request_hash"),
        Index("ix_proposal_versions_artifact_hash", "tenant_id", "artifact_hash"),
    )


class ProposalDocument(Base):
    """What a version holds, compressed: never changed, and apart, so that lists never load it.

    ``artifact`` is without its evidence and its hash; ``inputs`` is what it was computed from, null where
    PROPOSAL_STORE_EVIDENCE_BUNDLE was off (queries/proposals/documents.py puts them together).
    """

    __tablename__ = "proposal_documents"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    proposal_id: Mapped[str] = mapped_column(primary_key=True)
    version_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    result: Mapped[bytes] = mapped_column(LargeBinary)
    artifact: Mapped[bytes] = mapped_column(LargeBinary)
    inputs: Mapped[bytes | None] = mapped_column(LargeBinary)


class ProposalEventRow(Base):
    """One event of a proposal; what the caller gave as ``reason`` is given back as it came. Rows are only ever added."""

    __tablename__ = "proposal_events"

    event_seq: Mapped[int] = _sequence()
    event_id: Mapped[str]
    tenant_id: Mapped[str]
    proposal_id: Mapped[str]
    event_type: Mapped[str]
    from_state: Mapped[str | None]
    to_state: Mapped[str]
    actor_id: Mapped[str]
    recorded_by: Mapped[str]
    acted_by: Mapped[dict[str, Any] | None] = mapped_column(Json)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[dict[str, Any]] = mapped_column(SentJson)
    related_version_no: Mapped[int]
    correlation_id: Mapped[str]
    surface: Mapped[str]

    __table_args__ = (
        UniqueConstraint("tenant_id", "event_id"),
        CheckConstraint(f"to_state IN ({_STATES})", name="to_state"),
        # Nothing leaves a state in which a proposal ends.
        CheckConstraint(
            "from_state IN ('DRAFT', 'RISK_REVIEW', 'COMPLIANCE_REVIEW', 'AWAITING_CLIENT_CONSENT', 'EXECUTION_READY')",
            name="from_state",
        ),
        Index("ix_proposal_events_proposal", "tenant_id", "proposal_id", "event_seq"),
        {"sqlite_autoincrement": True},
    )


class ProposalApproval(Base):
    """An approval that was given or withheld, of one version, and the event that it caused. Rows are only ever added."""

    __tablename__ = "proposal_approvals"

    approval_seq: Mapped[int] = _sequence()
    approval_id: Mapped[str]
    tenant_id: Mapped[str]
    proposal_id: Mapped[str]
    approval_type: Mapped[str]
    approved: Mapped[bool]
    actor_id: Mapped[str]
    recorded_by: Mapped[str]
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    details: Mapped[dict[str, Any]] = mapped_column(SentJson)
    related_version_no: Mapped[int]
    event_id: Mapped[str]

    __table_args__ = (
        UniqueConstraint("tenant_id", "approval_id"),
        UniqueConstraint("tenant_id", "event_id", name="uq_proposal_approvals_event"),
        # Each version is approved, or not, once by each.
        UniqueConstraint(
            "tenant_id", "proposal_id", "related_version_no", "approval_type", name="uq_proposal_approvals_once"
        ),
        CheckConstraint("approval_type IN ('RISK', 'COMPLIANCE', 'CLIENT_CONSENT')", name="approval_type"),
        Index("ix_proposal_approvals_proposal", "tenant_id", "proposal_id", "approval_seq"),
        {"sqlite_autoincrement": True},
    )


class ProposalKey(Base):
    """An idempotency key and the event that its request caused, from which the first answer is built again.

    ``scope`` is empty for the key of a create, and the proposal's id for all other keys. Rows are never changed.
    """

    __tablename__ = "proposal_keys"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    proposal_id: Mapped[str]
    event_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_proposal_keys_proposal", "tenant_id", "proposal_id"),
        # The search box: a key of any scope.
        Index("ix_proposal_keys_key", "tenant_id", "idempotency_key"),
    )


class ProposalSimulation(Base):
    """One simulation for each (tenant, key): the first answer, which every repetition gets (proposals-api §5.7).

    ``artifact`` is the whole artifact, compressed; the result that it was made from is part of it.
    """

    __tablename__ = "proposal_simulations"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    correlation_id: Mapped[str]
    proposal_run_id: Mapped[str]
    submitted_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    artifact: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (Index("ix_proposal_simulations_oldest", "tenant_id", "created_at", "idempotency_key"),)
