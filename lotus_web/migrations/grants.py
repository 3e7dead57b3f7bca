"""What the role of the application may do on PostgreSQL, given by the owner after each upgrade: never more than it needs."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.engine import Connection

from lotus_web.models.events.guards import rights_of_application


def grant_rights(connection: Connection, role: str) -> None:
    """Let ``role`` read and write as the application does, and take from it what earlier versions gave; idempotent.

    The owner needs no right of its own: where ``role`` is the one that is connected, nothing is done.
    """
    if connection.dialect.name != "postgresql" or role == connection.scalar(text("SELECT current_user")):
        return
    quote = connection.dialect.identifier_preparer.quote_identifier
    name, schema = quote(role), quote(str(connection.scalar(text("SELECT current_schema()"))))
    connection.execute(text(f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, {name}"))
    connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {name}"))
    connection.execute(text(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM PUBLIC, {name}"))
    there = set(connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")))
    for table, rights in rights_of_application():
        if table in there:  # not after a downgrade
            connection.execute(text(f"GRANT {', '.join(rights)} ON {quote(table)} TO {name}"))
    connection.execute(text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {name}"))
