"""INSERT … ON CONFLICT for both stores: SQLAlchemy has a construct of its own for each."""

from __future__ import annotations

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session

Insert = postgresql.Insert | sqlite.Insert


def insert_into(session: Session, model: type[DeclarativeBase]) -> Insert:
    """Return an INSERT that takes ``on_conflict_do_nothing`` and ``on_conflict_do_update``, for the session's store."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(model)
    return sqlite.insert(model)
