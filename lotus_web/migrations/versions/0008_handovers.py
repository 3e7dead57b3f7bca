"""What a session hands over to the page after a form, sealed with the session's own id."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person_sessions", sa.Column("handover", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("person_sessions", "handover")
