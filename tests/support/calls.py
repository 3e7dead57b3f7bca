"""Counts the function calls of some work: the same on every machine and under any load, unlike its seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType


def calls_of(work: Callable[[], object]) -> int:
    """Return how many calls ``work`` makes, those into C included.

    It is done once before, uncounted: what only the first time costs (imports, caches) is not its own. Of two counts the smaller
    is taken: now and then the measuring of coverage removes its probes in between.
    """
    work()
    return min(_counted(work), _counted(work))


def _counted(work: Callable[[], object]) -> int:
    seen = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal seen
        seen += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return seen
