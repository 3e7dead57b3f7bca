"""The session and ``transaction()``, the one way to write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from lotus_web.store.engine import WRITE
from lotus_web.store.types import Base

LOCKED = "lotus_locked_tenants"
COMMITTING = "lotus_committing"
RECHECKS = "lotus_rechecks"

db = SQLAlchemy(model_class=Base, disable_autonaming=True, session_options={"expire_on_commit": False})


@event.listens_for(Session, "after_transaction_end")
def _forget_locks(session: Session, ended: SessionTransaction) -> None:
    if ended.parent is None:
        session.info.pop(LOCKED, None)


def nothing_recorded() -> bool:
    """Return whether it is certain that nothing was written of what this request, or command, asks for.

    The session lives as long as the request or command (its application context), and remembers.
    """
    try:
        has_session = db.session.registry.has()
    except RuntimeError:  # no application context, and so no session
        return True
    return not (has_session and db.session().info.get(COMMITTING))


def recheck_under_lock(check: Callable[[Session], None]) -> None:
    """Have ``check`` run whenever this request has got the lock of a tenant, for which it may have waited.

    What it raises ends the transaction: rights that were there when the request came may be gone once its turn comes.
    """
    db.session().info.setdefault(RECHECKS, []).append(check)


def recheck(session: Session) -> None:
    """Run the checks of this request; whoever takes a lock calls it."""
    for check in session.info.get(RECHECKS, ()):
        check(session)


@contextmanager
def transaction(*, aside: bool = False) -> Iterator[Session]:
    """Open the one write transaction of a command: all of it commits, or none of it.

    Ends any read transaction first, since a snapshot cannot be upgraded. Not nestable: raises RuntimeError. ``aside`` marks
    writes about the request, such as the audit record of its refusal, as opposed to what it asks for.
    """
    session = db.session()
    if session.info.get(WRITE):
        raise RuntimeError("a transaction is open already: services flush, the entry point commits")
    session.rollback()
    session.info[WRITE] = True
    try:
        session.connection(execution_options={WRITE: True})
        yield session
        if not aside:
            # A commit that fails may still have been carried out: from here on "nothing was recorded" is not certain.
            session.info[COMMITTING] = True
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop(WRITE, None)


def see_one_moment(session: Session) -> None:
    """Begin a read transaction whose reads all see the store as it is now; ends the transaction before it."""
    session.rollback()
    if session.get_bind().dialect.name == "postgresql":  # a transaction of SQLite is a snapshot anyway
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
