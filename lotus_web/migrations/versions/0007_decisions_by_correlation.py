"""Decisions found by the correlation id of the request that took them."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_dpm_workflow_decisions_correlation", "dpm_workflow_decisions", ["tenant_id", "correlation_id"])


def downgrade() -> None:
    op.drop_index("ix_dpm_workflow_decisions_correlation", table_name="dpm_workflow_decisions")
