"""The signatures of witnesses below the checkpoints of the log, only ever added to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lotus_web.migrations.append_only import make_append_only

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TABLE = "dg_log_cosignatures"
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)
SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("cosignature_seq", SEQUENCE, nullable=False),
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("tree_size", sa.BigInteger(), nullable=False),
        sa.Column("witness", TEXT, nullable=False),
        sa.Column("signature", TEXT, nullable=False),
        sa.Column("signed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("cosignature_seq", name=op.f(f"pk_{TABLE}")),
        sa.UniqueConstraint("tenant_id", "tree_size", "witness", name=op.f(f"uq_{TABLE}_tenant_id_tree_size_witness")),
        sqlite_autoincrement=True,
    )
    make_append_only(TABLE)


def downgrade() -> None:
    op.drop_table(TABLE)
