"""The log also holds facts, which are of no trace: the index of events passes over them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TABLE, INDEX = "dg_event_log", "ix_dg_event_log_recorded"
COLUMNS = ["tenant_id", "recorded_at", "log_seq"]


def upgrade() -> None:
    of_traces = sa.text("trace_id <> ''")
    op.drop_index(INDEX, table_name=TABLE)
    op.create_index(INDEX, TABLE, COLUMNS, sqlite_where=of_traces, postgresql_where=of_traces)


def downgrade() -> None:
    op.drop_index(INDEX, table_name=TABLE)
    op.create_index(INDEX, TABLE, COLUMNS)
