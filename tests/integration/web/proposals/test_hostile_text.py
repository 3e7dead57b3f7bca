"""Whatever a proposal holds, its pages show it as text, and its file holds no formula."""

from __future__ import annotations

import csv

import pytest
from flask import Flask

from lotus_web.domain.proposals.states import ApprovalType, ProposalEvent
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_hostile_text import CORPUS, assert_harmless
from tests.integration.web.proposals.test_form import NEW, flow, hidden, send, trade
from tests.integration.web.shell.test_hostile_text import FORMULAS
from tests.support import proposals
from tests.support.people import post

pytestmark = pytest.mark.stores("sqlite")


@pytest.mark.parametrize("text", CORPUS)
def test_no_page_runs_what_a_proposal_holds(app: Flask, client_of: ClientOf, text: str) -> None:
    with app.app_context():
        proposal_id = proposals.proposed(**proposals.called(text)).proposal_id
        proposals.versioned(proposal_id, simulate_request=proposals.called(text)["simulate_request"])
        proposals.posted(proposal_id, ProposalEvent.SUBMITTED_FOR_RISK_REVIEW, reason={"comment": text})
        proposals.approved(proposal_id, ApprovalType.RISK, reason={"comment": text})
    leo, path = client_of("leo"), f"/proposals/{proposal_id}"
    for where in ("", "/diff", "/versions/1", "/versions/new", "/versions/new/json"):
        assert_harmless(leo.get(path + where).text)
    for where in ("/proposals", NEW, "/proposals/new/json"):
        assert_harmless(leo.get(where).text)
    assert_harmless(leo.get("/proposals", query_string={"portfolio_id": text, "created_by": text}).text)
    page = leo.get(NEW, query_string={"portfolio_id": text})
    assert page.status_code == 200
    assert_harmless(page.text)
    fields = [*hidden(page), *trade(text, text, text, text), *flow(text, text, text), ("title", text)]
    for command in ("create", "simulate", "add_trade", text):
        assert_harmless(send(leo, fields, command).text)
    assert_harmless(send(leo, [("key", text), ("basis", text), *fields[3:]], "create").text)
    assert_harmless(post(leo, "/proposals/new/json", {"document": text, "key": text, "do": "create"}).text)
    assert_harmless(
        post(leo, f"{path}/steps", dict.fromkeys(("step", "state", "version", "key", "comment"), text)).text
    )


@pytest.mark.parametrize("text", FORMULAS)
def test_the_file_holds_no_formula(app: Flask, client_of: ClientOf, text: str) -> None:
    with app.app_context():
        proposals.proposed(**proposals.called(text.strip()))
    file = client_of("vera").get("/proposals.csv").text
    (row,) = csv.DictReader(file.removeprefix("\ufeff").splitlines())
    assert row["title"] == f"'{text.strip()}"
