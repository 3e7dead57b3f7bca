"""The rows of proposals as plain values: what lists, pages and JSON are made of (proposals-api §2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ProposalSummary:
    """A proposal as it stands, or as it stood after one of its events."""

    proposal_id: str
    portfolio_id: str
    mandate_id: str | None
    jurisdiction: str | None
    created_by: str
    recorded_by: str
    created_at: datetime
    last_event_at: datetime
    current_state: str
    current_version_no: int
    title: str | None


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version without its documents. ``gate`` is the gate's code, ``gate_decision`` its JSON, None where gates were off."""

    proposal_version_id: str
    proposal_id: str
    version_no: int
    portfolio_id: str
    created_by: str
    recorded_by: str
    acted_by: Mapping[str, Any] | None
    created_at: datetime
    correlation_id: str
    request_hash: str
    simulation_hash: str
    artifact_hash: str
    status_at_creation: str
    gate: str
    gate_decision: Mapping[str, Any] | None
    engine_version: str


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A version with its documents as JSON bytes; ``evidence`` is ``{}`` where it is hidden or was not stored."""

    row: VersionRow
    result: bytes
    artifact: bytes
    evidence: bytes


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event; ``from_state`` is None for CREATED."""

    event_id: str
    proposal_id: str
    event_type: str
    from_state: str | None
    to_state: str
    actor_id: str
    recorded_by: str
    occurred_at: datetime
    reason: Mapping[str, Any]
    related_version_no: int
    correlation_id: str


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """An approval of a version; ``voided_at`` says when a later version sent the proposal back to DRAFT (delta 38)."""

    approval_id: str
    proposal_id: str
    approval_type: str
    approved: bool
    actor_id: str
    recorded_by: str
    occurred_at: datetime
    details: Mapping[str, Any]
    related_version_no: int
    event_id: str
    voided_at: datetime | None = None
    voided_by_version_no: int | None = None


@dataclass(frozen=True, slots=True)
class ProposalDetail:
    """A proposal with its current version; ``advisor_notes`` and ``legal_hold`` are for pages alone."""

    proposal: ProposalSummary
    advisor_notes: str | None
    legal_hold: bool
    current_version: StoredVersion


@dataclass(frozen=True, slots=True)
class KeyRow:
    """The proposal that was created with an idempotency key."""

    idempotency_key: str
    request_hash: str
    proposal_id: str
    proposal_version_no: int
    created_at: datetime
