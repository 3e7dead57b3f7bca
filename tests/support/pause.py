"""A heartbeat that goes by a word instead of the time."""

from __future__ import annotations

import threading
from typing import ClassVar

from tests.servers.patience import PATIENCE


class Pause:
    """What a heartbeat pauses on, in place of time: it goes on when a test says so, or when the work has ended."""

    made: ClassVar[list[Pause]] = []

    def __init__(self) -> None:
        self._paused, self._go_on = threading.Semaphore(0), threading.Semaphore(0)
        self.ended = threading.Event()
        self.made.append(self)

    def wait(self, _seconds: float) -> bool:
        """Pause until the word or the end comes; say whether it is the end."""
        self._paused.release()
        assert self._go_on.acquire(timeout=PATIENCE), "nobody let the heartbeat go on"
        return self.ended.is_set()

    def set(self) -> None:
        """End the work, and with it the pause."""
        self.ended.set()
        self._go_on.release()

    def beat(self) -> None:
        """Let the heart beat once and return when it pauses again."""
        self.start_beat()
        assert self._paused.acquire(timeout=PATIENCE), "the heart did not beat"
        self._paused.release()

    def start_beat(self) -> None:
        """Let the heart begin to beat."""
        assert self._paused.acquire(timeout=PATIENCE), "no heartbeat was started"
        self._go_on.release()
