"""A delivery for each notice and channel; notices themselves are append-only again, without exception."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLE = "dg_workflow_notifications"
DELIVERIES = "dg_workflow_notification_deliveries"
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)
OPEN, DONE, UNDELIVERED = (
    sa.text("status <> 'delivered'"),
    sa.text("status = 'delivered'"),
    sa.text("delivered_at IS NULL"),
)
# What the trigger of 0010 kept as it was while a notice waited for its channel.
TOLD = (
    *("notification_seq", "notification_id", "tenant_id", "workflow_id", "trace_id", "category", "channel", "message"),
    *("recipient_account_id", "recipient_role", "payload", "dedupe_key", "created_at"),
)


def upgrade() -> None:
    _create_deliveries()
    _drop_triggers()
    # What waits for another channel goes on waiting, as a delivery. The console shows a notice from when it is made.
    op.execute(
        f"INSERT INTO {DELIVERIES} (delivery_id, tenant_id, notification_id, channel, status, attempts, due_at, created_at)"
        " SELECT 'dlv_' || tenant_id || '_' || notification_id, tenant_id, notification_id, channel, 'pending', 0,"
        f" created_at, created_at FROM {TABLE} WHERE delivered_at IS NULL AND channel <> 'operator_console'"
        " ORDER BY notification_seq"
    )
    op.execute(f"UPDATE {TABLE} SET status = 'delivered', delivered_at = created_at WHERE delivered_at IS NULL")
    op.drop_index("ix_dg_workflow_notifications_undelivered", table_name=TABLE)
    op.drop_column(TABLE, "deliver_not_before")
    if _is_postgresql():
        op.execute(
            f"CREATE TRIGGER {TABLE}_append_only BEFORE UPDATE OR DELETE ON {TABLE}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    else:
        for verb in ("UPDATE", "DELETE"):
            _sqlite_trigger(verb)


def downgrade() -> None:
    if _is_postgresql():
        op.execute(f"DROP TRIGGER {TABLE}_append_only ON {TABLE}")
    else:
        op.execute(f"DROP TRIGGER {TABLE}_no_update")
        op.execute(f"DROP TRIGGER {TABLE}_no_delete")
    op.add_column(TABLE, sa.Column("deliver_not_before", TIME, nullable=True))
    # The version before knows one channel for a notice, its own.
    op.execute(
        f"UPDATE {TABLE} SET status = 'pending', delivered_at = NULL WHERE EXISTS (SELECT 1 FROM {DELIVERIES} AS own"
        f" WHERE own.tenant_id = {TABLE}.tenant_id AND own.notification_id = {TABLE}.notification_id"
        f" AND own.channel = {TABLE}.channel AND own.status <> 'delivered')"
    )
    op.create_index(
        "ix_dg_workflow_notifications_undelivered",
        TABLE,
        ["channel", "notification_seq"],
        sqlite_where=UNDELIVERED,
        postgresql_where=UNDELIVERED,
    )
    same = "IS NOT DISTINCT FROM" if _is_postgresql() else "IS"
    only_delivery = " AND ".join(("OLD.delivered_at IS NULL", *(f"NEW.{name} {same} OLD.{name}" for name in TOLD)))
    if _is_postgresql():
        refuse = "FOR EACH ROW {}EXECUTE FUNCTION refuse_change()"
        op.execute(f"CREATE TRIGGER {TABLE}_no_delete BEFORE DELETE ON {TABLE} {refuse.format('')}")
        when = refuse.format(f"WHEN (NOT ({only_delivery})) ")
        op.execute(f"CREATE TRIGGER {TABLE}_no_update BEFORE UPDATE ON {TABLE} {when}")
    else:
        _sqlite_trigger("DELETE")
        _sqlite_trigger("UPDATE", f" WHEN NOT ({only_delivery})")
    op.drop_table(DELIVERIES)


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _create_deliveries() -> None:
    op.create_table(
        DELIVERIES,
        sa.Column("delivery_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("delivery_id", TEXT, nullable=False),
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("notification_id", TEXT, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", TIME, nullable=True),
        sa.Column("lease_owner", TEXT, nullable=True),
        sa.Column("last_error", TEXT, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        sa.CheckConstraint(
            "status IN ('pending', 'sending', 'delivered', 'dead')", name=op.f(f"ck_{DELIVERIES}_status")
        ),
        sa.PrimaryKeyConstraint("delivery_seq", name=op.f(f"pk_{DELIVERIES}")),
        sa.UniqueConstraint("delivery_id", name=op.f(f"uq_{DELIVERIES}_delivery_id")),
        sa.UniqueConstraint("tenant_id", "notification_id", "channel", name=f"uq_{DELIVERIES}_notice"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        f"ix_{DELIVERIES}_open", DELIVERIES, ["channel", "due_at"], sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.create_index(f"ix_{DELIVERIES}_done", DELIVERIES, ["finished_at"], sqlite_where=DONE, postgresql_where=DONE)


def _drop_triggers() -> None:
    on = f" ON {TABLE}" if _is_postgresql() else ""
    op.execute(f"DROP TRIGGER {TABLE}_no_update{on}")
    op.execute(f"DROP TRIGGER {TABLE}_no_delete{on}")


def _sqlite_trigger(verb: str, when: str = "") -> None:
    op.execute(
        f"CREATE TRIGGER {TABLE}_no_{verb.lower()} BEFORE {verb} ON {TABLE}{when}"
        f" BEGIN SELECT RAISE(ABORT, '{TABLE} is append-only'); END"
    )
