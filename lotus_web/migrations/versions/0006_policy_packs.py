"""Policy packs: the catalogue, the pack that a run was computed under, and the one that an operation was asked with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dpm_policy_packs",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("policy_pack_id", TEXT, nullable=False),
        sa.Column("overrides", sa.Text(), nullable=False),
        sa.Column("replay_enabled", sa.Boolean(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "policy_pack_id", name=op.f("pk_dpm_policy_packs")),
    )
    op.add_column("dpm_run_payloads", sa.Column("policy_pack", sa.Text(), nullable=True))
    op.add_column("dpm_operation_payloads", sa.Column("policy_pack_id", TEXT, nullable=True))


def downgrade() -> None:
    op.drop_column("dpm_operation_payloads", "policy_pack_id")
    op.drop_column("dpm_run_payloads", "policy_pack")
    op.drop_table("dpm_policy_packs")
