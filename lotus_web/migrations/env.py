"""Run migrations on one connection, one replica at a time."""

from __future__ import annotations

from alembic import context
from alembic.util import CommandError
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

import lotus_web.models  # noqa: F401  (registers every table)
from lotus_web.config import current
from lotus_web.migrations.grants import grant_rights
from lotus_web.services.events.adoption import record_earlier_rows
from lotus_web.store.engine import WRITE, engine_options
from lotus_web.store.session import db
from lotus_web.store.sqlite_file import StoreFileMissing, make_store_file

MIGRATION_LOCK = 7_204_001


def migrate(connection: Connection, application: str | None) -> None:
    """Apply what is missing; a replica that starts at the same time waits and then finds nothing to do.

    ``application`` is the role that gets its rights from the owner, who is connected.
    """
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        compare_type=True,
        render_as_batch=connection.dialect.name == "sqlite",
        # On SQLite, too: step by step, replicas would take turns and each do what it saw missing when it began.
        transactional_ddl=True,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        before = context.get_context().get_current_revision()
        context.run_migrations()
        after = context.get_context().get_current_revision()
        with Session(bind=connection) as session:
            record_earlier_rows(session, before=before, after=after)
        if application is not None:
            grant_rights(connection, application)


def goes_somewhere() -> bool:
    """Return whether the command moves the store to a revision, rather than look at where it is."""
    try:
        context.get_revision_argument()
    except KeyError:
        return False
    return True


def open_store() -> Connection:
    """Connect to the store, a new one where it is about to be migrated; raises CommandError where there is none."""
    if goes_somewhere():
        make_store_file(db.engine.url)
        if owner_url():
            return create_engine(owner_url(), **engine_options(current.settings(), owner_url())).connect()
    try:
        return db.engine.connect()
    except OperationalError as failed:
        if isinstance(failed.orig, StoreFileMissing):
            raise CommandError(str(failed.orig)) from None
        raise


def owner_url() -> str:
    """Return the URL of the role that owns the tables; empty where that is the one of the application."""
    return current.settings().database_owner_url if db.engine.dialect.name == "postgresql" else ""


def application_role() -> str | None:
    """Return as whom the application connects, where somebody else migrates."""
    if not (goes_somewhere() and owner_url()):
        return None
    with db.engine.connect() as own:
        return str(own.scalar(text("SELECT current_user")))


application = application_role()
with open_store().execution_options(**{WRITE: True}) as connection:
    migrate(connection, application)
    if connection.in_transaction():
        connection.commit()
if connection.engine is not db.engine:
    connection.engine.dispose()
