"""Who really acted: the maker of a token, who set a password, and the account, token and people behind runs and proposals (ADR 0025).

What was stored before has none of it: who was behind it is not known.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0032"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ADDED = (
    (
        "people",
        (
            ("password_set_by", TEXT),
            ("password_set_at", sa.DateTime(timezone=True)),
            ("password_principals", sa.Text()),
        ),
    ),
    ("api_tokens", (("made_by", TEXT), ("principals", sa.Text()))),
    ("dpm_runs", (("acted_by", sa.Text()),)),
    ("proposal_versions", (("acted_by", sa.Text()),)),
    ("proposal_events", (("acted_by", sa.Text()),)),
    ("dpm_operations", (("acted_by", sa.Text()),)),
)


def upgrade() -> None:
    for table, columns in ADDED:
        there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}
        for name, kind in columns:
            if name not in there:
                op.add_column(table, sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    """Leave the columns: entries of the log say what is in them, and nothing reads them there."""
