"""Triggers that refuse UPDATE and DELETE, so that append-only is a fact of the store and not a habit of the code."""

from __future__ import annotations

from alembic import op

POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
$$
"""


def make_unchangeable(table: str) -> None:
    """Refuse every UPDATE of ``table`` on either engine; its rows may be removed, by retention."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(POSTGRES_FUNCTION)
        op.execute(
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        return
    op.execute(
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def make_append_only(table: str) -> None:
    """Refuse every UPDATE, DELETE and TRUNCATE of ``table`` on either engine."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(POSTGRES_FUNCTION)
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def refuse_truncate(table: str) -> None:
    """Refuse TRUNCATE of ``table``, which SQLite does not have."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(POSTGRES_FUNCTION)
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def refuse_update_when(table: str, condition: str) -> None:
    """Refuse an UPDATE of ``table`` where ``condition`` holds of OLD and NEW; ``{differs}`` in it compares nulls too."""
    if op.get_bind().dialect.name == "postgresql":
        when = condition.format(differs="IS DISTINCT FROM")
        op.execute(POSTGRES_FUNCTION)
        op.execute(
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({when})"
            " EXECUTE FUNCTION refuse_change()"
        )
        return
    when = condition.format(differs="IS NOT")
    op.execute(
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} WHEN {when}"
        f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def refuse_delete(table: str) -> None:
    """Refuse every DELETE of ``table`` on either engine."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(POSTGRES_FUNCTION)
        op.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        return
    op.execute(
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def refuse_replace(table: str, keys: tuple[tuple[str, ...], ...], *, skips: bool = False) -> None:
    """On SQLite, refuse an INSERT under a key that is in use: INSERT OR REPLACE would remove that row past the triggers.

    SQLite asks DELETE triggers about a replaced row only where ``recursive_triggers`` is on, which whoever connects decides.
    ``skips``: such a row is left out instead, as INSERT … ON CONFLICT DO NOTHING of that table expects.
    """
    if op.get_bind().dialect.name != "sqlite":
        return
    used = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE {' AND '.join(f'{name} = NEW.{name}' for name in key)})" for key in keys
    )
    refused = "RAISE(IGNORE)" if skips else f"RAISE(ABORT, '{table} is append-only: this key is in use')"
    op.execute(f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {used} BEGIN SELECT {refused}; END")


def drop_trigger(table: str, name: str) -> None:
    """Drop a trigger that one of these functions made on the engine at hand, or did not make there."""
    on = f" ON {table}" if op.get_bind().dialect.name == "postgresql" else ""
    op.execute(f"DROP TRIGGER IF EXISTS {table}_{name}{on}")
