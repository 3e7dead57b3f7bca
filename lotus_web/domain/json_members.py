"""JSON objects that name a member twice are refused: of two readers one may take the first, the other the last."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

# How much of a member's name a refusal repeats.
LONGEST_NAME = 100


class RepeatedMember(ValueError):
    """An object names a member more than once; the message gives its name."""

    def __init__(self, name: str):
        super().__init__(f"An object names the member {json.dumps(name[:LONGEST_NAME])} more than once")


def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object that these members make, as ``object_pairs_hook`` of a JSON reader; raises RepeatedMember."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    raise RepeatedMember(next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1))


def read_json(text: str) -> Any:
    """Return the value of a JSON text; raises RepeatedMember, and ValueError for what is not JSON."""
    return json.loads(text, object_pairs_hook=each_once)
