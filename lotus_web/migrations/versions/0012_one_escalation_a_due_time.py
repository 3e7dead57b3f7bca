"""What was escalated for being late is not escalated again until it has another due time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLE, INDEX = "dg_workflow_items", "ix_dg_workflow_items_to_escalate"
BEFORE = "resolved_at IS NULL AND status <> 'escalated'"


def upgrade() -> None:
    op.drop_index(INDEX, table_name=TABLE)
    # Of what is late now the store does not know for sure that it was escalated for that: it may be once more.
    op.add_column(TABLE, sa.Column("breach_told", sa.Boolean(), nullable=False, server_default=sa.false()))
    _index_where(f"{BEFORE} AND NOT breach_told")


def downgrade() -> None:
    op.drop_index(INDEX, table_name=TABLE)
    op.drop_column(TABLE, "breach_told")
    _index_where(BEFORE)


def _index_where(condition: str) -> None:
    where = sa.text(condition)
    op.create_index(
        INDEX, TABLE, ["tenant_id", "sla_due_at", "workflow_id"], sqlite_where=where, postgresql_where=where
    )
