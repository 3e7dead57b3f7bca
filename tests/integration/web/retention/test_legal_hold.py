"""Legal holds from the page: set and lifted by administrators, with a reason, seen by everyone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from lotus_web.queries.retention import LegalHold, legal_hold, proposal_legal_hold
from lotus_web.store.session import db
from tests.integration.conftest import ClientOf
from tests.support import runs
from tests.support.people import post, shown
from tests.support.proposals import ADVISER, proposed

SQLITE = pytest.mark.stores("sqlite")
GATE_ON = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")


def hold_of(app: Flask, run_id: str) -> LegalHold:
    with app.app_context():
        found = legal_hold(db.session(), "default", run_id)
        db.session.remove()
    return found


@GATE_ON
def test_a_hold_is_set_shown_and_lifted(app: Flask, client_of: ClientOf) -> None:
    run_id, ada = runs.record(app), client_of("ada")
    url = f"/runs/{run_id}/legal-hold"
    assert "never been under legal hold" in ada.get(url).text
    done = post(ada, url, {"action": "set", "reason": "Matter 7,\nasked for by the court."})
    assert (done.status_code, done.location) == (303, url)
    page = ada.get(url).text
    assert "Under legal hold" in page
    assert "Matter 7,\nasked for by the court." in page
    vera = client_of("vera")
    for seen in (f"/runs/{run_id}", f"/inbox/{runs.item_of(run_id)}"):
        assert "Legal hold" in vera.get(seen).text
    assert post(ada, url, {"action": "lift", "reason": "The matter is closed."}).status_code == 303
    held = hold_of(app, run_id)
    assert not held.legal_hold
    assert [(entry.entry_type, entry.actor_id) for entry in held.history] == [
        ("HOLD_SET", "ada"),
        ("HOLD_LIFTED", "ada"),
    ]


@SQLITE
@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"action": "set", "reason": "   "}, "Enter a reason of 1 to 1000 characters."),
        ({"action": "set", "reason": "x" * 1001}, "Enter a reason of 1 to 1000 characters."),
        ({"action": "keep", "reason": "Because."}, "Choose whether to set or lift the hold."),
        ({"reason": "Because."}, "Choose whether to set or lift the hold."),
    ],
)
def test_what_is_wrong_comes_back_with_what_was_typed(
    app: Flask, client_of: ClientOf, typed: dict[str, str], told: str
) -> None:
    run_id = runs.record(app)
    answer = post(client_of("ada"), f"/runs/{run_id}/legal-hold", typed)
    assert answer.status_code == 422
    assert told in answer.text
    assert 'href="#reason"' in answer.text
    assert f">{typed['reason']}</textarea>" in answer.text
    assert not hold_of(app, run_id).legal_hold


def test_the_second_of_two_is_told_that_nothing_of_theirs_was_recorded(app: Flask, client_of: ClientOf) -> None:
    run_id, ada = runs.record(app), client_of("ada")
    url = f"/runs/{run_id}/legal-hold"
    post(ada, url, {"action": "set", "reason": "First."})
    again = post(ada, url, {"action": "set", "reason": "Second."})
    assert again.status_code == 409
    assert "The run is already under legal hold." in again.text
    assert "Second.</textarea>" in again.text
    assert len(hold_of(app, run_id).history) == 1


@pytest.mark.parametrize("name", ["vera", "nora", "max"])
@SQLITE
def test_who_may_not_sees_the_record_and_no_form(app: Flask, client_of: ClientOf, name: str) -> None:
    run_id, client = runs.record(app), client_of(name)
    url = f"/runs/{run_id}/legal-hold"
    page = client.get(url)
    assert page.status_code == 200
    assert "Administrators set and lift holds." in page.text
    assert "<textarea" not in page.text
    assert post(client, url, {"action": "set", "reason": "Because."}).status_code == 403
    assert not hold_of(app, run_id).legal_hold


def test_another_tenants_run_is_as_unknown_as_one_that_never_was(app: Flask, client_of: ClientOf) -> None:
    theirs, ada = runs.record(app, tenant="zurich"), client_of("ada")
    pages = [ada.get(f"/runs/{one}/legal-hold") for one in (theirs, "rr_none")]
    assert {page.status_code for page in pages} == {404}
    assert shown(pages[0]) == shown(pages[1])
    assert post(ada, f"/runs/{theirs}/legal-hold", {"action": "set", "reason": "Because."}).status_code == 404


@pytest.mark.environ(DPM_SUPPORT_APIS_ENABLED="false")
@SQLITE
def test_switched_off_there_is_no_page_for_holds(app: Flask, client_of: ClientOf) -> None:
    run_id, ada = runs.record(app), client_of("ada")
    answer = ada.get(f"/runs/{run_id}/legal-hold")
    assert answer.status_code == 404
    assert "Support pages are switched off by the operator" in answer.text
    assert post(ada, f"/runs/{run_id}/legal-hold", {"action": "set", "reason": "Because."}).status_code == 404


def test_a_hold_of_a_proposal_has_the_same_page(app: Flask, client_of: ClientOf) -> None:
    with app.app_context():
        proposal_id = proposed().proposal_id
        db.session.remove()
    ada, vera, page_url = client_of("ada"), client_of("vera"), f"/proposals/{proposal_id}"
    url = f"{page_url}/legal-hold"
    assert f'href="{url}"' in ada.get(page_url).text
    assert "This proposal has never been under legal hold." in ada.get(url).text
    assert (
        "Administrators set and lift holds. Ask one, with the matter and the id of this proposal." in vera.get(url).text
    )
    assert post(vera, url, {"action": "set", "reason": "Because."}).status_code == 403
    empty = post(ada, url, {"action": "set", "reason": " "})
    assert (empty.status_code, "Enter a reason of 1 to 1000 characters." in empty.text) == (422, True)
    done = post(ada, url, {"action": "set", "reason": "Matter 7."})
    assert (done.status_code, done.location) == (303, url)
    assert "The proposal is under legal hold now." in ada.get(url).text
    assert "Legal hold" in vera.get(page_url).text
    again = post(ada, url, {"action": "set", "reason": "Matter 8."})
    assert (again.status_code, "The proposal is already under legal hold." in again.text) == (409, True)
    assert f'href="{page_url}"' in ada.get("/audit").text
    assert post(ada, url, {"action": "lift", "reason": "Closed."}).status_code == 303
    assert "The legal hold is lifted." in ada.get(url).text
    with app.app_context():
        held = proposal_legal_hold(db.session(), "default", proposal_id)
        assert (held.legal_hold, [entry.reason for entry in held.history]) == (False, ["Matter 7.", "Closed."])
        theirs = proposed(replace(ADVISER, tenant_id="zurich")).proposal_id
        db.session.remove()
    pages = [ada.get(f"/proposals/{one}/legal-hold") for one in (theirs, "pp_none")]
    assert {page.status_code for page in pages} == {404}
    assert shown(pages[0]) == shown(pages[1])
    app.extensions["lotus_settings"].environ["PROPOSAL_SUPPORT_APIS_ENABLED"] = "false"
    assert ada.get(url).status_code == post(ada, url, {"action": "set", "reason": "Because."}).status_code == 404
    assert "legal-hold" not in ada.get(page_url).text
