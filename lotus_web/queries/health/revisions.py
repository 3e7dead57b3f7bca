"""The migrations of this version; they do not change while the process runs."""

from __future__ import annotations

from functools import cache

from alembic.script import ScriptDirectory

from lotus_web.store.engine import MIGRATIONS


@cache
def newest_revisions() -> frozenset[str]:
    """Return the newest migration: one, unless two branches were never joined."""
    return frozenset(ScriptDirectory(str(MIGRATIONS)).get_heads())


@cache
def known_revisions() -> frozenset[str]:
    """Return every migration."""
    return frozenset(script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions())
