"""The gunicorn worker of Lotus Web: a client may take only so long to send a request, and to read its answer (docs/adr/0015).

gunicorn's threaded worker gives a connection a thread while its request is being read and has no limit on how long that takes.
This one reads through a socket with a deadline. It replaces methods that gunicorn calls by name and changes none of its objects.
"""

from __future__ import annotations

import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import FrameType
from typing import Any, Protocol

from gunicorn.http import wsgi
from gunicorn.workers.base import Worker
from gunicorn.workers.gthread import ThreadWorker

from lotus_web.config.settings import Settings
from lotus_web.http.slow_readers import Delivery, slots_for

# How long a thread waits for bytes that nobody needs: the first one of a new connection, the rest of a body that was not read.
IDLE_SECONDS = 0.5
LINGER_BYTES = 64 * 1024
INFINITY = float("inf")


class DeadlineSocket(socket.socket):
    """A client's connection with a deadline for reads: past it they return nothing, as at the end of the stream, and ``late`` is set."""

    def __init__(self, plain: socket.socket):
        super().__init__(plain.family, plain.type, plain.proto, fileno=plain.detach())
        self.deadline = INFINITY
        self.late = False
        self.delivery: Delivery | None = None

    def start_timer(self, seconds: float) -> None:
        """Allow all reads from now on ``seconds`` in total; a connection that was late once stays late."""
        self.deadline = time.monotonic() + seconds

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """Return the bytes that have arrived, none past the deadline; raises TimeoutError at the socket's own, shorter timeout."""
        own = self.gettimeout()
        left = 0.0 if self.late else self.deadline - time.monotonic()
        if left <= 0:
            self.late = True
            return b""
        if left == INFINITY or (own is not None and own <= left):
            return super().recv(bufsize, flags)
        self.settimeout(left)
        try:
            return super().recv(bufsize, flags)
        except TimeoutError:
            self.late = True
            return b""
        finally:
            self.settimeout(own)

    def sendall(self, data: bytes, flags: int = 0) -> None:  # type: ignore[override]
        """Send all of it, within the patience of the present ``delivery``; raises OSError, as for a client that hung up."""
        if self.delivery is None or self.gettimeout() == 0:
            super().sendall(data, flags)
        else:
            self.delivery.send_all(self, lambda rest: self.send(rest, flags), data)

    def linger_close(self) -> None:
        """Close the sending side and discard input for a moment, since a client that still sends would lose its answer.

        gunicorn does the same when it closes a connection, but in its main thread, where no new client is accepted meanwhile.
        It finds the deadline passed, and waits for nothing.
        """
        with suppress(OSError):  # the client has closed the connection already
            self.shutdown(socket.SHUT_WR)
            self.start_timer(IDLE_SECONDS)
            unread = LINGER_BYTES
            while unread > 0 and (data := self.recv(4096)):
                unread -= len(data)
        self.late = True


class DeadlineListener:
    """A listening socket whose connections are read with a deadline."""

    def __init__(self, listener: socket.socket):
        self._listener = listener
        self.getsockname = listener.getsockname

    def accept(self) -> tuple[DeadlineSocket, Any]:
        """Return the next connection and the address of its client; raises OSError as ``socket.accept`` does."""
        connection, address = self._listener.accept()
        return DeadlineSocket(connection), address


class NamelessResponse(wsgi.Response):  # type: ignore[misc]
    """gunicorn's response without the header that names the server."""

    def default_headers(self) -> list[str]:
        """Return the first lines of the head."""
        return [line for line in super().default_headers() if not line.startswith("Server:")]


# gunicorn has no setting for it, and makes its responses by this name.
wsgi.Response = NamelessResponse


class Connection(Protocol):
    """What this worker uses of a gunicorn connection."""

    sock: socket.socket
    initialized: bool

    def init(self) -> None: ...
    def wait_for_data(self, timeout: float) -> bool: ...


class TimeoutWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threaded worker with a deadline for each head and each body. With TLS in gunicorn itself it has none."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.request_seconds = Settings.from_environ().request_seconds
        self.slow_readers = slots_for(self.cfg.threads)

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Return the pool with all its threads running.

        A pool starts its threads as they are needed and notes each after its start. A worker that is stopped in between never
        ends: at the exit Python waits for a thread that was not told to stop.
        """
        pool: ThreadPoolExecutor = super().get_thread_pool()
        running = threading.Barrier(self.cfg.threads + 1)
        for _ in range(self.cfg.threads):
            pool.submit(running.wait)
        running.wait()
        return pool

    def init_signals(self) -> None:
        """Leave Ctrl-C to gunicorn's main process: it reaches all processes of the terminal, and that one stops the others."""
        super().init_signals()
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """Exit once the current requests are done. The threaded worker's own handler may wait for a lock that it interrupted."""
        Worker.handle_quit(self, sig, frame)

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection, with a deadline unless gunicorn does TLS itself."""
        super().accept(listener if self.cfg.is_ssl else DeadlineListener(listener))

    def handle(self, conn: Connection) -> bool:
        """Serve the next request of a connection; return whether the connection stays open."""
        client = conn.sock
        if not isinstance(client, DeadlineSocket):
            return bool(super().handle(conn))
        if not conn.initialized and not conn.wait_for_data(IDLE_SECONDS):
            conn.init()  # from now on it waits with the idle connections, and needs no thread
            return True
        client.start_timer(self.request_seconds)
        stays_open = bool(super().handle(conn)) and not client.late
        if not stays_open:
            client.linger_close()
        return stays_open

    def handle_request(self, req: object, conn: Connection) -> bool:
        """Serve a request whose head has arrived: the time for its body begins."""
        client = conn.sock
        if not isinstance(client, DeadlineSocket):
            return bool(super().handle_request(req, conn))
        client.start_timer(self.request_seconds)
        client.delivery = delivery = Delivery(self.request_seconds, self.slow_readers)
        try:
            stays_open = bool(super().handle_request(req, conn))
        finally:
            client.delivery = None
            delivery.end()
        client.start_timer(IDLE_SECONDS)  # for the rest of a body that was not read, which gunicorn discards
        return stays_open
