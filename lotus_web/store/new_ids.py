"""New ids: random, unless a caller (the demo, a test) asks for a repeatable source."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


def _random_hex() -> str:
    return uuid.uuid4().hex


_source: ContextVar[Callable[[], str]] = ContextVar("new_id_source", default=_random_hex)


def new_id(prefix: str, digits: int = 32) -> str:
    """Return ``prefix`` and ``digits`` (1..32) unused hex digits (dpm-api §1.5 gives the formats)."""
    return prefix + _source.get()()[:digits]


@contextmanager
def repeatable_ids(seed: int) -> Iterator[None]:
    """Draw ids from a seeded source for as long as the block runs."""
    draw = random.Random(seed)
    token = _source.set(lambda: f"{draw.getrandbits(128):032x}")
    try:
        yield
    finally:
        _source.reset(token)
