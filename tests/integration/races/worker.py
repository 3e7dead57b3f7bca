"""What a process of the crew does, and the nursery that forks such processes: ``python -m tests.integration.races.worker SOCKET``.

A process says its id and ``ready``, waits for a line, does its job with several threads, and says each outcome on a line.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from flask import Flask

from lotus_web import create_app
from lotus_web.domain.decisions.gate import GateAction
from lotus_web.store.session import transaction
from tests.integration.races.crew import threads
from tests.integration.races.moves import append_start, approve, mixed, simulate_as
from tests.integration.races.proposal_moves import MOVES
from tests.servers.patience import be_patient
from tests.support.histories import decide, record

Say = Callable[[str], None]


def approvals(app: Flask, say: Say, number: int, threads_each: int) -> None:
    """Let each thread approve the same run."""
    _together(app, say, [approve] * threads_each)


def mixture(app: Flask, say: Say, number: int, threads_each: int) -> None:
    """Let each thread do something else to the same version of the same item."""
    first = number * threads_each
    _together(app, say, [mixed(first + place) for place in range(threads_each)])


def simulations(app: Flask, say: Say, number: int, threads_each: int) -> None:
    """Let each thread simulate the same request under the same key."""
    first = number * threads_each
    _together(app, say, [simulate_as(first + place) for place in range(threads_each)])


def first_events(app: Flask, say: Say, number: int, threads_each: int) -> None:
    """Let each thread append the first event of a trace of its own to a tenant that nobody has used yet."""
    first = number * threads_each
    _together(app, say, [append_start(first + place) for place in range(threads_each)])


def proposals(app: Flask, say: Say, number: int, threads_each: int, move: str) -> None:
    """Let each thread do a move to the one proposal."""
    first = number * threads_each
    _together(app, say, [MOVES[move](first + place) for place in range(threads_each)])


def _together(app: Flask, say: Say, calls: list[Callable[[], Any]]) -> None:
    for line, times in threads(app, calls).items():
        for _ in range(times):
            say(line)


def stream(app: Flask, say: Say, number: int) -> None:
    """Record runs and decide on them without end, saying the id of each decision after its commit."""
    with app.app_context():
        for run in itertools.count(number):
            with transaction() as session:
                record(session, run)
            for action in (GateAction.APPROVE, GateAction.REQUEST_CHANGES, GateAction.REJECT):
                with transaction() as session:
                    done = decide(session, run, action)
                assert done.decision is not None
                say(done.decision.decision_id)


JOBS = {job.__name__: job for job in (approvals, mixture, simulations, first_events, proposals, stream)}


def work(line: socket.socket) -> None:
    """Be one process of the crew, on one line."""
    with line, line.makefile("rw", encoding="utf-8") as file:

        def say(word: str) -> None:
            file.write(f"{word}\n")
            file.flush()

        order = json.loads(file.readline())
        os.environ.update(order["environ"])
        say(str(os.getpid()))
        app = create_app()
        with app.app_context(), transaction():
            pass
        say("ready")
        file.readline()
        JOBS[order["job"]](app, say, **order["settings"])


def nurse(address: str) -> None:
    """Fork a process for each line that comes in."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen(64)
        sys.stdout.write("open\n")
        sys.stdout.flush()
        while True:
            line, _ = door.accept()
            if os.fork() == 0:
                door.close()
                work(line)
                os._exit(0)
            line.close()


if __name__ == "__main__":
    be_patient()
    nurse(sys.argv[1])
