"""The demo's proposals: every state, one blocked, one with three versions, a refused approval; the same each time."""

from __future__ import annotations

from collections import Counter

import pytest
from flask import Flask
from sqlalchemy import select

from lotus_web.config import current
from lotus_web.demo.load import load_through_services
from lotus_web.demo.portfolios import demo_runs
from lotus_web.demo.proposals import PROPOSALS, load_proposals, load_running_operations
from lotus_web.demo.timeline import moments
from lotus_web.domain.operations import OperationFamily
from lotus_web.domain.proposals.states import ProposalState
from lotus_web.models import Proposal, ProposalApproval
from lotus_web.queries.audit.chain import verify_chain
from lotus_web.queries.operations.lookup import OperationFilter, operation_page
from lotus_web.queries.proposals.page import ProposalFilter, proposal_page
from lotus_web.queries.proposals.view import proposal_view
from lotus_web.services.operations.leases import LeaseTerms
from lotus_web.store.new_ids import repeatable_ids
from lotus_web.store.session import db, transaction
from tests.integration.cli.test_demo_load import hired  # noqa: F401

RUNS = 60
NOW = current.utcnow()


def load(app: Flask) -> int:
    runs = list(demo_runs(seed=1, count=RUNS))
    with repeatable_ids(1):
        with transaction() as session:
            story = moments(runs, now=NOW, reviewed=False)
            load_through_services(session, story, policy=current.policy(), progress=lambda _count: None)
        submitted = {"terms": LeaseTerms(), "policy": current.policy(), "now": NOW}
        assert load_running_operations(runs, **submitted) == 2
        return load_proposals(runs, policy=current.policy(), now=NOW)


@pytest.mark.usefixtures("hired")
def test_the_proposals_are_in_every_state_and_verified(app: Flask) -> None:
    with app.app_context():
        assert load(app) == len(PROPOSALS) == 12
        session = db.session()
        listed = proposal_page(session, "default", ProposalFilter(), limit=50, cursor=None).items
        assert {row.current_state for row in listed} == {state.value for state in ProposalState}
        views = [proposal_view(session, "default", row.proposal_id) for row in listed]
        assert all(view.current.verified for view in views)
        assert all(view.proposal.last_event_at <= NOW for view in views)
        versions = Counter(len(view.versions) for view in views)
        assert versions == {1: 11, 3: 1}
        gates = {view.current.row.gate for view in views}
        assert {"BLOCKED", "RISK_REVIEW_REQUIRED", "COMPLIANCE_REVIEW_REQUIRED", "CLIENT_CONSENT_REQUIRED"} == gates
        refused = select(ProposalApproval.approval_type).where(~ProposalApproval.approved)
        assert set(session.scalars(refused)) == {"RISK", "CLIENT_CONSENT"}
        assert any(approval.voided_at for view in views for approval in view.approvals)
        assert verify_chain(session, "default").intact
        page = operation_page(
            session, "default", OperationFilter(status="RUNNING"), limit=9, cursor=None, families=tuple(OperationFamily)
        )
        assert [row.operation_type for row in page.items] == ["CREATE_PROPOSAL", "CREATE_PROPOSAL"]


@pytest.mark.stores("sqlite")
def test_where_no_run_is_ready_there_are_none(app: Flask) -> None:
    with app.app_context():
        assert load_proposals([], policy=current.policy(), now=NOW) == 0
        assert db.session.scalar(select(Proposal.proposal_id)) is None
