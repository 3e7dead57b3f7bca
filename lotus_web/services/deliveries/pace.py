"""How fast receivers take what they are sent: slow ones come after everybody else, and by turns among themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, and_, case, literal, or_

from lotus_web.models import Delivery

SLOW_SECONDS = 1.0
# So many that no query gets long; whoever was slow before these counts as quick once more.
MOST_SLOW = 50


def receiver_of(channel: str, target: str | None) -> str:
    """Return who takes a delivery: the origin of an address, whatever its path, else the channel."""
    if target is None:
        return channel
    parts = urlsplit(target)
    return f"{parts.scheme}://{parts.netloc}"


class Pace:
    """What one run of the job has learned: the slow receivers, each with the number of its last turn."""

    def __init__(self) -> None:
        self._turns = 0
        self.slow: dict[str, int] = {}

    @contextmanager
    def timing(self, receiver: str) -> Iterator[None]:
        """Time what is sent to a receiver, taken or not."""
        started = monotonic()
        try:
            yield
        finally:
            self.slow.pop(receiver, None)
            if monotonic() - started > SLOW_SECONDS:
                self._turns += 1
                self.slow[receiver] = self._turns
                if len(self.slow) > MOST_SLOW:
                    del self.slow[next(iter(self.slow))]


def turn_of(slow: Mapping[str, int]) -> ColumnElement[int]:
    """Return the place of a delivery's receiver: 0 unless it is slow, then the longer ago its turn was the sooner."""
    if not slow:
        return literal(0)
    return case(*((_goes_to(receiver), turn) for receiver, turn in slow.items()), else_=0)


def _goes_to(receiver: str) -> ColumnElement[bool]:
    if "://" not in receiver:
        return and_(Delivery.channel == receiver, Delivery.target.is_(None))
    behind = (Delivery.target.startswith(receiver + sign, autoescape=True) for sign in "/?")
    return or_(Delivery.target == receiver, *behind)
