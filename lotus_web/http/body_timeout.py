"""A request body that does not arrive in time is answered with 408 instead of being read further.

The deadline is kept by the web server's connection (``gunicorn_worker.DeadlineSocket``), which then says that it is ``late``.
Other servers, the test client among them, have no such connection, and their bodies are read as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import IO, TYPE_CHECKING

from flask import Flask
from werkzeug.exceptions import ClientDisconnected, RequestTimeout

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CONNECTION = "gunicorn.socket"


class TimedBody:
    """The body of a request on a connection that may be ``late``."""

    def __init__(self, stream: IO[bytes], connection: object):
        self._stream = stream
        self._connection = connection

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes; raises RequestTimeout, or ClientDisconnected when the body breaks off."""
        return self._in_time(self._stream.read, size)

    def readline(self, size: int = -1) -> bytes:
        """Return a line, or its first ``size`` bytes; raises the same errors as ``read``."""
        return self._in_time(self._stream.readline, size)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the lines."""
        return iter(self.readline, b"")

    def _in_time(self, read: Callable[[int], bytes], size: int) -> bytes:
        try:
            data = read(size)
        except Exception as broken:  # gunicorn's own errors for chunks that are malformed or incomplete
            raise RequestTimeout if self._late else ClientDisconnected from broken
        if self._late:
            raise RequestTimeout
        return data

    @property
    def _late(self) -> bool:
        return bool(getattr(self._connection, "late", False))


class TimedBodies:
    """WSGI middleware that puts a TimedBody in place of the body where the server keeps a deadline."""

    def __init__(self, wsgi_app: WSGIApplication):
        self.wsgi_app = wsgi_app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Handle a request."""
        if CONNECTION in environ:
            environ["wsgi.input"] = TimedBody(environ["wsgi.input"], environ[CONNECTION])
        return self.wsgi_app(environ, start_response)


def init_app(app: Flask) -> None:
    """Apply the middleware to every request of ``app``."""
    app.wsgi_app = TimedBodies(app.wsgi_app)  # type: ignore[method-assign]
