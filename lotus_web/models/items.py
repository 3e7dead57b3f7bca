"""Workflow items: the inbox, derived from the log and from actions (workflow.md §2)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, SmallInteger, false, text
from sqlalchemy.orm import Mapped, mapped_column

from lotus_web.store.types import Base, Json, UtcDateTime

OPEN = text("resolved_at IS NULL")
TO_WARN = text("resolved_at IS NULL AND NOT risk_told")
TO_ESCALATE = text("resolved_at IS NULL AND status <> 'escalated' AND NOT breach_told")
CLAIMED = text("resolved_at IS NULL AND claimed_at IS NOT NULL")


class WorkflowItem(Base):
    """One reviewable thing. Open means ``resolved_at`` is null; the partial indexes are keyed on that."""

    __tablename__ = "dg_workflow_items"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    workflow_id: Mapped[str] = mapped_column(primary_key=True)
    trace_id: Mapped[str]
    workflow_kind: Mapped[str]
    workflow_name: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[str]
    rebalance_run_id: Mapped[str | None]
    portfolio_id: Mapped[str | None]
    status: Mapped[str]
    priority_rank: Mapped[int] = mapped_column(SmallInteger)
    title: Mapped[str]
    request_reason: Mapped[str]
    policy_id: Mapped[str | None]
    policy_version: Mapped[str | None]
    requested_by_type: Mapped[str]
    requested_by_id: Mapped[str]
    assigned_account_id: Mapped[str | None]
    assigned_role: Mapped[str | None]
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sla_due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_action_type: Mapped[str | None]
    last_action_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_actor_id: Mapped[str | None]
    current_decision: Mapped[str | None]
    current_reason: Mapped[str | None]
    approval_event_id: Mapped[str | None]
    created_from_event_id: Mapped[str]
    # Who made what it is about, where four eyes holds back the maker and not who asked (domain/items/next_item.py).
    made_by: Mapped[str | None]
    last_source_log_seq: Mapped[int] = mapped_column(BigInteger)
    details: Mapped[dict[str, Any]] = mapped_column("metadata", Json)
    version: Mapped[int]
    # What items share that failed the same rules (domain/items/precedents.py); follows from policy and evidence.
    precedent_key: Mapped[str | None]
    # The sweep's own marks, not part of the fold: warned and escalated for this due time; not to be tried again before (a
    # poison row).
    risk_told: Mapped[bool] = mapped_column(default=False)
    breach_told: Mapped[bool] = mapped_column(default=False, server_default=false())
    sweep_not_before: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        CheckConstraint(
            "(resolved_at IS NULL) = (status IN ('requested', 'in_review', 'changes_requested', 'escalated'))",
            name="open_means_unresolved",
        ),
        CheckConstraint(
            "status IN ('requested', 'in_review', 'changes_requested', 'escalated',"
            " 'approved', 'rejected', 'overridden', 'withdrawn')",
            name="status",
        ),
        CheckConstraint("priority_rank BETWEEN 0 AND 3", name="priority"),
        CheckConstraint("version >= 1", name="version"),
        # The inbox reads open items in this order (queries/inbox/order.py); assignment and due time are in it so that the
        # tabs and the overdue part filter inside the index.
        Index(
            "ix_dg_workflow_items_inbox",
            "tenant_id",
            "priority_rank",
            "requested_at",
            "workflow_id",
            "sla_due_at",
            "assigned_account_id",
            "assigned_role",
            "status",
            sqlite_where=OPEN,
            postgresql_where=OPEN,
        ),
        # The SLA sweep and the due counts read open items by due time.
        Index(
            "ix_dg_workflow_items_due",
            "tenant_id",
            "sla_due_at",
            "workflow_id",
            sqlite_where=OPEN,
            postgresql_where=OPEN,
        ),
        # The sweep reads only what it still has to do: not yet warned, not yet escalated (services/sla.py).
        Index(
            "ix_dg_workflow_items_to_warn",
            "tenant_id",
            "sla_due_at",
            "workflow_id",
            sqlite_where=TO_WARN,
            postgresql_where=TO_WARN,
        ),
        Index(
            "ix_dg_workflow_items_to_escalate",
            "tenant_id",
            "sla_due_at",
            "workflow_id",
            sqlite_where=TO_ESCALATE,
            postgresql_where=TO_ESCALATE,
        ),
        # Claims that may have expired (services/items/claims.py).
        Index(
            "ix_dg_workflow_items_claimed",
            "tenant_id",
            "claimed_at",
            sqlite_where=CLAIMED,
            postgresql_where=CLAIMED,
        ),
        # The closed tab, newest first, and decisions per day, which a withdrawn review is none of.
        Index(
            "ix_dg_workflow_items_closed",
            "tenant_id",
            "resolved_at",
            "workflow_id",
            "status",
            sqlite_where=text("resolved_at IS NOT NULL"),
            postgresql_where=text("resolved_at IS NOT NULL"),
        ),
        # Decided items in the inbox's order: GET /workflows?only_open=false (queries/inbox/order.py).
        Index(
            "ix_dg_workflow_items_decided",
            "tenant_id",
            "priority_rank",
            "requested_at",
            "workflow_id",
            sqlite_where=text("resolved_at IS NOT NULL"),
            postgresql_where=text("resolved_at IS NOT NULL"),
        ),
        # Decisions on items like this one, newest first, with all that is counted of them (queries/items/precedents.py).
        Index(
            "ix_dg_workflow_items_precedents",
            "tenant_id",
            "precedent_key",
            "resolved_at",
            "workflow_id",
            "current_decision",
            "requested_at",
            sqlite_where=text("resolved_at IS NOT NULL"),
            postgresql_where=text("resolved_at IS NOT NULL"),
        ),
        Index("ix_dg_workflow_items_trace", "tenant_id", "trace_id", "workflow_id"),
        Index("ix_dg_workflow_items_run", "tenant_id", "rebalance_run_id"),
        Index("ix_dg_workflow_items_portfolio", "tenant_id", "portfolio_id", "requested_at", "workflow_id"),
    )
