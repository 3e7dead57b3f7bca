"""The spine: runs, keys, lineage, the event log, items, actions, notifications, decisions, people, accounts and jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lotus_web.migrations.append_only import make_append_only

APPEND_ONLY = (
    "dg_event_log",
    "dg_workflow_actions",
    "dg_workflow_notifications",
    "dpm_workflow_decisions",
)
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dg_event_log",
        sa.Column("log_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("event_id", TEXT, nullable=False),
        sa.Column("trace_id", TEXT, nullable=False),
        sa.Column("trace_seq", sa.Integer(), nullable=False),
        sa.Column("event_type", TEXT, nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("producer_id", TEXT, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("idempotency_key", TEXT, nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("correlation_id", TEXT, nullable=True),
        sa.Column("causation_event_id", TEXT, nullable=True),
        sa.Column("schema_version", sa.Integer(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("applied_defaults", sa.Text(), nullable=False),
        sa.Column("payload_hash", TEXT, nullable=False),
        sa.Column("prev_hash", TEXT, nullable=False),
        sa.Column("entry_hash", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("log_seq", name=op.f("pk_dg_event_log")),
        sa.UniqueConstraint("tenant_id", "event_id", name=op.f("uq_dg_event_log_tenant_id_event_id")),
        sa.UniqueConstraint(
            "tenant_id",
            "producer_id",
            "idempotency_key",
            name=op.f("uq_dg_event_log_tenant_id_producer_id_idempotency_key"),
        ),
        sa.UniqueConstraint(
            "tenant_id", "trace_id", "trace_seq", name=op.f("uq_dg_event_log_tenant_id_trace_id_trace_seq")
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("dg_event_log", schema=None) as batch_op:
        batch_op.create_index("ix_dg_event_log_chain", ["tenant_id", "log_seq"], unique=False)

    op.create_table(
        "dg_workflow_actions",
        sa.Column("action_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("action_id", TEXT, nullable=False),
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("workflow_id", TEXT, nullable=False),
        sa.Column("trace_id", TEXT, nullable=False),
        sa.Column("action_type", TEXT, nullable=False),
        sa.Column("origin", TEXT, nullable=False),
        sa.Column("actor_type", TEXT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("on_behalf_of", TEXT, nullable=True),
        sa.Column("surface", TEXT, nullable=False),
        sa.Column("reason_code", TEXT, nullable=True),
        sa.Column("text", TEXT, nullable=True),
        sa.Column("from_status", TEXT, nullable=False),
        sa.Column("to_status", TEXT, nullable=False),
        sa.Column("assigned_account_id", TEXT, nullable=True),
        sa.Column("assigned_role", TEXT, nullable=True),
        sa.Column("source_event_id", TEXT, nullable=True),
        sa.Column("after_log_seq", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("action_seq", name=op.f("pk_dg_workflow_actions")),
        sa.UniqueConstraint("tenant_id", "action_id", name=op.f("uq_dg_workflow_actions_tenant_id_action_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("dg_workflow_actions", schema=None) as batch_op:
        batch_op.create_index("ix_dg_workflow_actions_item", ["tenant_id", "workflow_id", "action_seq"], unique=False)
        batch_op.create_index("ix_dg_workflow_actions_newest", ["tenant_id", "action_seq"], unique=False)
        batch_op.create_index("ix_dg_workflow_actions_trace", ["tenant_id", "trace_id", "action_seq"], unique=False)

    op.create_table(
        "dg_workflow_items",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("workflow_id", TEXT, nullable=False),
        sa.Column("trace_id", TEXT, nullable=False),
        sa.Column("workflow_kind", TEXT, nullable=False),
        sa.Column("workflow_name", TEXT, nullable=False),
        sa.Column("subject_type", TEXT, nullable=False),
        sa.Column("subject_id", TEXT, nullable=False),
        sa.Column("rebalance_run_id", TEXT, nullable=True),
        sa.Column("portfolio_id", TEXT, nullable=True),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("priority_rank", sa.SmallInteger(), nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("request_reason", TEXT, nullable=False),
        sa.Column("policy_id", TEXT, nullable=True),
        sa.Column("policy_version", TEXT, nullable=True),
        sa.Column("requested_by_type", TEXT, nullable=False),
        sa.Column("requested_by_id", TEXT, nullable=False),
        sa.Column("assigned_account_id", TEXT, nullable=True),
        sa.Column("assigned_role", TEXT, nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sla_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_action_type", TEXT, nullable=True),
        sa.Column("last_action_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_actor_id", TEXT, nullable=True),
        sa.Column("current_decision", TEXT, nullable=True),
        sa.Column("current_reason", TEXT, nullable=True),
        sa.Column("approval_event_id", TEXT, nullable=True),
        sa.Column("created_from_event_id", TEXT, nullable=False),
        sa.Column("last_source_log_seq", sa.BigInteger(), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("risk_told", sa.Boolean(), nullable=False),
        sa.Column("sweep_not_before", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(resolved_at IS NULL) = (status IN ('requested', 'in_review', 'changes_requested', 'escalated'))",
            name=op.f("ck_dg_workflow_items_open_means_unresolved"),
        ),
        sa.CheckConstraint(
            "status IN ('requested', 'in_review', 'changes_requested', 'escalated', 'approved', 'rejected', 'overridden')",
            name=op.f("ck_dg_workflow_items_status"),
        ),
        sa.CheckConstraint("priority_rank BETWEEN 0 AND 3", name=op.f("ck_dg_workflow_items_priority")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_dg_workflow_items_version")),
        sa.PrimaryKeyConstraint("tenant_id", "workflow_id", name=op.f("pk_dg_workflow_items")),
    )
    with op.batch_alter_table("dg_workflow_items", schema=None) as batch_op:
        batch_op.create_index(
            "ix_dg_workflow_items_claimed",
            ["tenant_id", "claimed_at"],
            unique=False,
            sqlite_where=sa.text("resolved_at IS NULL AND claimed_at IS NOT NULL"),
            postgresql_where=sa.text("resolved_at IS NULL AND claimed_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_dg_workflow_items_closed",
            ["tenant_id", "resolved_at", "workflow_id"],
            unique=False,
            sqlite_where=sa.text("resolved_at IS NOT NULL"),
            postgresql_where=sa.text("resolved_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_dg_workflow_items_due",
            ["tenant_id", "sla_due_at", "workflow_id"],
            unique=False,
            sqlite_where=sa.text("resolved_at IS NULL"),
            postgresql_where=sa.text("resolved_at IS NULL"),
        )
        batch_op.create_index(
            "ix_dg_workflow_items_inbox",
            [
                "tenant_id",
                "priority_rank",
                "requested_at",
                "workflow_id",
                "sla_due_at",
                "assigned_account_id",
                "assigned_role",
                "status",
            ],
            unique=False,
            sqlite_where=sa.text("resolved_at IS NULL"),
            postgresql_where=sa.text("resolved_at IS NULL"),
        )
        batch_op.create_index(
            "ix_dg_workflow_items_portfolio", ["tenant_id", "portfolio_id", "requested_at", "workflow_id"], unique=False
        )
        batch_op.create_index("ix_dg_workflow_items_run", ["tenant_id", "rebalance_run_id"], unique=False)
        batch_op.create_index(
            "ix_dg_workflow_items_to_escalate",
            ["tenant_id", "sla_due_at", "workflow_id"],
            unique=False,
            sqlite_where=sa.text("resolved_at IS NULL AND status <> 'escalated'"),
            postgresql_where=sa.text("resolved_at IS NULL AND status <> 'escalated'"),
        )
        batch_op.create_index(
            "ix_dg_workflow_items_to_warn",
            ["tenant_id", "sla_due_at", "workflow_id"],
            unique=False,
            sqlite_where=sa.text("resolved_at IS NULL AND NOT risk_told"),
            postgresql_where=sa.text("resolved_at IS NULL AND NOT risk_told"),
        )
        batch_op.create_index("ix_dg_workflow_items_trace", ["tenant_id", "trace_id", "workflow_id"], unique=False)

    op.create_table(
        "dg_workflow_notification_reads",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("account_id", TEXT, nullable=False),
        sa.Column("notification_id", TEXT, nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "account_id", "notification_id", name=op.f("pk_dg_workflow_notification_reads")
        ),
    )
    op.create_table(
        "dg_workflow_notifications",
        sa.Column("notification_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("notification_id", TEXT, nullable=False),
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("workflow_id", TEXT, nullable=False),
        sa.Column("trace_id", TEXT, nullable=False),
        sa.Column("category", TEXT, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("message", TEXT, nullable=False),
        sa.Column("recipient_account_id", TEXT, nullable=True),
        sa.Column("recipient_role", TEXT, nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("dedupe_key", TEXT, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("notification_seq", name=op.f("pk_dg_workflow_notifications")),
        sa.UniqueConstraint("tenant_id", "dedupe_key", name=op.f("uq_dg_workflow_notifications_tenant_id_dedupe_key")),
        sa.UniqueConstraint(
            "tenant_id", "notification_id", name=op.f("uq_dg_workflow_notifications_tenant_id_notification_id")
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("dg_workflow_notifications", schema=None) as batch_op:
        batch_op.create_index(
            "ix_dg_workflow_notifications_account",
            ["tenant_id", "recipient_account_id", "notification_seq"],
            unique=False,
        )
        batch_op.create_index(
            "ix_dg_workflow_notifications_item", ["tenant_id", "workflow_id", "notification_seq"], unique=False
        )
        batch_op.create_index(
            "ix_dg_workflow_notifications_role", ["tenant_id", "recipient_role", "notification_seq"], unique=False
        )

    op.create_table(
        "dg_workflow_runtime",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("last_log_seq", sa.BigInteger(), nullable=False),
        sa.Column("head_hash", TEXT, nullable=False),
        sa.Column("entry_count", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_dg_workflow_runtime")),
    )
    op.create_table(
        "dpm_idempotency_history",
        sa.Column("history_id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("idempotency_key", TEXT, nullable=False),
        sa.Column("rebalance_run_id", TEXT, nullable=False),
        sa.Column("correlation_id", TEXT, nullable=False),
        sa.Column("request_hash", TEXT, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("history_id", name=op.f("pk_dpm_idempotency_history")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("dpm_idempotency_history", schema=None) as batch_op:
        batch_op.create_index(
            "ix_dpm_idempotency_history_key", ["tenant_id", "idempotency_key", "created_at", "history_id"], unique=False
        )
        batch_op.create_index("ix_dpm_idempotency_history_run", ["tenant_id", "rebalance_run_id"], unique=False)

    op.create_table(
        "dpm_idempotency_keys",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("idempotency_key", TEXT, nullable=False),
        sa.Column("request_hash", TEXT, nullable=False),
        sa.Column("rebalance_run_id", TEXT, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reserved_by", TEXT, nullable=True),
        sa.Column("reserved_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "rebalance_run_id IS NOT NULL OR reserved_by IS NOT NULL",
            name=op.f("ck_dpm_idempotency_keys_mapped_or_reserved"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "idempotency_key", name=op.f("pk_dpm_idempotency_keys")),
    )
    with op.batch_alter_table("dpm_idempotency_keys", schema=None) as batch_op:
        batch_op.create_index("ix_dpm_idempotency_keys_run", ["tenant_id", "rebalance_run_id"], unique=False)

    op.create_table(
        "dpm_lineage_edges",
        sa.Column("edge_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("source_entity_id", TEXT, nullable=False),
        sa.Column("source_kind", TEXT, nullable=False),
        sa.Column("edge_type", TEXT, nullable=False),
        sa.Column("target_entity_id", TEXT, nullable=False),
        sa.Column("target_kind", TEXT, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("edge_id", name=op.f("pk_dpm_lineage_edges")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("dpm_lineage_edges", schema=None) as batch_op:
        batch_op.create_index(
            "ix_dpm_lineage_edges_source", ["tenant_id", "source_entity_id", "created_at", "edge_id"], unique=False
        )
        batch_op.create_index(
            "ix_dpm_lineage_edges_target", ["tenant_id", "target_entity_id", "created_at", "edge_id"], unique=False
        )

    op.create_table(
        "dpm_run_artifacts",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("rebalance_run_id", TEXT, nullable=False),
        sa.Column("artifact", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "rebalance_run_id", name=op.f("pk_dpm_run_artifacts")),
    )
    op.create_table(
        "dpm_run_payloads",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("rebalance_run_id", TEXT, nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("result", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "rebalance_run_id", name=op.f("pk_dpm_run_payloads")),
    )
    op.create_table(
        "dpm_runs",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("rebalance_run_id", TEXT, nullable=False),
        sa.Column("correlation_id", TEXT, nullable=False),
        sa.Column("request_hash", TEXT, nullable=False),
        sa.Column("idempotency_key", TEXT, nullable=True),
        sa.Column("portfolio_id", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("engine_version", TEXT, nullable=False),
        sa.Column("artifact_hash", TEXT, nullable=False),
        sa.Column("submitted_by", TEXT, nullable=False),
        sa.Column("legal_hold", sa.Boolean(), nullable=False),
        sa.CheckConstraint("status IN ('READY', 'PENDING_REVIEW', 'BLOCKED')", name=op.f("ck_dpm_runs_status")),
        sa.PrimaryKeyConstraint("tenant_id", "rebalance_run_id", name=op.f("pk_dpm_runs")),
    )
    with op.batch_alter_table("dpm_runs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_dpm_runs_correlation", ["tenant_id", "correlation_id", "created_at", "rebalance_run_id"], unique=False
        )
        batch_op.create_index("ix_dpm_runs_newest", ["tenant_id", "created_at", "rebalance_run_id"], unique=False)
        batch_op.create_index(
            "ix_dpm_runs_portfolio", ["tenant_id", "portfolio_id", "created_at", "rebalance_run_id"], unique=False
        )
        batch_op.create_index(
            "ix_dpm_runs_request_hash", ["tenant_id", "request_hash", "created_at", "rebalance_run_id"], unique=False
        )
        batch_op.create_index(
            "ix_dpm_runs_status", ["tenant_id", "status", "created_at", "rebalance_run_id"], unique=False
        )

    op.create_table(
        "dpm_workflow_decisions",
        sa.Column("decision_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("decision_id", TEXT, nullable=False),
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("workflow_id", TEXT, nullable=False),
        sa.Column("portfolio_id", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("reason_code", TEXT, nullable=False),
        sa.Column("comment", TEXT, nullable=True),
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("recorded_by", TEXT, nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("correlation_id", TEXT, nullable=False),
        sa.Column("shown_digest", TEXT, nullable=False),
        sa.Column("surface", TEXT, nullable=False),
        sa.CheckConstraint(
            "action IN ('APPROVE', 'REJECT', 'REQUEST_CHANGES')", name=op.f("ck_dpm_workflow_decisions_action")
        ),
        sa.PrimaryKeyConstraint("decision_seq", name=op.f("pk_dpm_workflow_decisions")),
        sa.UniqueConstraint("tenant_id", "decision_id", name=op.f("uq_dpm_workflow_decisions_tenant_id_decision_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("dpm_workflow_decisions", schema=None) as batch_op:
        batch_op.create_index(
            "ix_dpm_workflow_decisions_action", ["tenant_id", "action", "decided_at", "decision_id"], unique=False
        )
        batch_op.create_index(
            "ix_dpm_workflow_decisions_actor", ["tenant_id", "actor_id", "decided_at", "decision_id"], unique=False
        )
        batch_op.create_index(
            "ix_dpm_workflow_decisions_newest", ["tenant_id", "decided_at", "decision_id"], unique=False
        )
        batch_op.create_index(
            "ix_dpm_workflow_decisions_portfolio",
            ["tenant_id", "portfolio_id", "decided_at", "decision_id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_dpm_workflow_decisions_reason", ["tenant_id", "reason_code", "decided_at", "decision_id"], unique=False
        )
        batch_op.create_index("ix_dpm_workflow_decisions_run", ["tenant_id", "run_id", "decision_seq"], unique=False)

    op.create_table(
        "job_runs",
        sa.Column("job", TEXT, nullable=False),
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("error", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_job_runs")),
    )
    op.create_table(
        "people",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("display_name", TEXT, nullable=False),
        sa.Column("password_hash", TEXT, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_people")),
    )
    op.create_table(
        "scheduler_leases",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_scheduler_leases")),
    )
    op.create_table(
        "service_accounts",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_service_accounts")),
    )
    op.create_table(
        "sign_in_failures",
        sa.Column("failure_id", sa.Integer(), nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("address", TEXT, nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("failure_id", name=op.f("pk_sign_in_failures")),
    )
    with op.batch_alter_table("sign_in_failures", schema=None) as batch_op:
        batch_op.create_index("ix_sign_in_failures_address", ["address", "failed_at"], unique=False)
        batch_op.create_index("ix_sign_in_failures_age", ["failed_at"], unique=False)
        batch_op.create_index("ix_sign_in_failures_name", ["name", "failed_at"], unique=False)

    op.create_table(
        "api_tokens",
        sa.Column("token_id", TEXT, nullable=False),
        sa.Column("account", TEXT, nullable=False),
        sa.Column("secret_hash", TEXT, nullable=False),
        sa.Column("tenants", sa.Text(), nullable=False),
        sa.Column("permissions", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"], ["service_accounts.name"], name=op.f("fk_api_tokens_account_service_accounts")
        ),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_api_tokens")),
    )
    with op.batch_alter_table("api_tokens", schema=None) as batch_op:
        batch_op.create_index("ix_api_tokens_account", ["account"], unique=False)

    op.create_table(
        "person_roles",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.CheckConstraint("role IN ('viewer', 'reviewer', 'manager', 'admin')", name=op.f("ck_person_roles_role")),
        sa.ForeignKeyConstraint(["name"], ["people.name"], name=op.f("fk_person_roles_name_people")),
        sa.PrimaryKeyConstraint("name", "tenant_id", "role", name=op.f("pk_person_roles")),
    )
    op.create_table(
        "person_sessions",
        sa.Column("session_hash", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("draft", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["name"], ["people.name"], name=op.f("fk_person_sessions_name_people")),
        sa.PrimaryKeyConstraint("session_hash", name=op.f("pk_person_sessions")),
    )
    with op.batch_alter_table("person_sessions", schema=None) as batch_op:
        batch_op.create_index("ix_person_sessions_expires", ["expires_at"], unique=False)
        batch_op.create_index("ix_person_sessions_name", ["name"], unique=False)
    for table in APPEND_ONLY:
        make_append_only(table)


def downgrade() -> None:
    with op.batch_alter_table("person_sessions", schema=None) as batch_op:
        batch_op.drop_index("ix_person_sessions_name")
        batch_op.drop_index("ix_person_sessions_expires")

    op.drop_table("person_sessions")
    op.drop_table("person_roles")
    with op.batch_alter_table("api_tokens", schema=None) as batch_op:
        batch_op.drop_index("ix_api_tokens_account")

    op.drop_table("api_tokens")
    with op.batch_alter_table("sign_in_failures", schema=None) as batch_op:
        batch_op.drop_index("ix_sign_in_failures_name")
        batch_op.drop_index("ix_sign_in_failures_age")
        batch_op.drop_index("ix_sign_in_failures_address")

    op.drop_table("sign_in_failures")
    op.drop_table("service_accounts")
    op.drop_table("scheduler_leases")
    op.drop_table("people")
    op.drop_table("job_runs")
    with op.batch_alter_table("dpm_workflow_decisions", schema=None) as batch_op:
        batch_op.drop_index("ix_dpm_workflow_decisions_run")
        batch_op.drop_index("ix_dpm_workflow_decisions_reason")
        batch_op.drop_index("ix_dpm_workflow_decisions_portfolio")
        batch_op.drop_index("ix_dpm_workflow_decisions_newest")
        batch_op.drop_index("ix_dpm_workflow_decisions_actor")
        batch_op.drop_index("ix_dpm_workflow_decisions_action")

    op.drop_table("dpm_workflow_decisions")
    with op.batch_alter_table("dpm_runs", schema=None) as batch_op:
        batch_op.drop_index("ix_dpm_runs_status")
        batch_op.drop_index("ix_dpm_runs_request_hash")
        batch_op.drop_index("ix_dpm_runs_portfolio")
        batch_op.drop_index("ix_dpm_runs_newest")
        batch_op.drop_index("ix_dpm_runs_correlation")

    op.drop_table("dpm_runs")
    op.drop_table("dpm_run_payloads")
    op.drop_table("dpm_run_artifacts")
    with op.batch_alter_table("dpm_lineage_edges", schema=None) as batch_op:
        batch_op.drop_index("ix_dpm_lineage_edges_target")
        batch_op.drop_index("ix_dpm_lineage_edges_source")

    op.drop_table("dpm_lineage_edges")
    with op.batch_alter_table("dpm_idempotency_keys", schema=None) as batch_op:
        batch_op.drop_index("ix_dpm_idempotency_keys_run")

    op.drop_table("dpm_idempotency_keys")
    with op.batch_alter_table("dpm_idempotency_history", schema=None) as batch_op:
        batch_op.drop_index("ix_dpm_idempotency_history_run")
        batch_op.drop_index("ix_dpm_idempotency_history_key")

    op.drop_table("dpm_idempotency_history")
    op.drop_table("dg_workflow_runtime")
    with op.batch_alter_table("dg_workflow_notifications", schema=None) as batch_op:
        batch_op.drop_index("ix_dg_workflow_notifications_role")
        batch_op.drop_index("ix_dg_workflow_notifications_item")
        batch_op.drop_index("ix_dg_workflow_notifications_account")

    op.drop_table("dg_workflow_notifications")
    op.drop_table("dg_workflow_notification_reads")
    with op.batch_alter_table("dg_workflow_items", schema=None) as batch_op:
        batch_op.drop_index("ix_dg_workflow_items_trace")
        batch_op.drop_index(
            "ix_dg_workflow_items_to_warn",
            sqlite_where=sa.text("resolved_at IS NULL AND NOT risk_told"),
            postgresql_where=sa.text("resolved_at IS NULL AND NOT risk_told"),
        )
        batch_op.drop_index(
            "ix_dg_workflow_items_to_escalate",
            sqlite_where=sa.text("resolved_at IS NULL AND status <> 'escalated'"),
            postgresql_where=sa.text("resolved_at IS NULL AND status <> 'escalated'"),
        )
        batch_op.drop_index("ix_dg_workflow_items_run")
        batch_op.drop_index("ix_dg_workflow_items_portfolio")
        batch_op.drop_index(
            "ix_dg_workflow_items_inbox",
            sqlite_where=sa.text("resolved_at IS NULL"),
            postgresql_where=sa.text("resolved_at IS NULL"),
        )
        batch_op.drop_index(
            "ix_dg_workflow_items_due",
            sqlite_where=sa.text("resolved_at IS NULL"),
            postgresql_where=sa.text("resolved_at IS NULL"),
        )
        batch_op.drop_index(
            "ix_dg_workflow_items_closed",
            sqlite_where=sa.text("resolved_at IS NOT NULL"),
            postgresql_where=sa.text("resolved_at IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_dg_workflow_items_claimed",
            sqlite_where=sa.text("resolved_at IS NULL AND claimed_at IS NOT NULL"),
            postgresql_where=sa.text("resolved_at IS NULL AND claimed_at IS NOT NULL"),
        )

    op.drop_table("dg_workflow_items")
    with op.batch_alter_table("dg_workflow_actions", schema=None) as batch_op:
        batch_op.drop_index("ix_dg_workflow_actions_trace")
        batch_op.drop_index("ix_dg_workflow_actions_newest")
        batch_op.drop_index("ix_dg_workflow_actions_item")

    op.drop_table("dg_workflow_actions")
    with op.batch_alter_table("dg_event_log", schema=None) as batch_op:
        batch_op.drop_index("ix_dg_event_log_chain")

    op.drop_table("dg_event_log")
