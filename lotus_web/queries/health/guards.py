"""Whether the triggers that guard the history are in place, and whether the role of the application could pass them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from lotus_web.config.settings import Settings
from lotus_web.models.events.guards import expected_triggers
from lotus_web.queries.health.findings import Finding, State

_SQLITE = text(
    "SELECT tbl_name, name, sql LIKE '%RAISE(ABORT%' OR sql LIKE '%RAISE(IGNORE%' FROM sqlite_master WHERE type = 'trigger'"
)
# O: fires in an ordinary session. A: fires in every one. D: disabled. R: fires in replicas only.
_POSTGRESQL = text(
    "SELECT c.relname, t.tgname, t.tgenabled IN ('O', 'A') AND p.prosrc LIKE '%RAISE EXCEPTION%' AND p.prosrc NOT LIKE '%RETURN%'"
    " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid"
    " WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"
)
_ROLE = text(
    "SELECT current_user AS name, r.rolsuper AS super, current_setting('session_replication_role') AS replication,"
    " (SELECT count(*) FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')"
    " AND pg_has_role(c.relowner, 'MEMBER')) AS tables,"
    " has_schema_privilege(current_schema(), 'CREATE') AS creates,"
    " (SELECT count(*) FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')"
    " AND has_table_privilege(c.oid, 'TRUNCATE, TRIGGER')) AS truncates"
    " FROM pg_roles r WHERE r.rolname = current_user"
)


def check_guards(session: Session, _settings: Settings, _now: datetime) -> Iterator[Finding]:
    """Check that every trigger that the migrations made is there and works."""
    missing = missing_guards(session)
    for says in missing:
        yield Finding(
            "guards", State.WRONG, says, "flask --app app audit verify, then restore the triggers of a backup"
        )
    if not missing:
        yield Finding("guards", State.OK, "The triggers that guard the history are in place.")


def check_role(session: Session, settings: Settings, _now: datetime) -> Iterator[Finding]:
    """Check that the role of the application cannot pass the guards: in production it must not."""
    replication = replication_role(session)
    if replication is not None:
        says = f"session_replication_role is {replication}: no trigger fires."
        yield Finding("database role", State.WRONG, says, "ALTER ROLE … RESET session_replication_role, as a superuser")
    mend = (
        "Run migrations with LOTUS_DATABASE_OWNER_URL, and the application as a role that owns nothing (docs/proof.md)"
    )
    for says in role_faults(session):
        yield Finding("database role", State.WRONG if settings.production else State.NOTE, says, mend)


def missing_guards(session: Session) -> list[str]:
    """Return what is wrong with each trigger that the migrations made: it is missing, switched off or refuses nothing."""
    dialect = session.get_bind().dialect.name
    rows = session.execute(_POSTGRESQL if dialect == "postgresql" else _SQLITE).all()
    there = {(table, name): bool(works) for table, name, works in rows}
    found = []
    for table, name in expected_triggers(dialect):
        if (table, name) not in there:
            found.append(f"The trigger {name} of {table} is missing.")
        elif not there[table, name]:
            found.append(f"The trigger {name} of {table} is switched off or refuses nothing.")
    return found


def role_faults(session: Session) -> Iterator[str]:
    """Yield each reason why the role of the application could change the history past its guards; PostgreSQL only."""
    if session.get_bind().dialect.name != "postgresql":
        return
    role = session.execute(_ROLE).one()
    if role.super:
        yield f"The application connects as {role.name}, a superuser, who may do everything."
    elif role.tables:
        yield f"The application connects as {role.name}, who owns {role.tables} tables and may drop their guards."
    elif role.creates:
        yield f"The application connects as {role.name}, who may make tables in the schema of the store."
    elif role.truncates:
        yield f"The application connects as {role.name}, who may truncate or put triggers on {role.truncates} tables."


def replication_role(session: Session) -> str | None:
    """Return the ``session_replication_role`` in force where it is one in which triggers do not fire."""
    if session.get_bind().dialect.name != "postgresql":
        return None
    role: str = session.execute(_ROLE).one().replication
    return None if role == "origin" else role
