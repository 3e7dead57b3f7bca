"""Run migrations on one connection, one replica at a time."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text
from sqlalchemy.engine import Connection

import lotus_web.models  # noqa: F401  (registers every table)
from lotus_web.db import WRITE, db

MIGRATION_LOCK = 7_204_001


def migrate(connection: Connection) -> None:
    """Apply what is missing; a replica that starts at the same time waits and then finds nothing to do."""
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        compare_type=True,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        context.run_migrations()


with db.engine.connect().execution_options(**{WRITE: True}) as connection:
    migrate(connection)
    if connection.in_transaction():
        connection.commit()
