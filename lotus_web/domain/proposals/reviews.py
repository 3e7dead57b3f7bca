"""The review of a proposal by risk or compliance as an item of the inbox: its id, what asks for it and what ends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.subjects import SUBJECTS, SubjectType, item_id
from lotus_web.domain.items.values import Priority, WorkflowKind
from lotus_web.domain.proposals.states import IN_REVIEW, ProposalEvent, ProposalState

# What a version is checked against.
POLICY_ID = "advisory_rules"
_REVIEWS = {ProposalState.RISK_REVIEW: "risk review", ProposalState.COMPLIANCE_REVIEW: "compliance review"}


@dataclass(frozen=True, slots=True)
class ReviewedVersion:
    """The version of a proposal that someone is asked to review; ``findings`` are the ids of failing rules and new findings.

    ``made_by`` is who made this version: four eyes holds them back and nobody else (delta 37).
    """

    proposal_id: str
    version_no: int
    version_id: str
    portfolio_id: str
    title: str
    artifact_hash: str
    engine_version: str
    made_by: str
    state: ProposalState
    findings: Sequence[str] = ()
    priority: Priority = Priority.NORMAL


def review_item_id(proposal_id: str) -> str:
    """Return the id of the item about a proposal, whose trace is named as it is; a proposal has one for all its reviews."""
    return item_id(proposal_id, SubjectType.PROPOSAL, proposal_id)


def review_requested(version: ReviewedVersion) -> dict[str, Any]:
    """Return the payload of the WorkflowReviewRequested of a submission; who gets it and until when are the deployment's defaults."""
    return {
        "template_id": WorkflowKind.PROPOSAL_REVIEW.value,
        "subject": {"subject_type": SUBJECTS[SubjectType.PROPOSAL].stored, "subject_id": version.proposal_id},
        "assignee": {},
        "priority": version.priority.word,
        "sla_hours": None,
        "reason": f"Version {version.version_no} was submitted for {_REVIEWS[version.state]}.",
        "title": version.title,
        "workflow_kind": WorkflowKind.PROPOSAL_REVIEW.value,
        "policy": {"policy_id": POLICY_ID, "policy_version": version.engine_version},
        "portfolio_id": version.portfolio_id,
        "evidence": {
            "version_no": version.version_no,
            "version_id": version.version_id,
            "artifact_hash": version.artifact_hash,
            "made_by": version.made_by,
            "review": version.state.value,
            "rule_ids": sorted(set(version.findings)),
        },
    }


def reviewed_version(item: ItemState) -> int | None:
    """Return the number of the version that an item is about: under review now or, of a closed item, when it was closed."""
    number = item.metadata.get("evidence", {}).get("version_no")
    return number if isinstance(number, int) else None


@dataclass(frozen=True, slots=True)
class Needless:
    """What makes a review needless: the event, and the current version after it."""

    event: ProposalEvent
    version_no: int

    @property
    def words(self) -> str:
        """The sentence that is kept with the item."""
        if self.event is ProposalEvent.NEW_VERSION_CREATED:
            return f"Version {self.version_no} replaced the version under review."
        return "The proposal was cancelled."

    @property
    def details(self) -> Mapping[str, Any]:
        """The same for programs."""
        return {"event_type": self.event.value, "version_no": self.version_no}


def review_ends(before: ProposalState, after: ProposalState, event: ProposalEvent) -> bool:
    """Return whether an event takes a proposal out of a review that nobody decided."""
    return (
        before in IN_REVIEW
        and after not in IN_REVIEW
        and event in (ProposalEvent.NEW_VERSION_CREATED, ProposalEvent.CANCELLED)
    )
