"""Who fed an event of another system: the account and the token that posted it, for entries from now on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COLUMNS = ("posted_by", "posted_with")

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("dg_event_log", sa.Column(name, TEXT, nullable=True))


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("dg_event_log", name)
