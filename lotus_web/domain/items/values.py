"""The status, the kind and the priority of an item (workflow.md §2)."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class ItemStatus(StrEnum):
    """Where an item is in its review."""

    REQUESTED = "requested"
    IN_REVIEW = "in_review"
    CHANGES_REQUESTED = "changes_requested"
    ESCALATED = "escalated"
    APPROVED = "approved"
    REJECTED = "rejected"
    OVERRIDDEN = "overridden"
    WITHDRAWN = "withdrawn"


OPEN = frozenset({ItemStatus.REQUESTED, ItemStatus.IN_REVIEW, ItemStatus.CHANGES_REQUESTED, ItemStatus.ESCALATED})
TERMINAL = frozenset(ItemStatus) - OPEN


class WorkflowKind(StrEnum):
    """What kind of review an item asks for."""

    EXCEPTION_REVIEW = "exception_review"
    INCIDENT_REVIEW = "incident_review"
    PROPOSAL_REVIEW = "proposal_review"


class Priority(IntEnum):
    """How urgent an item is; the lower rank is worked first."""

    URGENT = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3

    @property
    def word(self) -> str:
        """The wire name."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Priority:
        """Return the priority of a wire name; raises KeyError."""
        return cls[word.upper()]
