"""A proposal as the store has it now: looked at, or locked for the rest of the transaction."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from lotus_web.domain.accounts.acting import principals_of
from lotus_web.domain.proposals.refusals import ProposalNotFound
from lotus_web.domain.proposals.rules import Standing
from lotus_web.domain.proposals.states import ProposalState
from lotus_web.domain.rebalance.values.codes import Gate, RunStatus
from lotus_web.models import Proposal, ProposalVersion
from lotus_web.services.events.log import lock_tenant


@dataclass(frozen=True, slots=True)
class LoadedProposal:
    """A proposal's row with its current version's, and where the two say that it stands."""

    row: Proposal
    version: ProposalVersion

    @property
    def standing(self) -> Standing:
        """Where the proposal stands."""
        version = self.version
        return Standing(
            state=ProposalState(self.row.current_state),
            version_no=self.row.current_version_no,
            is_blocked=version.status_at_creation == RunStatus.BLOCKED or version.gate == Gate.BLOCKED,
            made_by=version.created_by,
            recorded_by=version.recorded_by,
            principals=principals_of(version.acted_by),
        )


def load_proposal(session: Session, tenant_id: str, proposal_id: str, *, lock: bool = False) -> LoadedProposal:
    """Return a proposal as it is now, in one statement; raises NotFound ``PROPOSAL_NOT_FOUND``."""
    current = and_(
        ProposalVersion.tenant_id == Proposal.tenant_id,
        ProposalVersion.proposal_id == Proposal.proposal_id,
        ProposalVersion.version_no == Proposal.current_version_no,
    )
    query = (
        select(Proposal, ProposalVersion)
        .join(ProposalVersion, current)
        .where(Proposal.tenant_id == tenant_id, Proposal.proposal_id == proposal_id)
    )
    if lock:
        query = query.with_for_update(of=Proposal)
    found = session.execute(query.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise ProposalNotFound
    return LoadedProposal(*found)


def lock_proposal(session: Session, tenant_id: str, proposal_id: str) -> LoadedProposal:
    """Lock the tenant, whose log every write extends, then the proposal; raises NotFound ``PROPOSAL_NOT_FOUND``."""
    lock_tenant(session, tenant_id)
    return load_proposal(session, tenant_id, proposal_id, lock=True)
