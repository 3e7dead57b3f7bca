"""Entries of a tenant's log that are no event of a trace: what else is on file, so that it is in the same chain and tree (docs/proof.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

# In place of a trace's id, which no event can have. The ``trace_seq`` of such an entry is its place in the tenant's log, from 1.
NO_TRACE = ""
# The tag of what was in the store before its table was logged.
RECORDED_LATER = "recorded_later"
# An entry is told by Lotus Web itself; who did it is part of what it says.
TELLER = {"actor_type": "system", "actor_id": "lotus-web"}


class FactType(StrEnum):
    """What such an entry records."""

    RUN_RECORDED = "RunRecorded"
    ACTION_RECORDED = "ActionRecorded"
    DECISION_RECORDED = "DecisionRecorded"
    RETENTION_RECORDED = "RetentionRecorded"


@dataclass(frozen=True, slots=True)
class Fact:
    """A row as it was stored: ``about`` is its id, ``says`` its columns by name, large ones by their hash."""

    tenant_id: str
    fact_type: FactType
    about: str
    says: Mapping[str, Any]
    occurred_at: datetime
    recorded_later: bool = False

    @property
    def key(self) -> str:
        """The entry's idempotency key, by which it is found."""
        return fact_key(self.about, self.fact_type)


def fact_key(about: str, fact_type: FactType) -> str:
    """Return the idempotency key of the entry about something."""
    return f"{about}:{fact_type.value}"
