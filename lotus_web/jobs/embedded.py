"""The scheduler inside a web worker (LOTUS_JOBS=embedded); the server's hooks start and stop it, never create_app()."""

from __future__ import annotations

from flask import Flask

from lotus_web.config.settings import Settings
from lotus_web.jobs.scheduler import Scheduler

_running: list[Scheduler] = []


def start_embedded(app: Flask) -> None:
    """Start a scheduler in this process if LOTUS_JOBS=embedded; it runs jobs once it holds the lease."""
    settings: Settings = app.extensions["lotus_settings"]
    if settings.jobs == "embedded":
        scheduler = Scheduler(app, settings)
        scheduler.start()
        _running.append(scheduler)


def stop_embedded() -> None:
    """Stop the scheduler of this process after its current unit of work."""
    while _running:
        _running.pop().stop()
