"""Operations with their payloads and steps, the retention log, and maintained counters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lotus_web.migrations.append_only import make_append_only

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OPERATION_INDEXES = {
    "newest": ["tenant_id", "family", "created_at", "operation_id"],
    "status": ["tenant_id", "family", "status", "created_at", "operation_id"],
    "type": ["tenant_id", "family", "operation_type", "created_at", "operation_id"],
    "correlation": ["tenant_id", "family", "correlation_id", "created_at", "operation_id"],
}


def upgrade() -> None:
    op.create_table(
        "dpm_operations",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("operation_id", TEXT, nullable=False),
        sa.Column("family", TEXT, nullable=False),
        sa.Column("operation_type", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("correlation_id", TEXT, nullable=False),
        sa.Column("subject_id", TEXT, nullable=False),
        sa.Column("actor_type", TEXT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("on_behalf_of", TEXT, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_owner", TEXT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("steps_done", sa.Integer(), nullable=False),
        sa.Column("steps_total", sa.Integer(), nullable=False),
        sa.Column("error_code", TEXT, nullable=True),
        sa.Column("error_message", TEXT, nullable=True),
        sa.CheckConstraint(
            "status IN ('PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED')", name=op.f("ck_dpm_operations_status")
        ),
        sa.CheckConstraint(
            "(due_at IS NULL) = (status IN ('SUCCEEDED', 'FAILED'))",
            name=op.f("ck_dpm_operations_due_until_finished"),
        ),
        sa.CheckConstraint(
            "(finished_at IS NULL) = (status IN ('PENDING', 'RUNNING'))", name=op.f("ck_dpm_operations_finished")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "operation_id", name=op.f("pk_dpm_operations")),
    )
    for name, columns in OPERATION_INDEXES.items():
        op.create_index(f"ix_dpm_operations_{name}", "dpm_operations", columns)
    unfinished, finished = sa.text("due_at IS NOT NULL"), sa.text("finished_at IS NOT NULL")
    op.create_index(
        "ix_dpm_operations_due", "dpm_operations", ["due_at"], sqlite_where=unfinished, postgresql_where=unfinished
    )
    op.create_index(
        "ix_dpm_operations_finished",
        "dpm_operations",
        ["finished_at", "tenant_id", "operation_id"],
        sqlite_where=finished,
        postgresql_where=finished,
    )
    op.create_table(
        "dpm_operation_payloads",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("operation_id", TEXT, nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "operation_id", name=op.f("pk_dpm_operation_payloads")),
    )
    op.create_table(
        "dpm_operation_steps",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("operation_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("rebalance_run_id", TEXT, nullable=True),
        sa.Column("metric", sa.Text(), nullable=True),
        sa.Column("failure", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "operation_id", "name", name=op.f("pk_dpm_operation_steps")),
    )
    op.create_table(
        "dpm_counters",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("counter", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "counter", "value", name=op.f("pk_dpm_counters")),
    )
    create_retention_log()
    count_what_is_there()


def create_retention_log() -> None:
    op.create_table(
        "dpm_retention_log",
        sa.Column("entry_id", SEQUENCE, nullable=False),
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("entry_type", TEXT, nullable=False),
        sa.Column("entity_id", TEXT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "entry_type IN ('RUN_PURGED', 'OPERATION_PURGED', 'HOLD_SET', 'HOLD_LIFTED')",
            name=op.f("ck_dpm_retention_log_entry_type"),
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_dpm_retention_log")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_dpm_retention_log_entity", "dpm_retention_log", ["tenant_id", "entity_id", "entry_id"])
    op.create_index("ix_dpm_retention_log_newest", "dpm_retention_log", ["tenant_id", "entry_id"])
    make_append_only("dpm_retention_log")


def count_what_is_there() -> None:
    """Start the counters from what an older store holds already."""
    for counter, table, value in (
        ("runs", "dpm_runs", "status"),
        ("decision_actions", "dpm_workflow_decisions", "action"),
        ("decision_reasons", "dpm_workflow_decisions", "reason_code"),
        ("edges", "dpm_lineage_edges", "edge_type"),
    ):
        op.execute(
            "INSERT INTO dpm_counters (tenant_id, counter, value, count)"
            f" SELECT tenant_id, '{counter}', {value}, count(*) FROM {table} GROUP BY tenant_id, {value}"
        )


def downgrade() -> None:
    op.drop_table("dpm_retention_log")
    op.drop_table("dpm_counters")
    op.drop_table("dpm_operation_steps")
    op.drop_table("dpm_operation_payloads")
    op.drop_table("dpm_operations")
