"""Timing a request inside the process: wall time of the whole WSGI call, and the statements it sends to the store."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import event
from sqlalchemy.engine import Engine

Call = Callable[[int], None]


@dataclass
class Statements:
    """How many statements went to the store while counting was on."""

    count: int = 0
    texts: list[str] = field(default_factory=list)


@contextmanager
def counted_statements() -> Iterator[Statements]:
    """Count the statements of the block; transaction bookkeeping is not a query."""
    seen = Statements()

    def note(_connection, _cursor, statement, *_rest) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            seen.count += 1
            seen.texts.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@dataclass(frozen=True)
class Figure:
    """What one request costs: milliseconds at the median and the 95th percentile, statements a request."""

    p50: float
    p95: float
    queries: float


def measure(call: Call, *, times: int, warm_up: int = 5) -> Figure:
    """Call ``call(number)`` for warm-up and then ``times`` more, measuring each."""
    for number in range(warm_up):
        call(-1 - number)
    taken = []
    with counted_statements() as seen:
        for number in range(times):
            started = time.perf_counter()
            call(number)
            taken.append((time.perf_counter() - started) * 1000)
    cuts = statistics.quantiles(taken, n=20) if len(taken) > 1 else taken * 19
    return Figure(statistics.median(taken), cuts[18], seen.count / times)
