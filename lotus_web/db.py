"""The store: the engine for each backend, the column types, and ``transaction()``, the one way to write."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask import g, has_app_context
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Dialect, MetaData, Text, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import DeclarativeBase, Session, SessionTransaction, registry
from sqlalchemy.types import TypeDecorator

from lotus_web.domain.canonical import canonical_json
from lotus_web.settings import BadSetting, Settings
from lotus_web.store_file import open_what_is_there

WRITE = "lotus_write"
LOCKED = "lotus_locked_tenants"
COMMITTING = "lotus_committing"
MIGRATIONS = Path(__file__).parent / "migrations"
SQLITE_BUSY_MS = 15_000
SQLITE_WAL_RETRY_S = 0.01
POSTGRES_LOCK_TIMEOUT_MS = 15_000
POSTGRES_CONNECT_S = 5
POOL_WAIT_S = 10

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The declarative base of every table. Text sorts by code point on both engines, as cursors need it to."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={str: Text().with_variant(Text(collation="C"), "postgresql")},
    )


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant with microseconds; naive values are refused on the way in."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time is aware")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class CanonicalJson(TypeDecorator[Any]):
    """A JSON value kept as its canonical text, so that what was hashed is what is stored, byte for byte, on both engines."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else canonical_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value, parse_float=Decimal)


Json = CanonicalJson()

db = SQLAlchemy(model_class=Base, disable_autonaming=True, session_options={"expire_on_commit": False})


def store_uri(settings: Settings) -> str:
    """Return the SQLAlchemy URL of the configured backend; IN_MEMORY is a file that dies with the process."""
    match settings.store_backend:
        case "SQL":
            return settings.database_url
        case "SQLITE":
            return f"sqlite:///{Path(settings.sqlite_path).absolute()}"
        case _:
            return f"sqlite:///{_ephemeral_path()}"


def _ephemeral_path() -> Path:
    owner = os.getpid()
    folder = Path(tempfile.mkdtemp(prefix=f"lotus-web-{owner}-"))

    def remove() -> None:
        if os.getpid() == owner:  # a forked child ends too, and must not take the store of its parent along
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder / "lotus.db"


def engine_options(settings: Settings, uri: str) -> dict[str, Any]:
    """Return the pool and driver options for a URL."""
    options: dict[str, Any] = {"pool_size": settings.database_pool_size, "max_overflow": 8, "pool_timeout": POOL_WAIT_S}
    options["hide_parameters"] = True  # what people and programs send stays out of error messages and logs
    if uri.startswith("sqlite"):
        return options | {"connect_args": {"timeout": SQLITE_BUSY_MS / 1000, "check_same_thread": False}}
    if not uri.startswith("postgresql"):
        raise BadSetting("DPM_SUPPORTABILITY_DATABASE_URL", uri.split(":")[0], "a sqlite or postgresql+psycopg URL")
    timeouts = f"-c lock_timeout={POSTGRES_LOCK_TIMEOUT_MS} -c timezone=UTC"
    connect_args = {"connect_timeout": POSTGRES_CONNECT_S, "options": timeouts}
    return options | {"pool_pre_ping": True, "connect_args": connect_args}


event.listen(Engine, "do_connect", open_what_is_there)


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: Any) -> None:
    if type(connection).__module__.split(".")[0] != "sqlite3":
        return
    connection.isolation_level = None
    cursor = connection.cursor()
    _use_wal(cursor)
    settings = ("foreign_keys=ON", f"busy_timeout={SQLITE_BUSY_MS}", "synchronous=FULL")
    # Without recursive triggers, INSERT OR REPLACE deletes rows past the triggers that refuse DELETE.
    for pragma in (*settings, "recursive_triggers=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _use_wal(cursor: sqlite3.Cursor) -> None:
    """Turn a new file to WAL, which is kept in the file.

    SQLite does not wait for its busy timeout here: of two processes that open a new file together, one is refused at once.
    """
    give_up = time.monotonic() + SQLITE_BUSY_MS / 1000
    while True:
        try:
            if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as refused:
            if refused.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
        time.sleep(SQLITE_WAL_RETRY_S)


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        # A deferred transaction that later wants to write fails at once if someone else wrote; writers queue up front.
        connection.exec_driver_sql(
            "BEGIN IMMEDIATE" if connection.get_execution_options().get(WRITE) else "BEGIN DEFERRED"
        )


@event.listens_for(Session, "after_transaction_end")
def _forget_locks(session: Session, ended: SessionTransaction) -> None:
    if ended.parent is None:
        session.info.pop(LOCKED, None)


def nothing_recorded() -> bool:
    """Return whether it is certain that nothing was written of what this request, or command, asks for."""
    return not (has_app_context() and g.get(COMMITTING))


@contextmanager
def transaction(*, aside: bool = False) -> Iterator[Session]:
    """Open the one write transaction of a command: all of it commits, or none of it.

    Ends any read transaction first, since a snapshot cannot be upgraded. Not nestable: raises RuntimeError. What is written
    ``aside`` is about the request, not what it asks for.
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
            # A commit that fails may have been carried out: only who has not come this far knows that nothing was.
            setattr(g, COMMITTING, True)
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop(WRITE, None)


def see_one_moment(session: Session) -> None:
    """Let all reads from here to the end of the transaction see the store as it is now; ends a transaction before."""
    session.rollback()
    if session.get_bind().dialect.name == "postgresql":  # a transaction of SQLite is a snapshot anyway
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
