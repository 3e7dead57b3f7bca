"""Operations with their payloads and steps, and the log of purges and legal holds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from lotus_web.store.types import Base, Json, UtcDateTime

UNFINISHED = text("due_at IS NOT NULL")
FINISHED = text("finished_at IS NOT NULL")


class Operation(Base):
    """Accepted work. ``due_at`` is when the jobs may claim it: at once while PENDING, at the end of the lease while
    RUNNING, never (null) once finished. ``subject_id`` is the batch of an analysis,
    or the proposal: empty until it is created. ``callback_url`` is told when it has ended.
    """

    __tablename__ = "dpm_operations"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    operation_id: Mapped[str] = mapped_column(primary_key=True)
    family: Mapped[str]
    operation_type: Mapped[str]
    status: Mapped[str]
    correlation_id: Mapped[str]
    subject_id: Mapped[str]
    actor_type: Mapped[str]
    actor_id: Mapped[str]
    on_behalf_of: Mapped[str | None]
    acted_by: Mapped[dict[str, Any] | None] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_owner: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    steps_done: Mapped[int] = mapped_column(default=0)
    steps_total: Mapped[int]
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    callback_url: Mapped[str | None]
    idempotency_key: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("status IN ('PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED')", name="status"),
        CheckConstraint("(due_at IS NULL) = (status IN ('SUCCEEDED', 'FAILED'))", name="due_until_finished"),
        CheckConstraint("(finished_at IS NULL) = (status IN ('PENDING', 'RUNNING'))", name="finished"),
        # GET /rebalance/operations (queries/operations/lookup.py): one index for each filter, in list order.
        Index("ix_dpm_operations_newest", "tenant_id", "family", "created_at", "operation_id"),
        Index("ix_dpm_operations_status", "tenant_id", "family", "status", "created_at", "operation_id"),
        Index("ix_dpm_operations_type", "tenant_id", "family", "operation_type", "created_at", "operation_id"),
        Index("ix_dpm_operations_correlation", "tenant_id", "family", "correlation_id", "created_at", "operation_id"),
        # What the jobs process claims next (services/operations/leases.py) and what has expired (services/retention/purge.py).
        Index("ix_dpm_operations_due", "due_at", sqlite_where=UNFINISHED, postgresql_where=UNFINISHED),
        Index(
            "ix_dpm_operations_finished",
            "finished_at",
            "tenant_id",
            "operation_id",
            sqlite_where=FINISHED,
            postgresql_where=FINISHED,
        ),
    )


class OperationPayload(Base):
    """The request of an operation and, in the end, its result, both as zlib-compressed JSON text.

    ``policy_pack_id`` is the pack that the caller named; which one holds is found when the operation is carried out.
    """

    __tablename__ = "dpm_operation_payloads"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    operation_id: Mapped[str] = mapped_column(primary_key=True)
    request: Mapped[bytes] = mapped_column(LargeBinary)
    result: Mapped[bytes | None] = mapped_column(LargeBinary)
    policy_pack_id: Mapped[str | None]


class OperationStep(Base):
    """One finished step, written in the transaction that did it: the next worker continues after it."""

    __tablename__ = "dpm_operation_steps"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    operation_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    rebalance_run_id: Mapped[str | None]
    metric: Mapped[dict[str, Any] | None] = mapped_column(Json)
    failure: Mapped[str | None]


class RetentionEntry(Base):
    """One line of the retention log: a purge, or a legal hold set or lifted. A trigger refuses UPDATE and DELETE."""

    __tablename__ = "dpm_retention_log"

    entry_id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    tenant_id: Mapped[str]
    entry_type: Mapped[str]
    entity_id: Mapped[str]
    actor_id: Mapped[str]
    reason: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(Json)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        CheckConstraint(
            "entry_type IN ('RUN_PURGED', 'OPERATION_PURGED', 'PROPOSAL_PURGED', 'SIMULATION_PURGED', 'HOLD_SET', 'HOLD_LIFTED')",
            name="entry_type",
        ),
        # "Where did this run go, who held it?" and the log newest first.
        Index("ix_dpm_retention_log_entity", "tenant_id", "entity_id", "entry_id"),
        Index("ix_dpm_retention_log_newest", "tenant_id", "entry_id"),
        {"sqlite_autoincrement": True},
    )
