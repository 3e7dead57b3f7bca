"""One proposal for its page: the version asked for with its evidence, whether its hash still holds, and what happened."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from lotus_web.domain.accounts.acting import principals_of
from lotus_web.domain.proposals.evidence import ProposalEvidence, proposal_evidence
from lotus_web.domain.proposals.rules import Standing
from lotus_web.domain.proposals.states import ProposalState
from lotus_web.domain.rebalance.values.codes import Gate, RunStatus
from lotus_web.queries.proposals.history import proposal_approvals, proposal_events
from lotus_web.queries.proposals.lookup import proposal_detail, proposal_version, proposal_versions
from lotus_web.queries.proposals.rows import ApprovalRow, EventRow, ProposalSummary, StoredVersion, VersionRow
from lotus_web.wire.proposals.artifact import artifact_hash


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version and what it rests on.

    ``verified`` tells whether the artifact as stored has the recorded hash; None where its evidence, which the hash
    covers, was not stored. ``inputs`` is then None too.
    """

    row: VersionRow
    evidence: ProposalEvidence
    artifact: Mapping[str, Any]
    inputs: Mapping[str, Any] | None
    verified: bool | None


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A proposal with its current version, and all versions, events and approvals, oldest first."""

    proposal: ProposalSummary
    advisor_notes: str | None
    legal_hold: bool
    current: VersionView
    versions: Sequence[VersionRow]
    events: Sequence[EventRow]
    approvals: Sequence[ApprovalRow]

    @property
    def standing(self) -> Standing:
        """What the rules ask of it."""
        row = self.current.row
        return Standing(
            state=ProposalState(self.proposal.current_state),
            version_no=row.version_no,
            is_blocked=row.status_at_creation == RunStatus.BLOCKED or row.gate == Gate.BLOCKED,
            made_by=row.created_by,
            recorded_by=row.recorded_by,
            principals=principals_of(row.acted_by),
        )


def proposal_view(session: Session, tenant_id: str, proposal_id: str) -> ProposalView:
    """Return a proposal for its page, verified now; raises NotFound ``PROPOSAL_NOT_FOUND``. Five queries."""
    found = proposal_detail(session, tenant_id, proposal_id)
    return ProposalView(
        proposal=found.proposal,
        advisor_notes=found.advisor_notes,
        legal_hold=found.legal_hold,
        current=version_view(found.current_version),
        versions=proposal_versions(session, tenant_id, proposal_id)[1],
        events=proposal_events(session, tenant_id, proposal_id),
        approvals=proposal_approvals(session, tenant_id, proposal_id),
    )


def view_of_version(session: Session, tenant_id: str, proposal_id: str, version_no: int) -> VersionView:
    """Return one version; raises NotFound ``PROPOSAL_VERSION_NOT_FOUND``. One query."""
    return version_view(proposal_version(session, tenant_id, proposal_id, version_no))


def version_view(stored: StoredVersion) -> VersionView:
    """Return a stored version with its evidence read and its hash recomputed."""
    artifact, bundle = json.loads(stored.artifact), json.loads(stored.evidence)
    return VersionView(
        row=stored.row,
        evidence=proposal_evidence(json.loads(stored.result)),
        artifact=artifact,
        inputs=bundle.get("inputs"),
        verified=artifact_hash(artifact) == stored.row.artifact_hash if bundle else None,
    )
