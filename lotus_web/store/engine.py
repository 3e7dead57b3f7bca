"""The engine for each backend: its URL, its options, and how SQLite is opened and begins."""

from __future__ import annotations

import atexit
import os
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from lotus_web.config.settings import BadSetting, Settings
from lotus_web.store.sqlite_file import refuse_missing_file

WRITE = "lotus_write"
MIGRATIONS = Path(__file__).parent.parent / "migrations"
SQLITE_BUSY_MS = 15_000
SQLITE_WAL_RETRY_S = 0.01
POSTGRES_LOCK_TIMEOUT_MS = 15_000
POSTGRES_CONNECT_S = 5
POOL_WAIT_S = 10


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


event.listen(Engine, "do_connect", refuse_missing_file)


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
    """Switch a new file to WAL mode, which the file remembers.

    SQLite ignores its busy timeout here: of two processes that open a new file together, one is refused at once.
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
