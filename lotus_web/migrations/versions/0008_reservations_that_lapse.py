"""Reservations of keys found by when they lapse, among all the keys that were ever mapped to a run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

RESERVED = sa.text("rebalance_run_id IS NULL")


def upgrade() -> None:
    op.create_index(
        "ix_dpm_idempotency_keys_reserved",
        "dpm_idempotency_keys",
        ["reserved_until"],
        sqlite_where=RESERVED,
        postgresql_where=RESERVED,
    )


def downgrade() -> None:
    op.drop_index("ix_dpm_idempotency_keys_reserved", table_name="dpm_idempotency_keys")
