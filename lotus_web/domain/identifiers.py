"""Ids are opaque text: what a caller may send as one, and the shapes of those that are made here (dpm-api §1.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.sentences import Sentence

KEY_MAX = 255
CORRELATION_MAX = 200
ACTOR_MAX = 128
SCENARIO_MAX = 64
# The runs of an analysis are traced under the caller's correlation id and the name of their scenario.
TRACE_MAX = CORRELATION_MAX + 1 + SCENARIO_MAX

Loc = tuple[str | int, ...]


def is_storable(value: str) -> bool:
    """Return whether every store takes this text: no NUL, no lone surrogate."""
    if "\x00" in value:
        return False
    try:
        return value.isascii() or bool(value.encode())
    except UnicodeEncodeError:
        return False


def unstorable_place(value: Any, path: Loc = ()) -> Loc | None:
    """Return the path, as names and positions, to a text in a JSON value that no store accepts; None if there is none.

    The name of a member counts as a text of its object.
    """
    if isinstance(value, str):
        return None if is_storable(value) else path
    if isinstance(value, Mapping):
        if not all(is_storable(str(key)) for key in value):
            return path
        entries: Iterable[tuple[str | int, Any]] = value.items()
    elif isinstance(value, (list, tuple)):
        entries = enumerate(value)
    else:
        return None
    found = (unstorable_place(item, (*path, key)) for key, item in entries)
    return next((place for place in found if place is not None), None)


def check_storable(value: Any, *, loc: Loc) -> None:
    """Raise InvalidInput ``invalid_argument`` where a JSON value holds a text that no store takes, at any depth, saying where."""
    place = unstorable_place(value, loc)
    if place is not None:
        where = ".".join(map(str, place[1:])) or place[0]
        raise InvalidInput(
            "invalid_argument", Sentence("{where} contains characters that cannot be stored.", where=where), loc=place
        )


def check_visible(value: str | None, name: str, *, longest: int, loc: Loc) -> str:
    """Return ``value`` if it is 1..``longest`` printable characters with no space at either end; raises InvalidInput."""
    if value is None or not value:
        raise InvalidInput("missing", Sentence("{name} is required", name=name), loc=loc)
    if len(value) > longest or not value.isprintable() or value != value.strip():
        raise InvalidInput(
            "value_error",
            Sentence("{name} must be 1 to {longest} visible characters", name=name, longest=longest),
            loc=loc,
        )
    return value


def check_idempotency_key(value: str | None) -> str:
    """Return the key: 1–255 visible characters (delta 2); raises InvalidInput."""
    return check_visible(value, "Idempotency-Key", longest=KEY_MAX, loc=("header", "Idempotency-Key"))


def check_correlation_id(value: str) -> str:
    """Return the correlation id: 1–200 visible characters (delta 5); raises InvalidInput."""
    return check_visible(value, "X-Correlation-Id", longest=CORRELATION_MAX, loc=("header", "X-Correlation-Id"))


# The universe and the targets of a result have ids of their own (dpm-api §1.5).
PARTS_OF_RESULTS = ("u_", "t_")


def artifact_id(run_id: str) -> str:
    """Return the artifact's id: the run's with its first ``rr_`` swapped for ``dra_``."""
    return run_id.replace("rr_", "dra_", 1)


def proposal_artifact_id(run_id: str) -> str:
    """Return the id of a proposal's artifact: its run's with ``pr_`` swapped for ``pa_``."""
    return run_id.replace("pr_", "pa_", 1)


def runs_named_by(text: str) -> list[str]:
    """Return each id that a run could have which this text names: its own id, or that of its artifact, universe or targets."""
    return [text, text.replace("dra_", "rr_", 1), *(text.removeprefix(part) for part in PARTS_OF_RESULTS)]
