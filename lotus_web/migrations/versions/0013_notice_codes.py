"""What a notice says, as a code and parameters besides its text; rows of earlier versions keep the text alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLE = "dg_workflow_notifications"
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("code", TEXT, nullable=True))
    op.add_column(TABLE, sa.Column("params", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column(TABLE, "params")
    op.drop_column(TABLE, "code")
