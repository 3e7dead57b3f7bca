"""What the routes of proposals take and give (proposals-api §2)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, ValidationInfo, field_validator

from lotus_web.api.endpoint.params import (
    ActorId,
    Answer,
    Bound,
    Cursor,
    FilterText,
    QueryParams,
    Stamp,
    no_earlier_than,
)
from lotus_web.domain.canonical import canonical_json, json_number
from lotus_web.domain.paging import Page
from lotus_web.domain.proposals.states import ApprovalType, ProposalEvent, ProposalState
from lotus_web.domain.rebalance.values.codes import RunStatus
from lotus_web.queries.proposals.rows import ProposalSummary
from lotus_web.wire.proposals.artifact_model import Evidence, ProposalArtifact
from lotus_web.wire.proposals.result import ProposalResult
from lotus_web.wire.rebalance.result import GateDecision

MOST_PROPOSALS = 100
NOTE_MAX_BYTES = 64 * 1024


def bounded(note: dict[str, Any]) -> dict[str, Any]:
    """Return what a caller says about a step; raises ValueError where it is longer than is kept."""
    if len(canonical_json(note)) > NOTE_MAX_BYTES:
        raise ValueError(f"must be at most {NOTE_MAX_BYTES // 1024} KiB of JSON")
    return note


def given_back(note: dict[str, Any]) -> Any:
    """Return what a caller said as it is sent back, numbers as numbers."""
    return json.loads(json.dumps(note, default=json_number))


Note = Annotated[dict[str, Any], AfterValidator(bounded)]
Given = Annotated[dict[str, Any], PlainSerializer(given_back, return_type=dict[str, Any])]


class StepBody(BaseModel):
    """A step of a proposal; ``actor_id`` is the token's account, or whom it may speak for."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    actor_id: ActorId
    related_version_no: int | None = Field(default=None, description="if sent, it must be the current version")
    expected_state: ProposalState | None = None


class TransitionBody(StepBody):
    """An event to happen to a proposal; ``reason`` is stored with it and given back as it came."""

    event_type: ProposalEvent
    reason: Note = Field(default_factory=dict)


class ProposalApprovalRequest(StepBody):
    """An approval of the current version that is given or withheld; ``details`` are stored with it."""

    approval_type: ApprovalType
    approved: bool
    details: Note = Field(default_factory=dict)


class EvidenceParams(QueryParams):
    """Whether to leave out what a version was computed from, at every place where it would stand."""

    include_evidence: bool = True


class ProposalListParams(QueryParams):
    """Filters of the list of proposals; an unknown value matches none. Bounds are inclusive."""

    portfolio_id: FilterText | None = None
    state: FilterText | None = None
    created_by: FilterText | None = None
    created_from: Bound | None = Field(default=None, description="earliest instant, inclusive")
    created_to: Bound | None = Field(default=None, description="latest instant, inclusive")
    limit: Annotated[int, Field(ge=1, le=MOST_PROPOSALS)] = 20
    cursor: Annotated[Cursor | None, Field(description="next_cursor of the page before")] = None

    @field_validator("created_to")
    @classmethod
    def _in_order(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        return no_earlier_than("created_from", info.data.get("created_from"), "created_to", value)


class ProposalBody(Answer):
    """A proposal as it stands; in the answer to a write, as it stood then."""

    proposal_id: str
    portfolio_id: str
    mandate_id: str | None
    jurisdiction: str | None
    created_by: str
    created_at: Stamp
    last_event_at: Stamp
    current_state: ProposalState
    current_version_no: int
    title: str | None


class ProposalList(Answer):
    """A page of proposals, newest first."""

    items: list[ProposalBody]
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[ProposalSummary]) -> Self:
        """Return the page as it is sent."""
        return cls.model_validate(page)


