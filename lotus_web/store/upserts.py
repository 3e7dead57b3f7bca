"""INSERT … ON CONFLICT for both stores, for which SQLAlchemy has a construct each, and many rows in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session

Insert = postgresql.Insert | sqlite.Insert


def insert_into(session: Session, model: type[DeclarativeBase]) -> Insert:
    """Return an INSERT that takes ``on_conflict_do_nothing`` and ``on_conflict_do_update``, for the session's store."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(model)
    return sqlite.insert(model)


def insert_rows(
    session: Session,
    model: type[DeclarativeBase],
    rows: Sequence[Mapping[str, Any]],
    *,
    returning: Sequence[InstrumentedAttribute[Any]],
    skip_existing: bool = False,
) -> Sequence[Row[Any]]:
    """Write rows, given by attribute, in one statement and return some columns of what was written, in any order.

    PostgreSQL numbers them in the order in which they are given; SQLite does so in practice. ``skip_existing`` leaves out
    rows that break a unique constraint.
    """
    statement = insert_into(session, model)
    if skip_existing:
        statement = statement.on_conflict_do_nothing()
    in_order = not skip_existing and session.get_bind().dialect.name == "postgresql"
    # Nulls are written out: left out, rows with other ones would go in a statement of their own.
    written = statement.returning(*returning, sort_by_parameter_order=in_order).execution_options(render_nulls=True)
    return session.execute(written, list(rows)).all()
