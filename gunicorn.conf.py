"""How gunicorn serves the app: processes and threads, one line when it answers, metrics of all workers together."""

import os
import shutil
import signal
import sys
import tempfile
from functools import partial
from pathlib import Path

from dotenv import load_dotenv
from gunicorn.workers.base import Worker

load_dotenv(Path(__file__).parent / ".env")
ephemeral = os.environ.get("DPM_SUPPORTABILITY_STORE_BACKEND", "").strip().upper() in {"", "IN_MEMORY"}

bind = os.environ.get("LOTUS_BIND") or f"127.0.0.1:{os.environ.get('PORT') or 8000}"
wsgi_app = "app:app"
pythonpath = str(Path(__file__).parent)
# An ephemeral store belongs to one process: with more, each would answer from a store of its own.
workers = 1 if ephemeral else int(os.environ.get("WEB_CONCURRENCY") or 2)
worker_class = "gthread"
threads = int(os.environ.get("LOTUS_WEB_THREADS") or 8)
timeout = 60
graceful_timeout = 20
keepalive = 5
limit_request_line = 8190
loglevel = os.environ.get("LOTUS_GUNICORN_LOG_LEVEL") or "warning"
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
control_socket_disable = True

# Each worker counts for itself, in files here, and GET /metrics adds them up. The metrics library looks for this variable
# while it is imported, so nothing of the app is imported before this line.
metrics_folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR") or tempfile.mkdtemp(prefix="lotus-metrics-")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics_folder


def when_ready(server):
    """Where a terminal started us, end with it: gunicorn would take its hang-up for a wish to load new code."""
    if os.environ.get("LOTUS_HANGUP") == "stop":
        signal.signal(signal.SIGHUP, lambda *_: server.signal(signal.SIGTERM, None))


def post_worker_init(worker):
    """Start this worker's share of the jobs, and say where we serve once the first worker really answers."""
    # Ctrl-C reaches the whole process group, and the arbiter tells its workers besides. The threaded worker's own handler
    # takes a lock that the thread it interrupts may hold, and such a worker stands still until it is killed 20 s later. So
    # the arbiter's word alone counts, and no lock is taken; requests at hand are still finished on the way out.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGQUIT, partial(Worker.handle_quit, worker))
    from lotus_web.jobs.embedded import start_embedded

    start_embedded(worker.wsgi)
    if worker.age == 1:
        host, port = worker.sockets[0].getsockname()[:2]
        print(f"Serving on http://{host}:{port}", flush=True)


def worker_exit(server, worker):
    """Let the embedded jobs finish the unit of work at hand and give up the lead."""
    # Not imported here: a worker that is stopped while it still loads the app has nothing to stop.
    embedded = sys.modules.get("lotus_web.jobs.embedded")
    if embedded:
        embedded.stop_embedded()


def child_exit(server, worker):
    """Take the live gauges of a worker that is gone out of the metrics."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)


def on_exit(server):
    """Remove the metrics files."""
    shutil.rmtree(metrics_folder, ignore_errors=True)