class NoEvidence(BaseModel):
    """Evidence that is hidden, or that was not stored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class VersionArtifact(ProposalArtifact):
    """The artifact of a version; its hash covers the evidence whether or not it is there."""

    evidence_bundle: Evidence | NoEvidence  # type: ignore[assignment]


class VersionFacts(Answer):
    """A version without its documents, which are spliced in as they were stored."""

    proposal_version_id: str
    proposal_id: str
    version_no: int
    created_at: Stamp
    request_hash: str
    artifact_hash: str
    simulation_hash: str
    status_at_creation: RunStatus
    gate_decision: GateDecision | None


class ProposalVersionDetail(VersionFacts):
    """A version of a proposal with its result and its artifact."""

    proposal_result: ProposalResult
    artifact: VersionArtifact
    evidence_bundle: Evidence | NoEvidence


class VersionItem(Answer):
    """A version by its hashes."""

    proposal_version_id: str
    version_no: int
    created_at: Stamp
    status_at_creation: RunStatus
    request_hash: str
    simulation_hash: str
    artifact_hash: str


class VersionListItem(VersionItem):
    """A version, who made it, and what the rules came to; null where gates were switched off."""

    created_by: str
    gate_decision: GateDecision | None


class VersionList(Answer):
    """The versions of a proposal, oldest first."""

    proposal_id: str
    current_version_no: int
    versions: list[VersionListItem]


class ProposalLineageBody(Answer):
    """A proposal and the hashes of its versions, oldest first."""

    proposal: ProposalBody
    versions: list[VersionItem]


class ProposalEventBody(Answer):
    """One event; ``from_state`` is null for CREATED, ``related_version_no`` is the version that was current."""

    event_id: str
    proposal_id: str
    event_type: ProposalEvent
    from_state: ProposalState | None
    to_state: ProposalState
    actor_id: str
    occurred_at: Stamp
    reason: Given
    related_version_no: int


class ProposalApprovalBody(Answer):
    """An approval of one version; it is void from ``voided_at``, when version ``voided_by_version_no`` took its place."""

    approval_id: str
    proposal_id: str
    approval_type: ApprovalType
    approved: bool
    actor_id: str
    occurred_at: Stamp
    details: Given
    related_version_no: int
    voided_at: Stamp | None
    voided_by_version_no: int | None


class ProposalDetailBody(Answer):
    """A proposal with its current version and the gate that it came to."""

    proposal: ProposalBody
    current_version: ProposalVersionDetail
    last_gate_decision: GateDecision | None


class ProposalVersionMade(Answer):
    """A proposal as it stood when a version was made, the version, and the event."""

    proposal: ProposalBody
    version: ProposalVersionDetail
    latest_workflow_event: ProposalEventBody


class ProposalStepBody(Answer):
    """What a step led to; ``approval`` is null for a transition."""

    proposal_id: str
    current_state: ProposalState
    latest_workflow_event: ProposalEventBody
    approval: ProposalApprovalBody | None


class ProposalEventsBody(Answer):
    """The events of a proposal, oldest first."""

    proposal_id: str
    current_state: ProposalState
    events: list[ProposalEventBody]


class ProposalApprovalsBody(Answer):
    """The approvals of a proposal, oldest first, void ones among them."""

    proposal_id: str
    approvals: list[ProposalApprovalBody]


class ProposalKeyBody(Answer):
    """The proposal that was created with a key."""

    idempotency_key: str
    request_hash: str
    proposal_id: str
    proposal_version_no: int
    created_at: Stamp


class ProposalConfigBody(Answer):
    """What is switched on, and whether the store answers; ``backend_init_error`` says with which code it does not."""

    store_backend: str
    backend_ready: bool
    backend_init_error: Literal["DPM_STORE_UNAVAILABLE"] | None
    lifecycle_enabled: bool
    support_apis_enabled: bool
    async_operations_enabled: bool
    store_evidence_bundle: bool
    require_expected_state: bool
    allow_portfolio_id_change_on_new_version: bool
    require_proposal_simulation_flag: bool
