"""A crew that does one thing at the same moment: threads of one app, and processes that each have their own.

Nobody sleeps to be in step: threads meet at a barrier, processes say on a line that they are ready and wait for a word.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier
from typing import Any

from flask import Flask

from lotus_web.domain.errors import LotusError
from lotus_web.store.session import db
from tests.servers.patience import PATIENCE
from tests.stores.makers import environment

ROOT = Path(__file__).parents[3]


def outcome(call: Callable[[], Any]) -> str:
    """Run ``call``; return what it returned, or the class and code of the refusal."""
    try:
        return str(call())
    except LotusError as refusal:
        return f"{type(refusal).__name__} {refusal.code}"


def threads(app: Flask, calls: list[Callable[[], Any]]) -> Counter[str]:
    """Let one thread for each call start together, each in an app context of its own; count the outcomes."""
    gate = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> str:
        with app.app_context():
            gate.wait(timeout=PATIENCE)
            try:
                return outcome(call)
            finally:
                db.session.remove()

    with ThreadPoolExecutor(len(calls)) as pool:
        return Counter(pool.map(run, calls))


class Nursery:
    """Starts processes in milliseconds: one process imports everything once and forks for each that is asked for."""

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "nursery")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.races.worker", self.address],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.crew: list[Worker] = []
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "open\n"

    def close(self) -> None:
        """End it; the processes that it started go on or are gone already."""
        self.process.terminate()
        self.process.communicate(timeout=PATIENCE)

    def worker(self, url: str, job: str, **settings: Any) -> Worker:
        """Start a process that will do a job on the store at ``url`` when it is told to."""
        line = socket.socket(socket.AF_UNIX)
        line.settimeout(PATIENCE)
        line.connect(self.address)
        worker = Worker(line)
        self.crew.append(worker)
        worker.say(json.dumps({"environ": environment(url), "job": job, "settings": settings}))
        worker.process_id = int(worker.line())
        return worker

    def send_home(self) -> None:
        """Let no process stay at work, nor a line to it open, that a test which failed left behind."""
        while self.crew:
            self.crew.pop().leave()

    def together(self, url: str, job: str, *, processes: int, threads_each: int, **settings: Any) -> Counter[str]:
        """Let processes with some threads each do a job together; count the outcomes of all of them."""
        numbered = ({"number": number, "threads_each": threads_each, **settings} for number in range(processes))
        crew = [self.worker(url, job, **order) for order in numbered]
        for worker in crew:
            assert worker.line() == "ready"
        for worker in crew:
            worker.say("go")
        return Counter(line for worker in crew for line in worker.rest())


class Worker:
    """A process with an app of its own on a store, and the line on which it is spoken to."""

    def __init__(self, line: socket.socket) -> None:
        self.socket, self.file, self.process_id = line, line.makefile("rw", encoding="utf-8"), 0

    def line(self) -> str:
        """Wait for the next line that the process says; empty when it is gone."""
        return self.file.readline().removesuffix("\n")

    def say(self, word: str) -> None:
        """Say one line to the process."""
        self.file.write(f"{word}\n")
        self.file.flush()

    def rest(self) -> list[str]:
        """Wait for the end of the process; return the whole lines that it still said."""
        said = [line.removesuffix("\n") for line in self.file if line.endswith("\n")]
        self.file.close()
        self.socket.close()
        return said

    def kill(self) -> list[str]:
        """Kill the process where it stands; return the whole lines that it had said."""
        os.kill(self.process_id, signal.SIGKILL)
        return self.rest()

    def leave(self) -> None:
        """Kill the process if it is still spoken to, and let go of the line."""
        if self.socket.fileno() == -1:
            return
        if self.process_id:
            with suppress(ProcessLookupError):
                os.kill(self.process_id, signal.SIGKILL)
        with suppress(OSError):  # a word that nobody hears any more
            self.file.close()
        self.socket.close()
