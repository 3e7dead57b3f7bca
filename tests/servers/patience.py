"""How long tests wait for what is to come, in one place: a machine that stands still for half a minute fails none of them.

Every wait ends with its reason, so a long one takes time only where a test fails anyway. What a test says about time it says
with a clock of its own or with the times in the store, never with how long it had to wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module

PATIENCE = 180
# Less than the tests: so it is the program that says for what it waited in vain.
PROGRAM_SECONDS = 150
BROWSER_MS = 60_000
# A worker that gunicorn would have to kill is still there when the tests' own patience ends, and so is a client's connection.
PATIENT_GUNICORN = {
    "GUNICORN_CMD_ARGS": " ".join(f"--{wait} {2 * PATIENCE}" for wait in ("graceful-timeout", "timeout", "keep-alive"))
}


def be_patient() -> None:
    """Let this process wait that long for a lock, a connection or what another computes: the tests', and those they start."""
    store, simulation = import_module("lotus_web.store.engine"), import_module("lotus_web.services.runs.simulate")
    for module, wait, patient in (
        (store, "SQLITE_BUSY_MS", PROGRAM_SECONDS * 1000),
        (store, "POSTGRES_LOCK_TIMEOUT_MS", PROGRAM_SECONDS * 1000),
        (store, "POSTGRES_CONNECT_S", PROGRAM_SECONDS),
        (store, "POOL_WAIT_S", PROGRAM_SECONDS),
        (simulation, "WAIT_SECONDS", float(PROGRAM_SECONDS)),
    ):
        assert hasattr(module, wait), wait
        setattr(module, wait, patient)


def until(holds: Callable[[], bool]) -> None:
    """Look again and again until something holds."""
    patience = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < patience, "it never came to hold"
        time.sleep(0.02)
