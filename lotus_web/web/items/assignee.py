"""The new holder of an item as a form names it: a person or a role."""

from __future__ import annotations

TO_PERSON, TO_ROLE = "person", "role"


def assignee_of(to: str) -> tuple[str | None, str | None]:
    """Return the account and the role that ``person:name`` or ``role:name`` names; neither for anything else."""
    kind, _, name = to.partition(":")
    return (name or None if kind == TO_PERSON else None), (name or None if kind == TO_ROLE else None)
