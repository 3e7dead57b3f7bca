"""What people and jobs did on items: append-only, imported from events or manual (workflow.md §1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lotus_web.store.types import Base, Json, UtcDateTime


class WorkflowAction(Base):
    """One action; ``after_log_seq`` is the log's head when it happened, which orders it among the events on a rebuild."""

    __tablename__ = "dg_workflow_actions"

    action_seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    action_id: Mapped[str]
    tenant_id: Mapped[str]
    workflow_id: Mapped[str]
    trace_id: Mapped[str]
    action_type: Mapped[str]
    origin: Mapped[str]
    actor_type: Mapped[str]
    actor_id: Mapped[str]
    on_behalf_of: Mapped[str | None]
    surface: Mapped[str]
    reason_code: Mapped[str | None]
    text: Mapped[str | None]
    from_status: Mapped[str]
    to_status: Mapped[str]
    assigned_account_id: Mapped[str | None]
    assigned_role: Mapped[str | None]
    source_event_id: Mapped[str | None]
    after_log_seq: Mapped[int] = mapped_column(BigInteger)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    details: Mapped[dict[str, Any]] = mapped_column("payload", Json)

    __table_args__ = (
        UniqueConstraint("tenant_id", "action_id"),
        Index("ix_dg_workflow_actions_item", "tenant_id", "workflow_id", "action_seq"),
        Index("ix_dg_workflow_actions_trace", "tenant_id", "trace_id", "action_seq"),
        # The audit explorer reads newest first; the rebuild reads oldest first.
        Index("ix_dg_workflow_actions_newest", "tenant_id", "action_seq"),
        Index("ix_dg_workflow_actions_time", "tenant_id", "occurred_at", "action_seq"),
        # Escalations a day and the report by reason (queries/sla/board.py, queries/decisions/reasons.py).
        Index("ix_dg_workflow_actions_type", "tenant_id", "action_type", "occurred_at", "reason_code"),
        {"sqlite_autoincrement": True},
    )
