"""Proposals: the row that moves, and versions, events and approvals that are only ever added (proposals-api §2, delta 29)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lotus_web.migrations.append_only import make_append_only, make_unchangeable

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)
SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN = "'DRAFT', 'RISK_REVIEW', 'COMPLIANCE_REVIEW', 'AWAITING_CLIENT_CONSENT', 'EXECUTION_READY'"
STATES = f"{OPEN}, 'EXECUTED', 'REJECTED', 'CANCELLED', 'EXPIRED'"
APPEND_ONLY = ("proposal_versions", "proposal_events", "proposal_approvals")
UNCHANGEABLE = ("proposal_documents", "proposal_keys")


def upgrade() -> None:
    _create_proposals()
    _create_versions()
    _create_events()
    _create_approvals()
    _create_keys()
    for table in APPEND_ONLY:
        make_append_only(table)
    for table in UNCHANGEABLE:
        make_unchangeable(table)


def downgrade() -> None:
    for table in (*UNCHANGEABLE, *APPEND_ONLY, "proposals"):
        op.drop_table(table)


def _text(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, TEXT, nullable=nullable) for name in names]


def _create_proposals() -> None:
    op.create_table(
        "proposals",
        *_text("tenant_id", "proposal_id", "portfolio_id"),
        *_text("mandate_id", "jurisdiction", "title", "advisor_notes", nullable=True),
        *_text("created_by", "recorded_by"),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_event_at", TIME, nullable=False),
        *_text("current_state"),
        sa.Column("current_version_no", sa.Integer(), nullable=False),
        sa.CheckConstraint(f"current_state IN ({STATES})", name=op.f("ck_proposals_current_state")),
        sa.CheckConstraint("current_version_no >= 1", name=op.f("ck_proposals_current_version_no")),
        sa.PrimaryKeyConstraint("tenant_id", "proposal_id", name=op.f("pk_proposals")),
    )
    order = ["created_at", "proposal_id"]
    op.create_index("ix_proposals_newest", "proposals", ["tenant_id", *order])
    op.create_index("ix_proposals_portfolio", "proposals", ["tenant_id", "portfolio_id", *order])
    op.create_index("ix_proposals_state", "proposals", ["tenant_id", "current_state", *order])
    op.create_index("ix_proposals_creator", "proposals", ["tenant_id", "created_by", *order])


def _create_versions() -> None:
    op.create_table(
        "proposal_versions",
        *_text("tenant_id", "proposal_id"),
        sa.Column("version_no", sa.Integer(), autoincrement=False, nullable=False),
        *_text("proposal_version_id", "portfolio_id", "created_by", "recorded_by"),
        sa.Column("created_at", TIME, nullable=False),
        *_text("correlation_id", "request_hash", "simulation_hash", "artifact_hash", "status_at_creation", "gate"),
        sa.Column("gate_decision", sa.Text(), nullable=True),
        *_text("engine_version"),
        sa.CheckConstraint("version_no >= 1", name=op.f("ck_proposal_versions_version_no")),
        sa.CheckConstraint(
            "status_at_creation IN ('READY', 'PENDING_REVIEW', 'BLOCKED')", name=op.f("ck_proposal_versions_status")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "proposal_id", "version_no", name=op.f("pk_proposal_versions")),
        sa.UniqueConstraint(
            "tenant_id", "proposal_version_id", name=op.f("uq_proposal_versions_tenant_id_proposal_version_id")
        ),
    )
    op.create_index("ix_proposal_versions_correlation", "proposal_versions", ["tenant_id", "correlation_id"])
    op.create_table(
        "proposal_documents",
        *_text("tenant_id", "proposal_id"),
        sa.Column("version_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("result", sa.LargeBinary(), nullable=False),
        sa.Column("artifact", sa.LargeBinary(), nullable=False),
        sa.Column("inputs", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "proposal_id", "version_no", name=op.f("pk_proposal_documents")),
    )


def _create_events() -> None:
    op.create_table(
        "proposal_events",
        sa.Column("event_seq", SEQUENCE, nullable=False),
        *_text("event_id", "tenant_id", "proposal_id", "event_type"),
        *_text("from_state", nullable=True),
        *_text("to_state", "actor_id", "recorded_by"),
        sa.Column("occurred_at", TIME, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("related_version_no", sa.Integer(), nullable=False),
        *_text("correlation_id", "surface"),
        sa.CheckConstraint(f"to_state IN ({STATES})", name=op.f("ck_proposal_events_to_state")),
        sa.CheckConstraint(f"from_state IN ({OPEN})", name=op.f("ck_proposal_events_from_state")),
        sa.PrimaryKeyConstraint("event_seq", name=op.f("pk_proposal_events")),
        sa.UniqueConstraint("tenant_id", "event_id", name=op.f("uq_proposal_events_tenant_id_event_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_proposal_events_proposal", "proposal_events", ["tenant_id", "proposal_id", "event_seq"])


def _create_approvals() -> None:
    op.create_table(
        "proposal_approvals",
        sa.Column("approval_seq", SEQUENCE, nullable=False),
        *_text("approval_id", "tenant_id", "proposal_id", "approval_type"),
        sa.Column("approved", sa.Boolean(), nullable=False),
        *_text("actor_id", "recorded_by"),
        sa.Column("occurred_at", TIME, nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("related_version_no", sa.Integer(), nullable=False),
        *_text("event_id"),
        sa.CheckConstraint(
            "approval_type IN ('RISK', 'COMPLIANCE', 'CLIENT_CONSENT')",
            name=op.f("ck_proposal_approvals_approval_type"),
        ),
        sa.PrimaryKeyConstraint("approval_seq", name=op.f("pk_proposal_approvals")),
        sa.UniqueConstraint("tenant_id", "approval_id", name=op.f("uq_proposal_approvals_tenant_id_approval_id")),
        sa.UniqueConstraint("tenant_id", "event_id", name="uq_proposal_approvals_event"),
        sa.UniqueConstraint(
            "tenant_id", "proposal_id", "related_version_no", "approval_type", name="uq_proposal_approvals_once"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_proposal_approvals_proposal", "proposal_approvals", ["tenant_id", "proposal_id", "approval_seq"]
    )


def _create_keys() -> None:
    op.create_table(
        "proposal_keys",
        *_text("tenant_id", "scope", "idempotency_key", "request_hash", "proposal_id", "event_id"),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "scope", "idempotency_key", name=op.f("pk_proposal_keys")),
    )
    op.create_index("ix_proposal_keys_proposal", "proposal_keys", ["tenant_id", "proposal_id"])
