"""Ids are opaque text: what a caller may send as one, and the shapes of those that are made here (dpm-api §1.5)."""

from __future__ import annotations

from lotus_web.domain.errors import InvalidInput

KEY_MAX = 255
CORRELATION_MAX = 200
ACTOR_MAX = 128
SCENARIO_MAX = 64
# The runs of an analysis are traced under the caller's correlation id and the name of their scenario.
TRACE_MAX = CORRELATION_MAX + 1 + SCENARIO_MAX

Loc = tuple[str | int, ...]


def is_storable(value: str) -> bool:
    """Return whether every store takes this text: no NUL, no lone surrogate."""
    return "\x00" not in value and not any("\ud800" <= char <= "\udfff" for char in value)


def check_visible(value: str | None, name: str, *, longest: int, loc: Loc) -> str:
    """Return ``value`` if it is 1..``longest`` printable characters with no space at either end; raises InvalidInput."""
    if value is None or not value:
        raise InvalidInput("missing", f"{name} is required", loc=loc)
    if len(value) > longest or not value.isprintable() or value != value.strip():
        raise InvalidInput("value_error", f"{name} must be 1 to {longest} visible characters", loc=loc)
    return value


def check_idempotency_key(value: str | None) -> str:
    """Return the key: 1–255 visible characters (delta 2); raises InvalidInput."""
    return check_visible(value, "Idempotency-Key", longest=KEY_MAX, loc=("header", "Idempotency-Key"))


def check_correlation_id(value: str) -> str:
    """Return the correlation id: 1–200 visible characters (delta 5); raises InvalidInput."""
    return check_visible(value, "X-Correlation-Id", longest=CORRELATION_MAX, loc=("header", "X-Correlation-Id"))


def artifact_id(run_id: str) -> str:
    """Return the artifact's id: the run's with its first ``rr_`` swapped for ``dra_``."""
    return run_id.replace("rr_", "dra_", 1)


def exception_workflow_id(correlation_id: str, run_id: str) -> str:
    """Return the deterministic id of a run's review item (workflow.md §1)."""
    return f"{correlation_id}:exception:{run_id}"
