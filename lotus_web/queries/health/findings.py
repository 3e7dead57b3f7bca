"""What a check of the doctor found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """The result of a check: fine, worth knowing, or wrong."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence about what a check found, and how to fix it; ``tenant`` is set where it is about one tenant."""

    check: str
    state: State
    says: str
    mend: str | None = None
    tenant: str | None = None
