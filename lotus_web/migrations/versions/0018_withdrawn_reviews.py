"""A review can be withdrawn, and an item says who made what it is about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLE, INDEX = "dg_workflow_items", "ix_dg_workflow_items_closed"
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
OPEN = "'requested', 'in_review', 'changes_requested', 'escalated'"
DECIDED = "'approved', 'rejected', 'overridden'"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("made_by", TEXT, nullable=True))
    _statuses(f"{OPEN}, {DECIDED}, 'withdrawn'")
    _index_closed("resolved_at", "workflow_id", "status")
    _prefer_indexes_of_the_sweep()


def downgrade() -> None:
    _index_closed("resolved_at", "workflow_id")
    _statuses(f"{OPEN}, {DECIDED}")
    with op.batch_alter_table(TABLE) as batch:
        batch.drop_column("made_by")


def _statuses(words: str) -> None:
    """Let an item have one of these statuses and no other; SQLite copies the table for it."""
    name = op.f(f"ck_{TABLE}_status")
    with op.batch_alter_table(TABLE) as batch:
        batch.drop_constraint(name, type_="check")
        batch.create_check_constraint(name, f"status IN ({words})")


def _index_closed(*columns: str) -> None:
    closed = sa.text("resolved_at IS NOT NULL")
    op.drop_index(INDEX, table_name=TABLE)
    op.create_index(INDEX, TABLE, ["tenant_id", *columns], sqlite_where=closed, postgresql_where=closed)


def _prefer_indexes_of_the_sweep() -> None:
    """Make them last: of two indexes that cost the same SQLite takes the newer, and copying the table had mixed them."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for name, state in (("to_warn", "NOT risk_told"), ("to_escalate", "status <> 'escalated' AND NOT breach_told")):
        index, where = f"ix_{TABLE}_{name}", sa.text(f"resolved_at IS NULL AND {state}")
        op.drop_index(index, table_name=TABLE)
        op.create_index(index, TABLE, ["tenant_id", "sla_due_at", "workflow_id"], sqlite_where=where)
