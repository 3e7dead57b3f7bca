"""The idempotency key that an operation was submitted with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TABLE = "dpm_operations"


def upgrade() -> None:
    op.add_column(
        TABLE,
        sa.Column("idempotency_key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=True),
    )


def downgrade() -> None:
    op.drop_column(TABLE, "idempotency_key")
