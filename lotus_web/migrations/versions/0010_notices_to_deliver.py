"""Notices that wait for their channel, found by an index; what was told stays unchangeable, only its delivery may be noted once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLE = "dg_workflow_notifications"
UNDELIVERED = sa.text("delivered_at IS NULL")
TOLD = (
    *("notification_seq", "notification_id", "tenant_id", "workflow_id", "trace_id", "category", "channel", "message"),
    *("recipient_account_id", "recipient_role", "payload", "dedupe_key", "created_at"),
)


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("deliver_not_before", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_dg_workflow_notifications_undelivered",
        TABLE,
        ["channel", "notification_seq"],
        sqlite_where=UNDELIVERED,
        postgresql_where=UNDELIVERED,
    )
    postgresql = op.get_bind().dialect.name == "postgresql"
    same = "IS NOT DISTINCT FROM" if postgresql else "IS"
    only_delivery = " AND ".join(("OLD.delivered_at IS NULL", *(f"NEW.{name} {same} OLD.{name}" for name in TOLD)))
    if postgresql:
        op.execute(f"DROP TRIGGER {TABLE}_append_only ON {TABLE}")
        refuse = "FOR EACH ROW {}EXECUTE FUNCTION refuse_change()"
        op.execute(f"CREATE TRIGGER {TABLE}_no_delete BEFORE DELETE ON {TABLE} {refuse.format('')}")
        when = refuse.format(f"WHEN (NOT ({only_delivery})) ")
        op.execute(f"CREATE TRIGGER {TABLE}_no_update BEFORE UPDATE ON {TABLE} {when}")
        return
    op.execute(f"DROP TRIGGER {TABLE}_no_update")
    op.execute(
        f"CREATE TRIGGER {TABLE}_no_update BEFORE UPDATE ON {TABLE} WHEN NOT ({only_delivery})"
        f" BEGIN SELECT RAISE(ABORT, '{TABLE} is append-only'); END"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP TRIGGER {TABLE}_no_update ON {TABLE}")
        op.execute(f"DROP TRIGGER {TABLE}_no_delete ON {TABLE}")
        op.execute(
            f"CREATE TRIGGER {TABLE}_append_only BEFORE UPDATE OR DELETE ON {TABLE}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    else:
        op.execute(f"DROP TRIGGER {TABLE}_no_update")
        op.execute(
            f"CREATE TRIGGER {TABLE}_no_update BEFORE UPDATE ON {TABLE}"
            f" BEGIN SELECT RAISE(ABORT, '{TABLE} is append-only'); END"
        )
    op.drop_index("ix_dg_workflow_notifications_undelivered", table_name=TABLE)
    op.drop_column(TABLE, "deliver_not_before")
