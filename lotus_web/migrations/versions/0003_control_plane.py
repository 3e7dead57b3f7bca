"""The control plane: records of refusals and changes, precedents of items, and the orders in which audit and board read."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

from lotus_web.domain.items.precedents import precedent_key
from lotus_web.migrations.append_only import make_append_only

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
CLOSED = sa.text("resolved_at IS NOT NULL")
BATCH = 5_000

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_dg_event_log_recorded", "dg_event_log", ["tenant_id", "recorded_at", "log_seq"]),
    ("ix_dg_workflow_actions_time", "dg_workflow_actions", ["tenant_id", "occurred_at", "action_seq"]),
    ("ix_dg_workflow_actions_type", "dg_workflow_actions", ["tenant_id", "action_type", "occurred_at", "reason_code"]),
)
# Of decided items only, or the open ones would be looked for among them.
DECIDED = {
    "ix_dg_workflow_items_precedents": ["tenant_id", "precedent_key", "resolved_at", "workflow_id"],
    "ix_dg_workflow_items_decided": ["tenant_id", "priority_rank", "requested_at", "workflow_id"],
}


def upgrade() -> None:
    op.create_table(
        "dg_audit_records",
        sa.Column("audit_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("record_id", TEXT, nullable=False),
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("category", TEXT, nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_type", TEXT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("on_behalf_of", TEXT, nullable=True),
        sa.Column("surface", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("message", TEXT, nullable=False),
        sa.Column("request_id", TEXT, nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "category IN ('refused', 'exempted', 'failed', 'admin')", name=op.f("ck_dg_audit_records_category")
        ),
        sa.PrimaryKeyConstraint("audit_seq", name=op.f("pk_dg_audit_records")),
        sa.UniqueConstraint("tenant_id", "record_id", name=op.f("uq_dg_audit_records_tenant_id_record_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_dg_audit_records_newest", "dg_audit_records", ["tenant_id", "occurred_at", "audit_seq"])
    make_append_only("dg_audit_records")
    op.add_column("dg_workflow_items", sa.Column("precedent_key", TEXT, nullable=True))
    _fill_precedent_keys()
    for name, columns in DECIDED.items():
        op.create_index(name, "dg_workflow_items", columns, sqlite_where=CLOSED, postgresql_where=CLOSED)
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns)


def _fill_precedent_keys() -> None:
    store = op.get_bind()
    items = sa.table(
        "dg_workflow_items",
        *(sa.column(name) for name in ("tenant_id", "workflow_id", "policy_id", "metadata", "precedent_key")),
    )
    key = sa.tuple_(items.c.tenant_id, items.c.workflow_id)
    after = ("", "")
    while True:
        query = sa.select(items.c.tenant_id, items.c.workflow_id, items.c.policy_id, items.c["metadata"])
        rows = store.execute(query.where(key > after).order_by(*key.clauses).limit(BATCH)).all()
        for tenant_id, workflow_id, policy_id, metadata in rows:
            store.execute(
                sa.update(items)
                .where(items.c.tenant_id == tenant_id, items.c.workflow_id == workflow_id)
                .values(precedent_key=precedent_key(policy_id, json.loads(metadata)))
            )
        if len(rows) < BATCH:
            return
        after = (rows[-1].tenant_id, rows[-1].workflow_id)


def downgrade() -> None:
    for name, table, _columns in reversed(INDEXES):
        op.drop_index(name, table)
    for name in DECIDED:
        op.drop_index(name, "dg_workflow_items")
    op.drop_column("dg_workflow_items", "precedent_key")
    op.drop_table("dg_audit_records")
