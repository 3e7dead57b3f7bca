"""The transparency log beside the event log: its tiles, its checkpoints and its keys, all only ever added to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lotus_web.migrations.append_only import make_append_only

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)
SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TILES, CHECKPOINTS, KEYS = "dg_log_tiles", "dg_log_checkpoints", "dg_log_keys"


def upgrade() -> None:
    op.create_table(
        TILES,
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tile_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("last_log_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "level", "tile_index", name=op.f(f"pk_{TILES}")),
    )
    op.create_index(f"ix_{TILES}_entries", TILES, ["tenant_id", "level", "last_log_seq"])
    op.create_table(
        CHECKPOINTS,
        sa.Column("checkpoint_seq", SEQUENCE, nullable=False),
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("tree_size", sa.BigInteger(), nullable=False),
        sa.Column("root_hash", TEXT, nullable=False),
        sa.Column("last_log_seq", sa.BigInteger(), nullable=False),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("checkpoint_seq", name=op.f(f"pk_{CHECKPOINTS}")),
        sa.UniqueConstraint("tenant_id", "tree_size", name=op.f(f"uq_{CHECKPOINTS}_tenant_id_tree_size")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        KEYS,
        sa.Column("key_seq", SEQUENCE, nullable=False),
        sa.Column("public_key", TEXT, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("key_seq", name=op.f(f"pk_{KEYS}")),
        sa.UniqueConstraint("public_key", name=op.f(f"uq_{KEYS}_public_key")),
        sqlite_autoincrement=True,
    )
    for table in (TILES, CHECKPOINTS, KEYS):
        make_append_only(table)


def downgrade() -> None:
    for table in (KEYS, CHECKPOINTS, TILES):
        op.drop_table(table)
