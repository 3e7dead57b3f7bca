"""What gunicorn calls as it starts and stops processes (gunicorn.conf.py): embedded jobs, metrics, and the line with the address."""

from __future__ import annotations

import os
import shutil
import signal
from typing import Any

from prometheus_client import multiprocess

from lotus_web.config.settings import Settings
from lotus_web.jobs.embedded import start_embedded, stop_embedded
from lotus_web.telemetry.logs import RedactExceptionFilter
from lotus_web.telemetry.metrics import MULTIPROCESS


def when_ready(server: Any) -> None:
    """Let a closed terminal stop the server if LOTUS_HANGUP says so; gunicorn itself would restart its workers."""
    if Settings.from_environ().hangup == "stop":
        signal.signal(signal.SIGHUP, lambda *_: server.signal(signal.SIGTERM, None))


def post_worker_init(worker: Any) -> None:
    """Start this process's share of the jobs; the first one prints where the server answers."""
    # Exceptions raised while a response is being sent are logged by gunicorn, not by the application.
    worker.log.error_log.addFilter(RedactExceptionFilter())
    start_embedded(worker.wsgi)
    if worker.age == 1:
        print(f"Serving on {address(worker.sockets[0].getsockname())}", flush=True)


def address(bound: Any) -> str:
    """Return the address of a socket as a person reads it: a URL, or the path of a Unix socket."""
    return f"http://{bound[0]}:{bound[1]}" if isinstance(bound, tuple) else f"unix:{bound}"


def worker_exit(_server: Any, _worker: Any) -> None:
    """Let the embedded jobs finish their current unit of work and release the lease."""
    stop_embedded()


def child_exit(_server: Any, worker: Any) -> None:
    """Remove the gauges of a process that has ended from the metrics."""
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    """Remove the metrics files."""
    shutil.rmtree(os.environ[MULTIPROCESS], ignore_errors=True)
