"""The search box leads from any id of a proposal to it, and lists those of a portfolio."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from lotus_web.domain.proposals.states import ProposalState
from lotus_web.models import ProposalApproval, ProposalEventRow, ProposalVersion
from lotus_web.store.session import db
from lotus_web.web.format.record_links import proposal_url
from tests.integration.conftest import ClientOf
from tests.support.proposals import led_to, proposed


def test_each_of_its_ids_leads_to_the_proposal(app: Flask, client_of: ClientOf) -> None:
    with app.app_context():
        proposal_id = led_to(proposed(key="its-key").proposal_id, ProposalState.EXECUTION_READY)
        version = db.session.scalars(select(ProposalVersion)).one()
        ids = [
            proposal_id,
            version.proposal_version_id,
            version.correlation_id,
            version.request_hash,
            version.artifact_hash,
            "its-key",
            *db.session.scalars(select(ProposalApproval.approval_id)),
            *db.session.scalars(select(ProposalEventRow.event_id)),
        ]
    with app.test_request_context():
        address = proposal_url(proposal_id)
    nora = client_of("nora")
    for one in ids:
        answer = nora.get("/search", query_string={"q": one})
        assert (answer.status_code, answer.headers.get("Location")) == (303, address), one
    assert nora.get(address).status_code == 200


def test_the_proposals_of_a_portfolio_are_listed(app: Flask, client_of: ClientOf) -> None:
    with app.app_context():
        ids = [proposed(key="a").proposal_id, proposed(key="b").proposal_id]
        portfolio_id = db.session.scalars(select(ProposalVersion.portfolio_id)).first()
    page = client_of("nora").get("/search", query_string={"q": portfolio_id}).text
    assert all(one in page for one in ids)
    assert "proposal by its portfolio" in page
