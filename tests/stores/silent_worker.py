"""A worker of operations that stops in the middle of its second scenario and waits to be killed.

``python -m tests.stores.silent_worker writing`` stops with the run written and its transaction open; ``computing`` stops in the engine.
Its heart does not go by the time: for each line that comes in then it beats once, and says so.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from typing import Any

from lotus_web import create_app
from lotus_web.config.current import utcnow
from lotus_web.config.settings import Settings
from lotus_web.jobs.context import JobContext
from lotus_web.jobs.operations import run_due
from lotus_web.services.analyses import scenarios
from lotus_web.services.operations import heartbeat
from tests.servers.patience import be_patient
from tests.support.pause import Pause


def stop_at_the_second(work: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``work`` that says so when it has been done for the second time, and then goes no further."""
    calls = itertools.count(1)

    def done(*given: Any, **named: Any) -> Any:
        result = work(*given, **named)
        if next(calls) == 2:
            print("in the middle", flush=True)
            for _ in sys.stdin:
                Pause.made[-1].beat()
                print("beaten", flush=True)
        return result

    return done


def main(where: str) -> None:
    """Work until the second scenario is computed or written, say so, and go no further."""
    name = {"writing": "record_run", "computing": "rebalance"}[where]
    setattr(scenarios, name, stop_at_the_second(getattr(scenarios, name)))
    heartbeat.Event = Pause  # type: ignore[assignment,misc]
    settings = Settings.from_environ()
    with create_app(settings).app_context():
        run_due(JobContext(settings), utcnow())


if __name__ == "__main__":
    be_patient()
    main(sys.argv[1])
