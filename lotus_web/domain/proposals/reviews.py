"""The review of a proposal by risk or compliance as an item of the inbox: its id and the event that asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lotus_web.domain.items.subjects import SUBJECTS, SubjectType, item_id
from lotus_web.domain.items.values import Priority, WorkflowKind
from lotus_web.domain.proposals.states import ProposalState

# The policy that a version is checked against, and its version; the template of its review.
POLICY_ID, POLICY_VERSION = "advisory_rules", "1"
TEMPLATE_ID = WorkflowKind.PROPOSAL_REVIEW.value
_REASONS = {
    ProposalState.RISK_REVIEW: "Submitted for the review of its risk.",
    ProposalState.COMPLIANCE_REVIEW: "Submitted for the review of its compliance.",
}


@dataclass(frozen=True, slots=True)
class ReviewedVersion:
    """The version of a proposal that someone is asked to review; ``findings`` are the ids of failing rules and new findings.

    ``made_by`` is who made this version: four eyes holds them back and nobody else (delta 37).
    """

    proposal_id: str
    version_no: int
    portfolio_id: str
    title: str | None
    artifact_hash: str
    made_by: str
    state: ProposalState
    findings: Sequence[str] = ()


def review_item_id(proposal_id: str) -> str:
    """Return the id of the item about a proposal, whose trace is named as it is; a proposal has one for all its reviews."""
    return item_id(proposal_id, SubjectType.PROPOSAL, proposal_id)


def review_requested(version: ReviewedVersion, *, priority: Priority = Priority.NORMAL) -> dict[str, Any]:
    """Return the payload of the WorkflowReviewRequested of a submission; where it goes and until when are the deployment's defaults."""
    return {
        "template_id": TEMPLATE_ID,
        "subject": {"subject_type": SUBJECTS[SubjectType.PROPOSAL].stored, "subject_id": version.proposal_id},
        "assignee": {},
        "priority": priority.word,
        "sla_hours": None,
        "reason": _REASONS[version.state],
        "title": version.title or f"Proposal for {version.portfolio_id}",
        "workflow_kind": WorkflowKind.PROPOSAL_REVIEW.value,
        "policy": {"policy_id": POLICY_ID, "policy_version": POLICY_VERSION},
        "portfolio_id": version.portfolio_id,
        "evidence": {
            "version_no": version.version_no,
            "artifact_hash": version.artifact_hash,
            "made_by": version.made_by,
            "review": version.state.value,
            "rule_ids": sorted(set(version.findings)),
        },
    }
