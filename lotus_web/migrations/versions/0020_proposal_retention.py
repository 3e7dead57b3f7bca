"""Proposals can be held, purged, counted and found by their hashes and keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lotus_web.migrations.append_only import make_append_only

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

LOG = "dpm_retention_log"
BEFORE = "'RUN_PURGED', 'OPERATION_PURGED', 'HOLD_SET', 'HOLD_LIFTED'"
AFTER = "'RUN_PURGED', 'OPERATION_PURGED', 'PROPOSAL_PURGED', 'SIMULATION_PURGED', 'HOLD_SET', 'HOLD_LIFTED'"
ENDED = sa.text("current_state IN ('EXECUTED', 'REJECTED', 'CANCELLED', 'EXPIRED')")
INDEXES = {
    "ix_proposal_versions_request_hash": ("proposal_versions", ["tenant_id", "request_hash"]),
    "ix_proposal_versions_artifact_hash": ("proposal_versions", ["tenant_id", "artifact_hash"]),
    "ix_proposal_keys_key": ("proposal_keys", ["tenant_id", "idempotency_key"]),
    "ix_proposal_simulations_oldest": ("proposal_simulations", ["tenant_id", "created_at", "idempotency_key"]),
}


def upgrade() -> None:
    op.add_column("proposals", sa.Column("legal_hold", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(
        "ix_proposals_ended",
        "proposals",
        ["tenant_id", "last_event_at", "proposal_id"],
        sqlite_where=ENDED,
        postgresql_where=ENDED,
    )
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns)
    _entry_types(AFTER)
    op.execute(
        "INSERT INTO dpm_counters (tenant_id, counter, value, count)"
        " SELECT tenant_id, 'proposals', current_state, count(*) FROM proposals GROUP BY tenant_id, current_state"
    )


def downgrade() -> None:
    op.execute("DELETE FROM dpm_counters WHERE counter = 'proposals'")
    _entry_types(BEFORE)
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table_name=table)
    op.drop_index("ix_proposals_ended", table_name="proposals")
    op.drop_column("proposals", "legal_hold")


def _entry_types(words: str) -> None:
    """Let a line of the retention log be one of these and no other; SQLite copies the table for it, without its triggers."""
    name = op.f(f"ck_{LOG}_entry_type")
    with op.batch_alter_table(LOG, table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_constraint(name, type_="check")
        batch.create_check_constraint(name, f"entry_type IN ({words})")
    if op.get_bind().dialect.name == "sqlite":
        make_append_only(LOG)
