"""The migrations that this version of the program brings; they do not change while it runs."""

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
    """Return every migration there is."""
    return frozenset(script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions())
