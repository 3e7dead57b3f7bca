"""A recorded run of the engine: a narrow row for lists, and its payloads apart so that lists never load them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from lotus_web.store.types import Base, Json, UtcDateTime


class Run(Base):
    """What a list, a look-up or a rule needs to know of a run (RFC-0017 §4.2); ``acted_by`` is who really sent it."""

    __tablename__ = "dpm_runs"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    rebalance_run_id: Mapped[str] = mapped_column(primary_key=True)
    correlation_id: Mapped[str]
    request_hash: Mapped[str]
    idempotency_key: Mapped[str | None]
    portfolio_id: Mapped[str]
    status: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    engine_version: Mapped[str]
    artifact_hash: Mapped[str]
    submitted_by: Mapped[str]
    acted_by: Mapped[dict[str, Any] | None] = mapped_column(Json)
    legal_hold: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        CheckConstraint("status IN ('READY', 'PENDING_REVIEW', 'BLOCKED')", name="status"),
        # One index for each way that GET /rebalance/runs and the look-ups ask; each ends in the list's order.
        Index("ix_dpm_runs_newest", "tenant_id", "created_at", "rebalance_run_id"),
        Index("ix_dpm_runs_status", "tenant_id", "status", "created_at", "rebalance_run_id"),
        Index("ix_dpm_runs_portfolio", "tenant_id", "portfolio_id", "created_at", "rebalance_run_id"),
        Index("ix_dpm_runs_request_hash", "tenant_id", "request_hash", "created_at", "rebalance_run_id"),
        Index("ix_dpm_runs_correlation", "tenant_id", "correlation_id", "created_at", "rebalance_run_id"),
    )


class RunPayload(Base):
    """The request and the result of a run as zlib-compressed JSON text, and the policy pack that it was computed under."""

    __tablename__ = "dpm_run_payloads"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    rebalance_run_id: Mapped[str] = mapped_column(primary_key=True)
    request: Mapped[bytes] = mapped_column(LargeBinary)
    result: Mapped[bytes] = mapped_column(LargeBinary)
    policy_pack: Mapped[dict[str, Any] | None] = mapped_column(Json)


class RunArtifact(Base):
    """A persisted artifact (DPM_ARTIFACT_STORE_MODE=PERSISTED), compressed like the payloads."""

    __tablename__ = "dpm_run_artifacts"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    rebalance_run_id: Mapped[str] = mapped_column(primary_key=True)
    artifact: Mapped[bytes] = mapped_column(LargeBinary)
