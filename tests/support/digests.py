"""A digest of all that a store holds, to the byte: what it is for, is to be the same before and after."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from flask import Flask
from sqlalchemy import Connection, make_url, text

from lotus_web.store.session import db


def content_of(app: Flask, store_url: str) -> str:
    """Return the digest of the SQLite file; of every version of every row, and of the sequences, on PostgreSQL.

    A row that was written again with the same values is another version there (``xmin``, ``ctid``).
    """
    digest = hashlib.sha256()
    with app.app_context(), db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            digest.update(Path(str(make_url(store_url).database)).read_bytes())
        else:
            for line in _row_versions(connection):
                digest.update(line.encode())
    return digest.hexdigest()


def _row_versions(connection: Connection) -> Iterator[str]:
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    for table in connection.scalars(text(tables)).all():
        # Names come from the catalogue of the store itself.
        rows = connection.execute(text(f'SELECT t.ctid, t.xmin, t::text FROM "{table}" AS t ORDER BY t.ctid'))
        yield from (f"{table} {row}" for row in rows)
    sequences = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY sequencename"
    yield from (str(row) for row in connection.execute(text(sequences)))
