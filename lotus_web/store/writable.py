"""Whether the store takes writes, found out without one."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from lotus_web.store.sqlite_file import MEMORY


def is_writable(session: Session) -> bool:
    """Return False for a standby or a read-only database of PostgreSQL, and for a file of SQLite that this process may not change.

    SQLite makes files next to its own, so its folder counts; a file system that is mounted read-only is told by the same question.
    """
    engine = session.get_bind()
    if engine.dialect.name == "postgresql":
        return bool(session.scalar(text("SELECT current_setting('transaction_read_only') = 'off'")))
    path = Path(str(engine.engine.url.database or MEMORY))
    return str(path) == MEMORY or all(os.access(one, os.W_OK, effective_ids=True) for one in (path, path.parent))
