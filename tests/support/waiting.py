"""Waiting until somebody else waits for a lock that this thread holds."""

from __future__ import annotations

from concurrent.futures import Future
from threading import Event
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session


def until_it_waits(session: Session, other: Future[Any]) -> None:
    """Return once ``other`` waits for a lock; on SQLite a second writer waits before it reads anything, so at once."""
    if session.get_bind().dialect.name != "postgresql":
        return
    while not session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
        assert not other.done(), other.result()
        Event().wait(0.01)
