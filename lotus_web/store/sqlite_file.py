"""The file of an SQLite store: only migrations create it; everything else fails with a clear error if it is missing.

SQLite itself would create a missing file: a mistyped path would leave an empty database and pass for a new store.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.engine import URL

from lotus_web.store.private_files import make_file, make_folder

MEMORY = ":memory:"


class StoreFileMissing(sqlite3.OperationalError):
    """There is no file at the path of the configured store."""


def make_store_file(url: URL) -> None:
    """Make the folder and an empty file for an SQLite store that has none yet, for its owner alone; raises OSError."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", MEMORY):
        return
    path = Path(str(url.database))
    make_folder(path.parent)
    with suppress(FileExistsError):
        os.close(make_file(path))  # SQLite gives its -wal and -shm files the mode of this one


def refuse_missing_file(dialect: Dialect, _record: Any, arguments: Any, _options: Any) -> None:
    """Check the file before each new connection of an engine; raises StoreFileMissing."""
    if dialect.name != "sqlite":
        return
    path = str(arguments[0]) if arguments else MEMORY
    if path != MEMORY and not path.startswith("file:") and not Path(path).exists():
        raise StoreFileMissing(f"There is no database at {path}; `flask --app app db upgrade` makes a new one.")
