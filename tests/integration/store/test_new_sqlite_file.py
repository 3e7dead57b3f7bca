"""A new SQLite file that two processes open together: SQLite refuses one of them at once, and it tries again."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from lotus_web.store.engine import SQLITE_BUSY_MS

STORE = sys.modules["lotus_web.store.engine"]


@pytest.fixture
def held(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The other process: it holds the new file, which is not in WAL mode yet."""
    other = sqlite3.connect(tmp_path / "new.db", isolation_level=None, timeout=0)
    other.execute("BEGIN EXCLUSIVE")
    yield other
    other.close()


def pretend(monkeypatch: pytest.MonkeyPatch, *, sleep: Callable[[float], None], now: Callable[[], float]) -> None:
    monkeypatch.setattr(STORE, "time", SimpleNamespace(sleep=sleep, monotonic=now))


def test_waits_until_the_other_lets_go(
    tmp_path: Path, held: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            held.execute("COMMIT")

    pretend(monkeypatch, sleep=wait, now=lambda: 0.0)
    engine = create_engine(f"sqlite:///{tmp_path / 'new.db'}", connect_args={"timeout": 0})
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
    engine.dispose()
    assert len(waits) == 3


def test_gives_up_when_the_time_of_a_busy_store_is_over(
    tmp_path: Path, held: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 1.0, SQLITE_BUSY_MS / 1000 + 1])
    pretend(monkeypatch, sleep=lambda _: None, now=lambda: next(clock))
    engine = create_engine(f"sqlite:///{tmp_path / 'new.db'}", connect_args={"timeout": 0})
    with pytest.raises(OperationalError, match="database is locked"):
        engine.connect()
    engine.dispose()
