"""Every state, with every event, approval and version: what happens is what the table says, and nothing else (proposals-api §3.1)."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product

import pytest
from sqlalchemy import select

from lotus_web.domain.access import Permission
from lotus_web.domain.errors import LotusError
from lotus_web.domain.proposals.states import OPEN, TERMINAL, ApprovalType, ProposalEvent, ProposalState
from lotus_web.models import Proposal, ProposalApproval, ProposalEventRow
from lotus_web.store.session import db
from tests.support.proposals import LENIENT, RISK, approved, led_to, posted, proposed, versioned

S, E, A = ProposalState, ProposalEvent, ApprovalType
# Somebody who may do everything and made none of the versions.
REVIEWING_ADVISER = replace(RISK, permissions=RISK.permissions | {Permission.PROPOSALS_WRITE})
# The table of the contract, written down by hand: what may be posted where, and what approvals do.
POSTED = {
    (S.DRAFT, E.SUBMITTED_FOR_RISK_REVIEW): S.RISK_REVIEW,
    (S.DRAFT, E.SUBMITTED_FOR_COMPLIANCE_REVIEW): S.COMPLIANCE_REVIEW,
    (S.RISK_REVIEW, E.REJECTED): S.REJECTED,
    (S.COMPLIANCE_REVIEW, E.REJECTED): S.REJECTED,
    (S.AWAITING_CLIENT_CONSENT, E.REJECTED): S.REJECTED,
    (S.EXECUTION_READY, E.EXECUTED): S.EXECUTED,
    (S.EXECUTION_READY, E.EXPIRED): S.EXPIRED,
    (S.DRAFT, E.CANCELLED): S.CANCELLED,
    (S.RISK_REVIEW, E.CANCELLED): S.CANCELLED,
    (S.COMPLIANCE_REVIEW, E.CANCELLED): S.CANCELLED,
    (S.AWAITING_CLIENT_CONSENT, E.CANCELLED): S.CANCELLED,
    (S.EXECUTION_READY, E.CANCELLED): S.CANCELLED,
}
BY_APPROVAL = {
    (S.RISK_REVIEW, E.RISK_APPROVED),
    (S.COMPLIANCE_REVIEW, E.COMPLIANCE_APPROVED),
    (S.AWAITING_CLIENT_CONSENT, E.CLIENT_CONSENT_RECORDED),
}
APPROVED = {
    (S.RISK_REVIEW, A.RISK): (E.RISK_APPROVED, S.AWAITING_CLIENT_CONSENT),
    (S.COMPLIANCE_REVIEW, A.COMPLIANCE): (E.COMPLIANCE_APPROVED, S.AWAITING_CLIENT_CONSENT),
    (S.AWAITING_CLIENT_CONSENT, A.CLIENT_CONSENT): (E.CLIENT_CONSENT_RECORDED, S.EXECUTION_READY),
}


ACTIONS: tuple[tuple[ProposalEvent | ApprovalType, bool], ...] = (
    *((kind, True) for kind in E),
    *((kind, given) for kind in A for given in (True, False)),
)


def wanted(
    state: ProposalState, kind: ProposalEvent | ApprovalType, given: bool, *, stale: bool
) -> tuple[str, ProposalState]:
    """Return the code of the refusal, or the event that follows, and the state after."""
    if stale:
        return "VERSION_CONFLICT", state
    if isinstance(kind, ApprovalType):
        event, after = APPROVED.get((state, kind), ("INVALID_APPROVAL_STATE", state))
        return (event, after) if given or after is state else (E.REJECTED, S.REJECTED)
    if (state, kind) in BY_APPROVAL:
        return "APPROVAL_REQUIRED", state
    return (kind, POSTED[state, kind]) if (state, kind) in POSTED else ("INVALID_TRANSITION", state)


def tried(proposal_id: str, kind: ProposalEvent | ApprovalType, given: bool, version_no: int) -> str:
    try:
        if isinstance(kind, ApprovalType):
            done = approved(proposal_id, kind, REVIEWING_ADVISER, given=given, version_no=version_no)
        else:
            done = posted(proposal_id, kind, REVIEWING_ADVISER, version_no=version_no)
    except LotusError as refused:
        return refused.code
    found = db.session.scalars(select(ProposalEventRow).where(ProposalEventRow.event_id == done.event_id)).one()
    assert found.related_version_no == version_no
    return found.event_type


def made(state: ProposalState, version_no: int) -> str:
    proposal_id = proposed().proposal_id
    for _ in range(version_no - 1):
        versioned(proposal_id)
    return led_to(proposal_id, state)


def stood(proposal_id: str) -> tuple[str, int]:
    db.session.rollback()
    row = db.session.scalars(select(Proposal).where(Proposal.proposal_id == proposal_id)).one()
    return row.current_state, row.current_version_no


@pytest.mark.usefixtures("session")
def test_every_state_with_every_event_and_approval_on_the_current_and_on_another_version() -> None:
    version_no = 2
    for state, (kind, given), stale in product(S, ACTIONS, (True, False)):
        if (kind, given, stale) == (*ACTIONS[0], True):
            proposal_id = made(state, version_no)
        outcome, after = wanted(state, kind, given, stale=stale)
        told = tried(proposal_id, kind, given, 3 - version_no if stale else version_no)
        assert (told, stood(proposal_id)) == (outcome, (after, version_no)), (state, kind, given, stale)
        if after is not state:
            assert state in OPEN
            proposal_id = made(state, version_no)


@pytest.mark.usefixtures("session")
def test_a_new_version_in_every_state() -> None:
    """Delta 30: back to DRAFT from wherever it was, nowhere from a state in which a proposal ends."""
    for state in S:
        proposal_id = made(state, 1)
        if state in TERMINAL:
            with pytest.raises(LotusError) as refused:
                versioned(proposal_id)
            assert refused.value.code == "PROPOSAL_TERMINAL_STATE: cannot create version"
            assert stood(proposal_id) == (state, 1)
            continue
        versioned(proposal_id)
        assert stood(proposal_id) == (S.DRAFT, 2)
        last = _events(proposal_id)[-1]
        assert (last.event_type, last.from_state, last.to_state) == ("NEW_VERSION_CREATED", state, "DRAFT")


@pytest.mark.usefixtures("session")
def test_the_reference_keeps_the_state_of_a_proposal_with_a_new_version() -> None:
    keeping = replace(LENIENT, keep_state=True)
    for state in OPEN:
        proposal_id = made(state, 1)
        versioned(proposal_id, rules=keeping)
        assert stood(proposal_id) == (state, 2)


@pytest.mark.stores("sqlite")
@pytest.mark.usefixtures("session")
def test_nothing_is_executed_without_its_approvals_on_its_own_version() -> None:
    """Walk at random: whatever happened before, an executed proposal has a review and the consent of its last version."""
    draw, executed = random.Random(7), 0
    for _ in range(12):
        proposal_id, version_no, state = proposed().proposal_id, 1, S.DRAFT
        for _ in range(30):
            likely = [
                one for one in ACTIONS if one[0] is not E.CANCELLED and wanted(state, *one, stale=False)[1] != state
            ]
            if draw.random() < 0.15:
                versioned(proposal_id)
                version_no += 1
            elif draw.random() < 0.3:
                tried(proposal_id, *draw.choice(ACTIONS), version_no)
            else:
                tried(proposal_id, *draw.choice([one for one in likely if one[1]]), version_no)
            state = ProposalState(stood(proposal_id)[0])
            if state in TERMINAL:
                break
        if state is S.EXECUTED:
            executed += 1
            given = _approvals(proposal_id, version_no)
            assert given in ({"RISK", "CLIENT_CONSENT"}, {"COMPLIANCE", "CLIENT_CONSENT"})
    assert executed >= 2


def _events(proposal_id: str) -> list[ProposalEventRow]:
    db.session.rollback()
    query = select(ProposalEventRow).where(ProposalEventRow.proposal_id == proposal_id)
    return list(db.session.scalars(query.order_by(ProposalEventRow.event_seq)))


def _approvals(proposal_id: str, version_no: int) -> set[str]:
    query = select(ProposalApproval).where(
        ProposalApproval.proposal_id == proposal_id, ProposalApproval.related_version_no == version_no
    )
    return {row.approval_type for row in db.session.scalars(query) if row.approved}
