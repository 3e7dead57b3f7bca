"""gunicorn's configuration. The settings are declared in lotus_web/config/settings.py, the worker and the hooks are in lotus_web too."""

import os
import sys
import tempfile
from pathlib import Path

from dotenv import load_dotenv

ROOT = Path(__file__).parent
load_dotenv(ROOT / ".env")
# Each process counts in files of this folder, and GET /metrics adds them up. The metrics library reads the variable when it is
# imported, so this comes before any import of the app.
if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="lotus-metrics-")
sys.path.insert(0, str(ROOT))

from lotus_web.cli.gunicorn_hooks import child_exit, on_exit, post_worker_init, when_ready, worker_exit
from lotus_web.config.settings import BadSetting, Settings
from lotus_web.http.gunicorn_worker import TimeoutWorker

__all__ = ["child_exit", "on_exit", "post_worker_init", "when_ready", "worker_exit"]

try:
    settings = Settings.from_environ()
except BadSetting as problem:
    sys.exit(f"error: {problem}")

wsgi_app = "app:app"
worker_class = TimeoutWorker
bind = settings.listen_address
workers = settings.web_processes
threads = settings.web_threads
loglevel = settings.server_log_level
timeout = 60
graceful_timeout = 20
keepalive = 5
sendfile = False  # files too go through the connection that disconnects slow readers
limit_request_line = 8190
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
control_socket_disable = True
