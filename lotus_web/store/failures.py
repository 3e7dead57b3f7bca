"""Which errors mean that the store is unavailable, and the refusal to answer then."""

from __future__ import annotations

from sqlalchemy import exc, text

from lotus_web.domain.errors import StoreUnavailable
from lotus_web.store.session import db, nothing_recorded

AWAY = (exc.OperationalError, exc.InterfaceError, exc.DisconnectionError, exc.TimeoutError)
# PostgreSQL files these under other families: a table that no migration made yet, and a standby that takes no writes.
AWAY_SQLSTATES = frozenset({"42P01", "25006"})
STORE_AWAY = "The store cannot be reached or refused the work. Nothing was recorded."
STORE_AWAY_LATE = (
    "The store cannot be reached or refused the work. It may have been recorded: check before you send it again."
)


def is_store_failure(error: BaseException) -> bool:
    """Return whether ``error`` says that the store is down, busy beyond its time limit, full, damaged or not migrated."""
    if isinstance(error, (*AWAY, StoreUnavailable)):
        return True
    if not isinstance(error, exc.DBAPIError):
        return False
    damaged = type(error) is exc.DatabaseError
    return damaged or error.connection_invalidated or getattr(error.orig, "sqlstate", None) in AWAY_SQLSTATES


def as_store_unavailable(error: BaseException) -> StoreUnavailable | None:
    """Return the refusal that answers a store failure; None for any other error."""
    if isinstance(error, StoreUnavailable):
        return error
    if not is_store_failure(error):
        return None
    return StoreUnavailable(message=STORE_AWAY if nothing_recorded() else STORE_AWAY_LATE)


def store_answers() -> bool:
    """Return whether the store answers now."""
    try:
        db.session.execute(text("SELECT 1"))
    except Exception as error:
        if not is_store_failure(error):
            raise
        db.session.rollback()
        return False
    return True
