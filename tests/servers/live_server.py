"""A real gunicorn over a store of its own, as ``make run`` starts it: for browser tests, several workers and outages."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.servers.patience import PATIENCE, PATIENT_GUNICORN
from tests.stores.makers import SqliteStores, environment

ROOT = Path(__file__).resolve().parents[2]
OURS = ("LOTUS_", "DPM_", "PROPOSAL_", "FLASK_", "PROMETHEUS_", "MAKE")
FLASK = (sys.executable, "-m", "flask", "--app", str(ROOT / "tests" / "servers" / "patient_app.py"))
GUNICORN = (
    sys.executable,
    "-m",
    "gunicorn",
    "--config",
    str(ROOT / "gunicorn.conf.py"),
    "tests.servers.patient_app:app",
)
MAKE_RUN = (sys.executable, str(ROOT / "scripts" / "serve.py"))
_SERVING = re.compile(r"^Serving on (http://\S+)$", re.MULTILINE)


def clean_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of this process without settings of ours or a ``.env``, and with ``settings``."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**others, "PYTHON_DOTENV_DISABLED": "1", "PYTHONUNBUFFERED": "1", **settings}


class LiveServer:
    """Started and stopped by the fixture; ``url`` is where it answers, ``folder`` where it stands.

    ``printed`` is what it told the person who started it (stdout), ``log`` what it logged (stderr).
    """

    def __init__(self, settings: Mapping[str, str], folder: Path, command: Sequence[str] = GUNICORN) -> None:
        self.settings = dict(settings)
        self.folder = folder
        self.command = command
        self.url = ""
        self._printed = folder / "server.out"
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def printed(self) -> str:
        """What the server has written to stdout since its last start."""
        return self._printed.read_text(errors="replace")

    @property
    def log(self) -> str:
        """What the server has written to stderr since its last start."""
        return self._log.read_text(errors="replace")

    def flask(self, *arguments: str, stdin: str | None = None) -> str:
        """Run ``flask --app app …`` on the server's store and return what it prints; raise what it says when it fails."""
        done = subprocess.run(
            [*FLASK, *arguments],
            cwd=self.folder,
            env=clean_environment(self.settings),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"flask {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def start(self, *, workers: int = 1, **settings: str) -> None:
        """Start on a free port, another one each time, and wait until the first worker answers."""
        changes = {"PORT": "0", "WEB_CONCURRENCY": str(workers), **PATIENT_GUNICORN, **settings}
        with self._printed.open("wb") as printed, self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=clean_environment({**self.settings, **changes}),
                stdout=printed,
                stderr=log,
                start_new_session=True,
            )
        self.url = self._announced()

    def _announced(self) -> str:
        assert self._process is not None
        deadline = time.monotonic() + PATIENCE
        while not (found := _SERVING.search(self.printed)):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the server did not start:\n{self.printed}{self.log}")
            time.sleep(0.02)
        return found.group(1)

    def process_ids(self) -> list[int]:
        """Return the processes of the server: the one that was started and its workers."""
        assert self._process is not None
        found = subprocess.run(["pgrep", "-g", str(self._process.pid)], capture_output=True, text=True, check=True)
        return [int(line) for line in found.stdout.split()]

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop as Ctrl-C does and demand that no process is left; SIGKILL is a power cut. Stopping twice is harmless."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            os.killpg(process.pid, how)
        try:
            process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise AssertionError(f"the server did not stop within {PATIENCE} s:\n{self.log}") from None
        if how != signal.SIGKILL and group_is_alive(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
            raise AssertionError("the server ended and left a process behind")


@contextmanager
def serving(
    stores: SqliteStores, folder: Path, settings: Mapping[str, str], *, workers: int = 1
) -> Iterator[LiveServer]:
    """Give a started server on a store of its own, as a rule for all tests of a module: to start and stop one takes two seconds."""
    url = stores.create()
    server = LiveServer(environment(url) | settings, folder)
    server.start(workers=workers)
    yield server
    server.stop()
    stores.drop(url)


def group_is_alive(group: int) -> bool:
    """Say whether any process of a process group is there."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
