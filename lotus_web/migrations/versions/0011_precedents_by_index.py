"""Precedents counted from their index alone, without a look at each item."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

INDEX = "ix_dg_workflow_items_precedents"
BEFORE = ["tenant_id", "precedent_key", "resolved_at", "workflow_id"]
DECIDED = sa.text("resolved_at IS NOT NULL")


def upgrade() -> None:
    _index_on([*BEFORE, "current_decision", "requested_at"])


def downgrade() -> None:
    _index_on(BEFORE)


def _index_on(columns: list[str]) -> None:
    op.drop_index(INDEX, table_name="dg_workflow_items")
    op.create_index(INDEX, "dg_workflow_items", columns, sqlite_where=DECIDED, postgresql_where=DECIDED)
