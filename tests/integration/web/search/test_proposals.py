"""The search box leads from any id of a proposal to it, and lists those of a portfolio."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from lotus_web.domain.proposals.states import ProposalState
from lotus_web.models import ProposalApproval, ProposalEventRow, ProposalVersion
from lotus_web.services.operations.leases import LeaseTerms
from lotus_web.services.proposals.operation import submit_create
from lotus_web.store.session import db
from lotus_web.wire.proposals.lifecycle import CreateProposalBody
from tests.integration.conftest import ClientOf
from tests.integration.web.lineage.test_lineage import drawn
from tests.support.proposals import context_of, create_json, led_to, proposed


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
    nora = client_of("nora")
    for page in ("proposals", "traces"):
        address = f"/{page}/{proposal_id}"
        for one in ids:
            answer = nora.get("/search", query_string={"q": one})
            assert (answer.status_code, answer.headers.get("Location")) == (303, address), one
        assert nora.get(address).status_code == 200
        app.extensions["lotus_settings"].environ["PROPOSAL_WORKFLOW_LIFECYCLE_ENABLED"] = "false"


def test_the_proposals_of_a_portfolio_are_listed(app: Flask, client_of: ClientOf) -> None:
    with app.app_context():
        ids = [proposed(key="a").proposal_id, proposed(key="b").proposal_id]
        portfolio_id = db.session.scalars(select(ProposalVersion.portfolio_id)).first()
    page = client_of("nora").get("/search", query_string={"q": portfolio_id}).text
    assert all(one in page for one in ids)
    assert "proposal by its portfolio" in page


def submitted(app: Flask, *, key: str) -> tuple[str, str]:
    """Carry a create out as an operation and return its id and its correlation id."""
    with app.app_context():
        body, context = CreateProposalBody.model_validate(create_json()), context_of()
        accepted = submit_create(
            body,
            idempotency_key=key,
            callback_url=None,
            context=context,
            terms=LeaseTerms(),
            inline=True,
            clock=lambda: datetime.now(UTC),
        )
        return accepted.operation_id, accepted.correlation_id


@pytest.mark.environ(DPM_LINEAGE_APIS_ENABLED="true")
def test_an_operation_is_found_by_its_ids_and_drawn_with_what_it_made(app: Flask, client_of: ClientOf) -> None:
    operation_id, correlation_id = submitted(app, key="its-key")
    with app.app_context():
        version = db.session.scalars(select(ProposalVersion)).one()
        version_id, proposal_id = version.proposal_version_id, version.proposal_id
    nora = client_of("nora")
    found = nora.get("/search", query_string={"q": operation_id})
    assert (found.status_code, found.headers.get("Location")) == (303, f"/operations/{operation_id}")
    assert nora.get(found.headers["Location"]).status_code == 200
    both = nora.get("/search", query_string={"q": correlation_id}).text
    assert f"/operations/{operation_id}" in both
    assert f"/proposals/{proposal_id}" in both
    assert "New proposal" in both
    for start, depth, boxes in (
        (operation_id, 1, {operation_id, correlation_id, version_id}),
        (proposal_id, 1, {proposal_id, correlation_id, version_id, "its-key"}),
        (version_id, 2, {proposal_id, correlation_id, version_id, "its-key", operation_id}),
    ):
        page = nora.get(f"/lineage/{start}", query_string={"depth": depth})
        assert (page.status_code, set(drawn(page.text))) == (200, boxes), start
    assert "Caused by" in page.text
    assert nora.get(f"/lineage/{version.artifact_hash}").location == f"/lineage/{proposal_id}"
    assert f'href="/lineage/{proposal_id}"' in nora.get(f"/proposals/{proposal_id}").text


@pytest.mark.environ(PROPOSAL_ASYNC_OPERATIONS_ENABLED="false")
@pytest.mark.stores("sqlite")
def test_an_operation_without_a_page_is_not_found(app: Flask, client_of: ClientOf) -> None:
    operation_id, _ = submitted(app, key="its-key")
    page = client_of("nora").get("/search", query_string={"q": operation_id})
    assert (page.status_code, f"/operations/{operation_id}" in page.text) == (200, False)
