"""How hard a secret is to guess, by what it looks like: repeated and counted-up characters add nothing.

It tells a key of random characters from a placeholder; it knows no dictionary, so a sentence of many words passes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import log2


def estimated_bits(secret: str) -> float:
    """Return the entropy of the part that a secret repeats, by how often each byte and each step to the next one occurs.

    32 random hexadecimal digits have about 115 bits by this measure, a single character that is repeated has none.
    """
    part = _repeated_part(secret.encode())
    steps = [after - before for before, after in pairwise(part)]
    return min(_bits(part), _bits(steps))


def _repeated_part(raw: bytes) -> bytes:
    return next(raw[:size] for size in range(1, len(raw) + 1) if (raw[:size] * (len(raw) // size + 1)).startswith(raw))


def _bits(values: Sequence[int]) -> float:
    total = len(values)
    return -sum(count * log2(count / total) for count in Counter(values).values())
