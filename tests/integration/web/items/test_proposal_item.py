"""The item of a proposal on every page that shows items: its own, the inbox, the board, the search, the trace, the files."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from urllib.parse import quote, unquote

import pytest
from flask import Flask
from sqlalchemy import select, text

from lotus_web.domain.access import Permission, Role, permissions_of
from lotus_web.domain.proposals.reviews import review_item_id
from lotus_web.domain.proposals.states import ApprovalType, ProposalEvent, ProposalState
from lotus_web.models import Proposal, ProposalApproval
from lotus_web.store.session import db
from lotus_web.wire.audit import export_faults
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_items import send, url_of
from tests.support.histories import assert_provable, contents, person, unguarded
from tests.support.people import bearer_of, csrf_token
from tests.support.proposals import approved, posted, proposed, versioned

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")
E, S = ProposalEvent, ProposalState
MAX = replace(person("max", Role.MANAGER), permissions=permissions_of([Role.MANAGER]) | {Permission.PROPOSALS_WRITE})
REASON = {"reason_code": "WITHIN_MANDATE", "text": "It fits the mandate."}


@pytest.fixture
def proposal_id(app: Flask) -> Iterator[str]:
    """A proposal whose first version waits for the review of its risk."""
    with app.app_context():
        found = proposed().proposal_id
        posted(found, E.SUBMITTED_FOR_RISK_REVIEW)
        db.session.rollback()
        yield found


def item_url(proposal_id: str) -> str:
    return url_of(review_item_id(proposal_id))


def words(page: str) -> str:
    """Return the text of a page without its tags."""
    return " ".join(
        unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style|svg).*?</\1>", " ", page, flags=re.S))).split()
    )


def state(proposal_id: str) -> str:
    db.session.rollback()
    return str(db.session.scalar(select(Proposal.current_state).where(Proposal.proposal_id == proposal_id)))


def test_the_page_says_what_there_is_to_decide_and_on_what_it_rests(client_of: ClientOf, proposal_id: str) -> None:
    before = contents()
    page = client_of("nora").get(item_url(proposal_id))
    assert page.status_code == 200
    said = words(page.text)
    for expected in (
        "Version 1 was submitted for risk review.",
        "Risk review",
        "Needs risk review",
        "Adviser leo.marti",
        "Suitability: 1 new, 4 persistent, 0 resolved",
        "Trades",
        "Cash flows",
        "Allocation before and after",
        "Record of version 1",
        "Verified",
        "Approve for client consent",
        "Reject this proposal",
    ):
        assert expected in said, expected
    assert "Withdraw" not in said, "nobody withdraws a review by hand"
    assert "Override" not in re.sub(r"Not possible now.*", "", said), "nor is its gate overridden"
    assert contents() == before, "a read writes nothing"


def test_it_is_approved_with_the_form_and_leads_on(client_of: ClientOf, proposal_id: str) -> None:
    nora = client_of("nora")
    assert send(nora, review_item_id(proposal_id), "claim").status_code in (200, 303)
    done = send(nora, review_item_id(proposal_id), "approve", **REASON)
    assert done.status_code == 303
    assert state(proposal_id) == S.AWAITING_CLIENT_CONSENT
    (given,) = db.session.scalars(select(ProposalApproval))
    assert (given.actor_id, given.details) == ("nora", {"comment": REASON["text"], "reason_code": "WITHIN_MANDATE"})
    page = words(nora.get(item_url(proposal_id)).text)
    assert "Approved by you" in page
    assert "Awaiting client consent" in page
    assert_provable()


def test_a_page_of_before_a_new_version_decides_nothing_and_keeps_what_was_typed(
    client_of: ClientOf, proposal_id: str
) -> None:
    nora = client_of("nora")
    page = nora.get(item_url(proposal_id))
    fields = {
        name: re.search(f'name="{name}" value="([^"]*)"', page.text) for name in ("version", "digest", "csrf_token")
    }
    seen = {name: found[1] for name, found in fields.items() if found}
    versioned(proposal_id)
    posted(proposal_id, E.SUBMITTED_FOR_RISK_REVIEW)
    late = nora.post(item_url(proposal_id), data={**seen, "action": "approve", **REASON})
    assert late.status_code == 409
    assert "It fits the mandate." in late.text
    assert state(proposal_id) == S.RISK_REVIEW
    assert "Version 2 was submitted for risk review." in words(late.text)
    assert "Version 1 was under review before this one." in words(late.text)
    compare = re.search(r'href="([^"]+)">Compare with version 1<', late.text)
    assert compare is not None
    assert nora.get(unescape(compare[1])).status_code == 200


def test_the_item_and_the_page_of_the_proposal_lead_to_each_other(client_of: ClientOf, proposal_id: str) -> None:
    nora = client_of("nora")
    to_proposal = re.search(r'href="([^"]+)">Open the proposal<', nora.get(item_url(proposal_id)).text)
    assert to_proposal is not None
    page = nora.get(unescape(to_proposal[1]))
    assert page.status_code == 200
    to_item = re.search(r'href="([^"]+)">open its item in the inbox<', page.text)
    assert to_item is not None
    assert "Approve for client consent" in nora.get(unescape(to_item[1])).text
    approved(proposal_id, ApprovalType.RISK)
    assert "open its item in the inbox" not in nora.get(unescape(to_proposal[1])).text


@pytest.mark.environ(DPM_WORKFLOW_ENABLED="true", PROPOSAL_WORKFLOW_LIFECYCLE_ENABLED="false")
def test_with_proposals_off_the_item_links_to_none_and_is_not_decided(
    app: Flask, client_of: ClientOf, proposal_id: str
) -> None:
    nora, workflow_id = client_of("nora"), review_item_id(proposal_id)
    closed = "Proposals with versions are switched off by the operator of this service."
    page = nora.get(item_url(proposal_id))
    assert page.status_code == 200
    assert "/proposals/" not in page.text
    assert words(page.text).count(closed) == 2, "approving and rejecting"
    headers = {"Authorization": f"Bearer {bearer_of(app, 'a-bot', (Permission.RUNS_READ, Permission.WORKFLOW_REVIEW))}"}
    path = f"/api/v1/workflows/{quote(workflow_id, safe='')}"
    offered = app.test_client().get(path, headers=headers).json["data"]["review_context"]["actions"]
    assert {one["action"] for one in offered if one.get("why_not") == closed} == {"approve", "reject"}
    for action in ("approve", "reject"):
        late = send(nora, workflow_id, action, text="Seen.", reason_code="OTHER")
        assert (late.status_code, closed in words(late.text)) == (409, True)
        answer = app.test_client().post(f"{path}/actions", json={"action": action, "reason": "No."}, headers=headers)
        error = answer.json["error"]
        assert (answer.status_code, error["code"], error["message"]) == (409, "invalid_transition", closed)
    assert state(proposal_id) == S.RISK_REVIEW
    assert send(nora, workflow_id, "claim").status_code == 303
    assert send(nora, workflow_id, "comment", text="Later.").status_code == 303
    app.extensions["lotus_settings"].environ["PROPOSAL_WORKFLOW_LIFECYCLE_ENABLED"] = "true"
    assert send(nora, workflow_id, "approve", **REASON).status_code == 303
    assert state(proposal_id) == S.AWAITING_CLIENT_CONSENT


def test_a_withdrawn_review_says_why_and_takes_comments_alone(client_of: ClientOf, proposal_id: str) -> None:
    versioned(proposal_id)
    nora = client_of("nora")
    said = words(nora.get(item_url(proposal_id)).text)
    assert "Withdrawn by" in said
    assert "Version 2 replaced the version under review." in said
    assert "withdrew this review" in said, "the timeline"
    assert "version 2 is the current one" in said, "the evidence is that of the version that was under review"
    assert "This item was withdrawn: approve is not possible now." in said
    assert send(nora, review_item_id(proposal_id), "comment", text="Noted.").status_code == 303
    assert send(nora, review_item_id(proposal_id), "withdraw").status_code == 422
    closed = nora.get("/inbox?tab=closed&status=withdrawn")
    assert "Withdrawn" in closed.text
    assert item_url(proposal_id) in closed.text or review_item_id(proposal_id) in unescape(closed.text)


def test_whoever_made_the_version_reads_why_they_cannot_approve_it(app: Flask, client_of: ClientOf) -> None:
    max_ = client_of("max")
    with app.app_context():
        own = proposed(MAX).proposal_id
        posted(own, E.SUBMITTED_FOR_RISK_REVIEW, MAX)
        db.session.rollback()
    said = words(max_.get(item_url(own)).text)
    assert "made version 1: someone else must approve it." in said
    refused = send(max_, review_item_id(own), "approve", **REASON)
    assert refused.status_code == 403
    assert "made version 1: someone else must approve it." in words(refused.text)
    assert "max made version 1: someone else must approve it." in words(max_.get(f"/proposals/{own}").text)
    taken = max_.post("/inbox/next", data={"csrf_token": csrf_token(max_)})
    assert review_item_id(own) not in unquote(taken.headers.get("Location", "")), "nor is it given to them"


def test_lists_files_and_search_know_it(client_of: ClientOf, proposal_id: str) -> None:
    nora, max_ = client_of("nora"), client_of("max")
    workflow_id = review_item_id(proposal_id)
    for path in ("/inbox?tab=open", "/inbox?tab=roles", f"/search?q={quote(workflow_id, safe='')}", "/sla"):
        page = nora.get(path, follow_redirects=True)
        assert page.status_code == 200, path
    row = nora.get("/inbox?tab=open").text
    assert item_url(proposal_id) in row or workflow_id in unescape(row)
    found = nora.get(f"/search?q={proposal_id}", follow_redirects=True).text
    assert item_url(proposal_id) in found or workflow_id in unescape(found), "its page leads to the item"
    trace = words(nora.get(f"/traces/{proposal_id}").text)
    assert "requested a review" in trace
    send(nora, workflow_id, "claim")
    listed = list(csv.DictReader(io.StringIO(max_.get("/audit.csv").text.lstrip("\ufeff"))))
    assert [one for one in listed if workflow_id in one.values() and "claim" in one.values()]
    exported = max_.get(f"{item_url(proposal_id)}/export.json")
    assert export_faults(json.loads(exported.text)) == ()
    approved(proposal_id, ApprovalType.RISK)
    assert export_faults(json.loads(max_.get(f"{item_url(proposal_id)}/export.json").text)) == ()


def test_a_saved_view_of_withdrawn_reviews_shows_them(client_of: ClientOf, proposal_id: str) -> None:
    versioned(proposal_id)
    nora = client_of("nora")
    kept = nora.post(
        "/inbox/views",
        data={"csrf_token": csrf_token(nora), "name": "Withdrawn", "query": "tab=closed&status=withdrawn"},
    )
    assert kept.status_code == 303
    assert review_item_id(proposal_id) in unquote(unescape(nora.get("/inbox?tab=closed&status=withdrawn").text))
    assert "Withdrawn" in nora.get("/inbox").text


def test_a_proposal_that_was_deleted_leaves_its_item_readable(client_of: ClientOf, proposal_id: str) -> None:
    for table in ("proposal_documents", "proposal_versions"):
        with unguarded(table) as session:
            session.execute(text(f"DELETE FROM {table}"))
    db.session.rollback()
    page = client_of("nora").get(item_url(proposal_id))
    assert page.status_code == 200
    assert "The proposal itself was deleted." in page.text


def test_a_result_that_was_changed_does_not_pass_as_verified(client_of: ClientOf, proposal_id: str) -> None:
    with unguarded("proposal_versions") as session:
        session.execute(text("UPDATE proposal_versions SET artifact_hash = 'sha256:other'"))
    db.session.rollback()
    said = words(client_of("nora").get(item_url(proposal_id)).text)
    assert "What is stored is not what was recorded." in said
    assert "Does not match" in said
    assert "Contact support before you decide." in said


def test_json_names_the_proposal_and_offers_no_withdrawal(app: Flask, proposal_id: str) -> None:
    bearer = bearer_of(app, "a-reader", (Permission.RUNS_READ, Permission.WORKFLOW_REVIEW))
    headers = {"Authorization": f"Bearer {bearer}"}
    path = f"/api/v1/workflows/{quote(review_item_id(proposal_id), safe='')}"
    found = app.test_client().get(path, headers=headers).json["data"]
    assert found["workflow"]["subject"] == {"subject_type": "proposal", "subject_id": proposal_id}
    assert (found["workflow"]["workflow_kind"], found["review_context"]["run_status"]) == (
        "proposal_review",
        "RISK_REVIEW",
    )
    assert found["review_context"]["rules"], "what the rules said of this version"
    assert "withdraw" not in json.dumps(found["review_context"])
    refused = app.test_client().post(f"{path}/actions", json={"action": "withdraw", "reason": "no"}, headers=headers)
    assert (refused.status_code, refused.json["error"]["code"]) == (400, "invalid_argument")
    done = app.test_client().post(f"{path}/actions", json={"action": "approve", "reason": "Fits."}, headers=headers)
    assert (done.status_code, done.json["data"]["workflow"]["status"]) == (200, "approved")
    late = app.test_client().post(f"{path}/actions", json={"action": "reject", "reason": "No."}, headers=headers)
    assert (late.status_code, late.json["error"]["code"]) == (409, "invalid_transition")
