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
    AUDIT_RECORDED = "AuditRecorded"
    PROPOSAL_RECORDED = "ProposalRecorded"
    PROPOSAL_EVENT_RECORDED = "ProposalEventRecorded"
    APPROVAL_RECORDED = "ProposalApprovalRecorded"
    VERSION_RECORDED = "ProposalVersionRecorded"
    DOCUMENT_RECORDED = "ProposalDocumentRecorded"
    PERSON_RECORDED = "PersonRecorded"
    ROLE_RECORDED = "RoleRecorded"
    ACCOUNT_RECORDED = "AccountRecorded"
    TOKEN_RECORDED = "TokenRecorded"
    SESSION_RECORDED = "SessionRecorded"
    PASSKEY_RECORDED = "PasskeyRecorded"
    RECOVERY_CODE_RECORDED = "RecoveryCodeRecorded"
    PACK_RECORDED = "PolicyPackRecorded"


@dataclass(frozen=True, slots=True)
class Fact:
    """A row as it was stored: ``about`` is its id, ``says`` its columns by name, large ones by their hash.

    ``moves``: there may be another entry about it later. ``occurred_at`` is None where the row does not tell.
    """

    tenant_id: str
    fact_type: FactType
    about: str
    says: Mapping[str, Any]
    occurred_at: datetime | None
    recorded_later: bool = False
    moves: bool = False

    def key(self, place: int) -> str:
        """Return the entry's idempotency key: what moves has one for each place in the log, of which the last is the highest."""
        key = fact_key(self.about, self.fact_type)
        return f"{key}:{place:012d}" if self.moves else key


def fact_key(about: str, fact_type: FactType) -> str:
    """Return the key of the entry about something, or the beginning of the keys where there may be several."""
    return f"{about}:{fact_type.value}"
