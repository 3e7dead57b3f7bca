"""The file of an SQLite store: only migrations make one, whatever else looks for it is told that it is not there.

SQLite itself makes the file it does not find: a mistyped path would leave an empty database behind and pass for a new store.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.engine import URL

MEMORY = ":memory:"


class StoreFileMissing(sqlite3.OperationalError):
    """There is no file where the settings say that the store is."""


def make_store_file(url: URL) -> None:
    """Make the folder and an empty file for an SQLite store that has none yet; raises OSError."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", MEMORY):
        return
    path = Path(str(url.database))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def open_what_is_there(dialect: Dialect, _record: Any, arguments: Any, _options: Any) -> None:
    """Stand before each new connection of an engine; raises StoreFileMissing."""
    if dialect.name != "sqlite":
        return
    path = str(arguments[0]) if arguments else MEMORY
    if path != MEMORY and not path.startswith("file:") and not Path(path).exists():
        raise StoreFileMissing(f"There is no database at {path}; `flask --app app db upgrade` makes a new one.")
