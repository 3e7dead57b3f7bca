"""Cycles of objects are collected less often: a test makes thousands of objects that live until it ends.

Python walks the young objects at every 700 new ones, and finds next to nothing in the middle of a test. What lives when the
conftest is read (the program and its libraries) is not walked at all any more. A tenth of the processor time of tests was spent so.
"""

from __future__ import annotations

import gc

YOUNG = 50_000


def collect_rarely() -> None:
    """Set aside what lives now, and collect after as many new objects as memory easily holds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)
