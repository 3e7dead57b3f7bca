"""One table for all deliveries, callbacks of operations among them, and the address that an operation calls back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TABLE, BEFORE, OPERATIONS = "deliveries", "dg_workflow_notification_deliveries", "dpm_operations"
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)
SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN, DONE = sa.text("status <> 'delivered'"), sa.text("status = 'delivered'")
STATUS = "status IN ('pending', 'sending', 'delivered', 'dead')"
SAME = "delivery_seq, delivery_id, tenant_id, channel, status, attempts, due_at, lease_owner, last_error, created_at, finished_at"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("delivery_seq", SEQUENCE, nullable=False),
        *(
            sa.Column(name, TEXT, nullable=False)
            for name in ("delivery_id", "tenant_id", "kind", "subject_id", "channel")
        ),
        sa.Column("target", TEXT, nullable=True),
        sa.Column("content", sa.Text(), nullable=True),
        *_state(),
        sa.Column("attempted_at", TIME, nullable=True),
        *_times(),
        sa.CheckConstraint(STATUS, name=op.f("ck_deliveries_status")),
        sa.CheckConstraint("kind IN ('notice', 'operation_callback')", name=op.f("ck_deliveries_kind")),
        sa.CheckConstraint(
            "(kind = 'operation_callback') = (target IS NOT NULL AND content IS NOT NULL)",
            name=op.f("ck_deliveries_carried"),
        ),
        sa.PrimaryKeyConstraint("delivery_seq", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("delivery_id", name=op.f("uq_deliveries_delivery_id")),
        sa.UniqueConstraint("tenant_id", "kind", "subject_id", "channel", name="uq_deliveries_subject"),
        sqlite_autoincrement=True,
    )
    _indexes(TABLE)
    _partial("ix_deliveries_undelivered", TABLE, ["tenant_id", "delivery_seq"], OPEN)
    op.execute(f"INSERT INTO {TABLE} ({SAME}, kind, subject_id) SELECT {SAME}, 'notice', notification_id FROM {BEFORE}")
    _go_on_counting(TABLE)
    op.drop_table(BEFORE)
    op.add_column(OPERATIONS, sa.Column("callback_url", TEXT, nullable=True))


def downgrade() -> None:
    """Return to deliveries of notices; callbacks that were not sent yet are lost."""
    op.drop_column(OPERATIONS, "callback_url")
    op.create_table(
        BEFORE,
        sa.Column("delivery_seq", SEQUENCE, nullable=False),
        *(sa.Column(name, TEXT, nullable=False) for name in ("delivery_id", "tenant_id", "notification_id", "channel")),
        *_state(),
        *_times(),
        sa.CheckConstraint(STATUS, name=op.f(f"ck_{BEFORE}_status")),
        sa.PrimaryKeyConstraint("delivery_seq", name=op.f(f"pk_{BEFORE}")),
        sa.UniqueConstraint("delivery_id", name=op.f(f"uq_{BEFORE}_delivery_id")),
        sa.UniqueConstraint("tenant_id", "notification_id", "channel", name=f"uq_{BEFORE}_notice"),
        sqlite_autoincrement=True,
    )
    _indexes(BEFORE)
    op.execute(
        f"INSERT INTO {BEFORE} ({SAME}, notification_id) SELECT {SAME}, subject_id FROM {TABLE} WHERE kind = 'notice'"
    )
    _go_on_counting(BEFORE)
    op.drop_table(TABLE)


def _state() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("status", TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", TIME, nullable=True),
        sa.Column("lease_owner", TEXT, nullable=True),
        sa.Column("last_error", TEXT, nullable=True),
    )


def _times() -> tuple[sa.Column[object], ...]:
    return sa.Column("created_at", TIME, nullable=False), sa.Column("finished_at", TIME, nullable=True)


def _indexes(table: str) -> None:
    _partial(f"ix_{table}_open", table, ["channel", "due_at"], OPEN)
    _partial(f"ix_{table}_done", table, ["finished_at"], DONE)


def _partial(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def _go_on_counting(table: str) -> None:
    """Let the sequence of PostgreSQL go on after the rows that were copied with their numbers; SQLite does so by itself."""
    if op.get_bind().dialect.name == "postgresql":
        last = f"(SELECT coalesce(max(delivery_seq), 0) FROM {table})"
        op.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'delivery_seq'), {last} + 1, false)")
