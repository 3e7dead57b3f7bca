"""The evidence documents on which decisions were taken; their digests are in the log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lotus_web.migrations.append_only import make_unchangeable

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TABLE = "dpm_decision_evidence"
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("entity_kind", TEXT, nullable=False),
        sa.Column("entity_id", TEXT, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "digest", name=op.f(f"pk_{TABLE}")),
    )
    op.create_index(f"ix_{TABLE}_entity", TABLE, ["tenant_id", "entity_id"])
    make_unchangeable(TABLE)


def downgrade() -> None:
    op.drop_table(TABLE)
