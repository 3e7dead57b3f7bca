"""How guessing is slowed down: slower with each failure, and never for long, so that nobody can lock anybody out.

Failures are counted for a name at a place, which is the device where that name has signed in before, or else the address. What
happens elsewhere slows nobody down here.
"""

from __future__ import annotations

from datetime import datetime, timedelta

# As many failures of a name at one place cost nothing: people mistype.
FREE = 5
# As many from one address, whatever the names; a whole company may have one. Known devices are not counted.
FREE_OF_ADDRESS = 100
ADDRESS_WINDOW = timedelta(minutes=15)
WINDOW = timedelta(days=1)
LONGEST = timedelta(minutes=5)
# More rows of a name at a place say nothing new: the wait is the longest by then.
KEPT = FREE + 10


def wait(failures: int, last: datetime | None, *, now: datetime, free: int = FREE) -> timedelta:
    """Return how long to wait after the last of so many failures; a clock that was set back counts as standing still."""
    if last is None or failures < free:
        return timedelta()
    pause = min(timedelta(seconds=2 ** min(failures - free, 10)), LONGEST)
    return max(pause - max(now - last, timedelta()), timedelta())
