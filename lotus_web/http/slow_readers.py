"""How long the web server waits for a client that reads its answer slowly, and for how many of them at once.

An answer that does not fit into the buffers of the connection keeps its thread until the client has taken the rest. Such a client
is waited for as long as it takes its answer at SLOWEST bytes a second; and half of the threads at most wait like this, so that
the others are there for everybody else. A client beyond that is disconnected: its download is visibly incomplete.
"""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Callable

SLOWEST = 64 * 1024
# A client that lets the server wait this long for one piece counts as slow.
SLOW_AFTER_SECONDS = 1.0


def slots_for(threads: int) -> threading.BoundedSemaphore:
    """Return the places for slow readers of a process with this many threads."""
    return threading.BoundedSemaphore(max(1, threads // 2))


class Delivery:
    """The sending of one answer; ``end`` it."""

    def __init__(self, seconds: float, slots: threading.BoundedSemaphore):
        self._patience = self._most = seconds
        self._slots = slots
        self._slow = False

    def send_all(self, connection: socket.socket, send: Callable[[memoryview], int], data: bytes) -> None:
        """Send through ``send``, which keeps to the timeout of ``connection``; raises ConnectionResetError for a client that is too slow."""
        own, left = connection.gettimeout(), memoryview(data)
        try:
            while left:
                began = time.monotonic()
                connection.settimeout(self._patience if self._slow else min(self._patience, SLOW_AFTER_SECONDS))
                try:
                    sent = send(left)
                except TimeoutError:
                    sent = 0
                    self._become_slow()
                left = left[sent:]
                self._patience = min(self._most, self._patience - (time.monotonic() - began) + sent / SLOWEST)
                if self._patience <= 0:
                    raise _too_slow()
        finally:
            connection.settimeout(own)

    def _become_slow(self) -> None:
        if not self._slow and not self._slots.acquire(blocking=False):
            raise _too_slow()
        self._slow = True

    def end(self) -> None:
        """Give the place back."""
        if self._slow:
            self._slots.release()
            self._slow = False


def _too_slow() -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, "the client reads too slowly")
