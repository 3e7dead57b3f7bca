"""How gunicorn serves the app: processes and threads, one line when it answers, metrics of all workers together."""

import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from dotenv import load_dotenv
from gunicorn.workers import gthread
from gunicorn.workers.base import Worker

load_dotenv(Path(__file__).parent / ".env")
ephemeral = os.environ.get("DPM_SUPPORTABILITY_STORE_BACKEND", "").strip().upper() in {"", "IN_MEMORY"}

bind = os.environ.get("LOTUS_BIND") or f"127.0.0.1:{os.environ.get('PORT') or 8000}"
wsgi_app = "app:app"
pythonpath = str(Path(__file__).parent)
# An ephemeral store belongs to one process: with more, each would answer from a store of its own.
workers = 1 if ephemeral else int(os.environ.get("WEB_CONCURRENCY") or 2)
threads = int(os.environ.get("LOTUS_WEB_THREADS") or 8)
timeout = 60
graceful_timeout = 20
keepalive = 5
limit_request_line = 8190
loglevel = os.environ.get("LOTUS_GUNICORN_LOG_LEVEL") or "warning"
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
control_socket_disable = True

# A thread belongs to a request while it is being read, so what sends slowly keeps others out. A reverse proxy in front that
# holds requests until they are whole ends that; without one this bounds it: seconds for a head, and again for its body.
patience = float(os.environ.get("LOTUS_BODY_SECONDS") or 10)
# How long a thread waits for what nobody needs: the first byte of a new connection, the rest of a body that was not read.
REST_SECONDS = 0.5
REST_BYTES = 64 * 1024
gthread.DEFAULT_WORKER_DATA_TIMEOUT = REST_SECONDS


class TimedSocket(socket.socket):
    """A connection that reads as if the client had hung up once the time is over; ``late`` says that it was so."""

    __slots__ = ("late", "until")

    def allow(self, seconds):
        """Let reads take this long from now, all together."""
        self.late, self.until = False, time.monotonic() + seconds

    def recv(self, *how):
        """Return what has come, nothing when the time is over."""
        waits = self.gettimeout()
        left = self.until - time.monotonic()
        try:
            if left <= 0:
                raise TimeoutError
            self.settimeout(left)
            return super().recv(*how)
        except TimeoutError:
            self.late = True
            return b""
        finally:
            self.settimeout(waits)


class PatientWorker(gthread.ThreadWorker):
    """gunicorn's threaded worker, which waits for a client only so long. With TLS of its own it is the plain one."""

    def handle(self, conn):
        """Handle a request; a connection that ends here is closed here, as gunicorn would wait for it in its main thread."""
        if self.cfg.is_ssl:
            return super().handle(conn)
        if not isinstance(conn.sock, TimedSocket):
            plain = conn.sock
            conn.sock = TimedSocket(plain.family, plain.type, plain.proto, fileno=plain.detach())
        conn.sock.allow(patience)
        kept = super().handle(conn)
        if kept is False:
            hang_up(conn.sock)
        return kept

    def handle_request(self, req, conn):
        """Serve a request whose head is there; the time for its body begins."""
        if isinstance(conn.sock, TimedSocket):
            conn.sock.allow(patience)
        return super().handle_request(req, conn)

    def _keepalive_after(self, conn, keepalive):
        if not isinstance(conn.sock, TimedSocket):
            return super()._keepalive_after(conn, keepalive)
        if conn.sock.late:
            return False
        conn.sock.allow(REST_SECONDS)
        # What is late now belongs to this body and must not be read as the next request.
        return super()._keepalive_after(conn, keepalive) and not conn.sock.late


def hang_up(connection):
    """Say that nothing more is sent, and read on for a moment: a client that still sends would not see its answer."""
    try:
        connection.shutdown(socket.SHUT_WR)
        if connection.late:
            return
        connection.allow(REST_SECONDS)
        unread = REST_BYTES
        while unread > 0 and (data := connection.recv(4096)):
            unread -= len(data)
    except OSError:  # it is gone already
        pass
    finally:
        connection.until = 0.0


worker_class = PatientWorker

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
    from lotus_web.telemetry.logs import RedactExceptionFilter

    # What an answer raises once it is being sent is logged by gunicorn itself.
    worker.log.error_log.addFilter(RedactExceptionFilter())
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
