"""The roots of tiles in an index: next to the hashes they lie so far apart that 256 of them cost as much as the rest of a proof."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

NAME, TABLE = "ix_dg_log_tiles_roots", "dg_log_tiles"


def upgrade() -> None:
    op.create_index(NAME, TABLE, ["tenant_id", "level", "tile_index", "root"])


def downgrade() -> None:
    op.drop_index(NAME, TABLE)
