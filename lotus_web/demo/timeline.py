"""The demo's runs and actions in order of time."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lotus_web.demo.people import PlannedAction, actions_on
from lotus_web.demo.portfolios import DemoRun


@dataclass(order=True, frozen=True, slots=True)
class Moment:
    """One thing that happened: a run that was recorded, or what someone did about one."""

    at: datetime
    number: int
    run: DemoRun = field(compare=False)
    action: PlannedAction | None = field(compare=False, default=None)


def moments(runs: Iterable[DemoRun], *, now: datetime, reviewed: bool = True) -> Iterator[Moment]:
    """Yield runs (oldest first) and the actions on them in the order of time; nothing lies after ``now``.

    ``reviewed`` False leaves the actions out: where the gate asks for no review there is nothing to act on.
    """
    waiting: list[Moment] = []
    number = 0
    for run in runs:
        at = now - timedelta(minutes=run.offset_minutes)
        while waiting and waiting[0].at <= at:
            yield heapq.heappop(waiting)
        yield Moment(at, number, run)
        for action in actions_on(run) if reviewed else ():
            number += 1
            heapq.heappush(waiting, Moment(at + timedelta(minutes=action.minutes_after_run), number, run, action))
        number += 1
    while waiting and waiting[0].at <= now:
        yield heapq.heappop(waiting)
