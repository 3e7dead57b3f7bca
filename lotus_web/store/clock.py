"""The store's clock, which the leases of all processes use."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session


def store_now(session: Session) -> datetime:
    """Return the store's clock, which all processes share; a SQLite store is on this machine."""
    if session.get_bind().dialect.name == "postgresql":
        now: datetime = session.scalars(select(func.clock_timestamp())).one()
        return now.astimezone(UTC)
    return datetime.now(UTC)
