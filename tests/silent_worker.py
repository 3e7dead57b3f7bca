"""A worker of operations that stops in the middle of its second scenario, its transaction open, and waits to be killed."""

from __future__ import annotations

import sys
from typing import Any

from lotus_web import create_app
from lotus_web.current import utcnow
from lotus_web.jobs.context import JobContext
from lotus_web.jobs.operations import run_due
from lotus_web.services import batch
from lotus_web.settings import Settings


def main() -> None:
    """Work until the second run is written and not yet committed, say so, and fall silent."""
    recorded = 0
    record_run = batch.record_run

    def record_and_stop(*given: Any, **named: Any) -> Any:
        nonlocal recorded
        run = record_run(*given, **named)
        recorded += 1
        if recorded == 2:
            print("in the middle", flush=True)
            sys.stdin.read()
        return run

    batch.record_run = record_and_stop  # type: ignore[assignment]
    settings = Settings.from_environ()
    with create_app(settings).app_context():
        run_due(JobContext(settings), utcnow())


if __name__ == "__main__":
    main()
