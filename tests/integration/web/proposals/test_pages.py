"""The pages of proposals: the list and its file, one proposal with what may be done, its versions and what differs."""

from __future__ import annotations

import csv
import json
import zlib
from collections.abc import Callable
from typing import Any

import html5lib
import pytest
from flask import Flask
from sqlalchemy import text

from lotus_web.domain.proposals.states import ApprovalType, ProposalEvent, ProposalState
from lotus_web.domain.proposals.steps import STEPS
from lotus_web.store.session import transaction
from lotus_web.web.proposals.views import filter_from_query
from tests.integration.conftest import ClientOf
from tests.support import proposals
from tests.support.histories import NOW
from tests.support.people import hidden_fields, post

SQLITE = pytest.mark.stores("sqlite")
E, A, S = ProposalEvent, ApprovalType, ProposalState


def in_state(app: Flask, state: ProposalState) -> str:
    """Return a proposal that came to a state in the ordinary way."""
    with app.app_context():
        return proposals.led_to(proposals.proposed().proposal_id, state)


def titled(title: str, portfolio: str = "pf-1", **metadata: str) -> dict[str, Any]:
    """Return what makes a proposal of this title and portfolio."""
    request = proposals.create_json()["simulate_request"]
    request["portfolio_snapshot"]["portfolio_id"] = portfolio
    return {"simulate_request": request, "metadata": {"title": title, **metadata}}


def words_of(page: str, id_: str) -> str:
    """Return the text of one part of a page."""
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    part = next(element for element in tree.iter() if element.get("id") == id_)
    return " ".join(" ".join(part.itertext()).split())


def step(app: Flask, client: Any, proposal_id: str, name: str, **fields: str) -> Any:
    """Press a button of the page as it stands; ``fields`` replace what the form would send."""
    page = client.get(f"/proposals/{proposal_id}")
    seen = {key: value for key, value in hidden_fields(page).items() if key in ("state", "version", "key")}
    return post(client, f"/proposals/{proposal_id}/steps", {**seen, "step": name, **fields})


def test_the_list_filters_pages_and_exports(app: Flask, client_of: ClientOf) -> None:
    with app.app_context():
        first = proposals.proposed(**titled("Alder", "pf-a"))
        proposals.proposed(**titled("Birch", "pf-b"))
        proposals.led_to(proposals.proposed(**titled("Cedar", "pf-b")).proposal_id, S.CANCELLED)
    vera = client_of("vera")

    def shown(query: str) -> list[str]:
        page = vera.get(f"/proposals{query}").text
        return [name for name in ("Alder", "Birch", "Cedar") if f">{name}</a>" in page]

    assert shown("") == ["Alder", "Birch", "Cedar"]
    assert shown("?state=CANCELLED") == ["Cedar"]
    assert shown("?portfolio_id=pf-b") == ["Birch", "Cedar"]
    assert shown("?created_by=leo.marti&state=DRAFT") == ["Alder", "Birch"]
    assert shown("?created_by=nobody") == []
    assert vera.get("/proposals?state=SOMEWHERE").status_code == 422
    file = vera.get("/proposals.csv?portfolio_id=pf-a")
    (row,) = csv.DictReader(file.text.removeprefix("\ufeff").splitlines())
    assert (row["proposal_id"], row["current_version_no"], row["title"]) == (first.proposal_id, "1", "Alder")


@SQLITE
@pytest.mark.parametrize(
    ("age", "earliest", "latest"),
    [("day", 1, None), ("week", 7, None), ("over_week", None, 7), ("over_month", None, 30)],
)
def test_an_age_bounds_when_a_proposal_was_created(
    app: Flask, age: str, earliest: int | None, latest: int | None
) -> None:
    with app.test_request_context(f"/proposals?age={age}"):
        found = filter_from_query(NOW)
    ago = [None if bound is None else (NOW - bound).days for bound in (found.created_from, found.created_to)]
    assert ago == [earliest, latest]


@SQLITE
def test_pages_of_the_list_follow_each_other(app: Flask, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lotus_web.web.proposals.views.PAGE_SIZE", 2)
    with app.app_context():
        for name in ("Alder", "Birch", "Cedar"):
            proposals.proposed(**titled(name))
    vera = client_of("vera")
    page = vera.get("/proposals").text
    assert ">Cedar<" in page
    assert ">Alder<" not in page
    cursor = page.split("cursor=")[1].split('"')[0]
    rest = vera.get(f"/proposals?cursor={cursor}").text
    assert ">Alder<" in rest
    assert ">Birch<" not in rest


def test_a_proposal_shows_what_a_decision_rests_on(app: Flask, client_of: ClientOf) -> None:
    with app.app_context():
        notes = titled("A larger position", advisor_notes="The client asked for it.\nIn writing.", mandate_id="m-7")
        proposal_id = proposals.proposed(**notes).proposal_id
    answer = client_of("vera").get(f"/proposals/{proposal_id}")
    page = answer.text
    assert answer.status_code == 200
    assert "A larger position" in page
    assert words_of(page, "gate").startswith("Gate Needs risk review")
    assert "New 1" in words_of(page, "suitability")
    assert "Persistent: 4" in words_of(page, "suitability")
    assert "Buy EQ_GROWTH 30 1,500.00 USD" in words_of(page, "orders")
    assert "+1,000.00" in words_of(page, "cash-flows")
    assert "In writing." in words_of(page, "notes")
    assert "Verified Recomputed from the store just now" in words_of(page, "proposal-record")
    assert "m-7" in page


@SQLITE
def test_only_a_gate_without_findings_says_that_all_rules_passed(app: Flask, client_of: ClientOf) -> None:
    passes = titled("No finding")
    passes["simulate_request"]["options"]["enable_suitability_scanner"] = False
    breaks = titled("Too much cash")
    breaks["simulate_request"]["options"] |= {"enable_suitability_scanner": False, "cash_band_max_weight": "0.01"}
    with app.app_context():
        passing, breaking = (proposals.proposed(**body).proposal_id for body in (passes, breaks))
    vera, sentence = client_of("vera"), "All rules passed, and no new suitability issue needs a review."
    assert sentence in words_of(vera.get(f"/proposals/{passing}").text, "gate")
    page = words_of(vera.get(f"/proposals/{breaking}").text, "gate")
    assert "Cash would be" in page
    assert sentence not in page


@SQLITE
@pytest.mark.parametrize("state", S)
def test_every_step_is_a_button_or_says_why_not(app: Flask, client_of: ClientOf, state: ProposalState) -> None:
    page = client_of("ada").get(f"/proposals/{in_state(app, state)}").text
    if state in {S.EXECUTED, S.REJECTED, S.CANCELLED, S.EXPIRED}:
        assert "nothing can change it any more" in page
        assert 'name="step"' not in page
        return
    possible = {name for name in STEPS if f'id="step-{name}"' in page}
    assert (
        possible
        == {
            S.DRAFT: {"submit_risk", "submit_compliance", "cancel"},
            S.RISK_REVIEW: {"approve_risk", "reject_risk", "cancel"},
            S.COMPLIANCE_REVIEW: {"approve_compliance", "reject_compliance", "cancel"},
            S.AWAITING_CLIENT_CONSENT: {"consent", "refuse", "cancel"},
            S.EXECUTION_READY: {"execute", "expire", "cancel"},
        }[state]
    )
    why_not = words_of(page, "why-not")
    for name, one in STEPS.items():
        assert (one.label in why_not) == (name not in possible)


def test_from_draft_to_execution_by_the_buttons_alone(app: Flask, client_of: ClientOf) -> None:
    proposal_id = in_state(app, S.DRAFT)
    leo, nora = client_of("leo"), client_of("nora")
    for client, name in (
        (leo, "submit_risk"),
        (nora, "approve_risk"),
        (leo, "consent"),
        (leo, "execute"),
    ):
        answer = step(app, client, proposal_id, name, comment=f"about {name}")
        assert answer.status_code == 303, answer.text
    page = leo.get(f"/proposals/{proposal_id}").text
    assert "nothing can change it any more" in page
    assert "nora approved version 1 for risk" in words_of(page, "timeline")
    assert "about approve_risk" in words_of(page, "approvals")
    assert "Client consent given" in words_of(page, "approvals")


@SQLITE
def test_a_step_pressed_twice_is_taken_once(app: Flask, client_of: ClientOf) -> None:
    proposal_id, leo = in_state(app, S.DRAFT), client_of("leo")
    seen = hidden_fields(leo.get(f"/proposals/{proposal_id}"))
    form = {name: seen[name] for name in ("state", "version", "key")} | {"step": "submit_risk"}
    assert [post(leo, f"/proposals/{proposal_id}/steps", form).status_code for _ in range(2)] == [303, 303]
    page = leo.get(f"/proposals/{proposal_id}").text
    assert words_of(page, "timeline").count("submitted version 1") == 1


@SQLITE
@pytest.mark.parametrize(
    ("fields", "status", "told"),
    [
        ({"state": "RISK_REVIEW"}, 409, "The proposal is in “Draft” by now."),
        ({"version": "2"}, 409, "Version 1 is the current one by now."),
        ({"step": "execute"}, 422, "“Executed” cannot follow in the state “Draft”."),
        ({"step": "approve_risk"}, 403, "This needs the permission “Claim and decide items”."),
        ({"step": "dance"}, 422, "Choose a step."),
        ({"state": ""}, 422, "Reload the page and choose again."),
        ({"comment": "x" * 2_001}, 422, "The comment has more than 2,000 characters."),
    ],
)
def test_a_refused_step_says_why_and_keeps_the_comment(
    app: Flask, client_of: ClientOf, content: Callable[[], str], fields: dict[str, str], status: int, told: str
) -> None:
    proposal_id, leo = in_state(app, S.DRAFT), client_of("leo")
    answer = step(app, leo, proposal_id, "submit_risk", **{"comment": "Look at the cash.", **fields})
    assert answer.status_code == status
    assert told in words_of(answer.text, "outcome")
    assert "Draft" in answer.text
    if "step" not in fields:
        assert fields.get("comment", "Look at the cash.") in answer.text


@SQLITE
def test_the_maker_of_a_version_does_not_approve_it(app: Flask, client_of: ClientOf) -> None:
    maker = proposals.Actor(
        proposals.ActorType.PERSON, "ada", "default", frozenset(proposals.Permission) - {"act_on_behalf"}
    )
    with app.app_context():
        proposal_id = proposals.proposed(maker, created_by="ada").proposal_id
        proposals.posted(proposal_id, E.SUBMITTED_FOR_RISK_REVIEW)
    ada = client_of("ada")
    page = ada.get(f"/proposals/{proposal_id}").text
    assert 'id="step-approve_risk"' not in page
    assert 'id="step-reject_risk"' in page
    refused = step(app, ada, proposal_id, "approve_risk")
    assert refused.status_code == 403
    for part in ("outcome", "why-not"):
        assert "ada made version 1: someone else must approve it." in words_of(refused.text, part)


def test_a_new_version_strikes_approvals_out(app: Flask, client_of: ClientOf) -> None:
    proposal_id = in_state(app, S.AWAITING_CLIENT_CONSENT)
    with app.app_context():
        proposals.versioned(proposal_id)
    page = client_of("vera").get(f"/proposals/{proposal_id}").text
    assert "<s>Risk approved</s>" in page
    assert "Version 2 made it void" in words_of(page, "approvals")
    assert "2 of 2" in page


def test_versions_stand_side_by_side(app: Flask, client_of: ClientOf) -> None:
    proposal_id = in_state(app, S.DRAFT)
    with app.app_context():
        proposals.versioned(proposal_id)
    vera = client_of("vera")
    page = vera.get(f"/proposals/{proposal_id}/diff?from=1&to=2").text
    assert "Quantity 30 Notional 1,500.00 USD" in words_of(page, "diff-trades")
    assert "Quantity 35 Notional 1,750.00 USD" in words_of(page, "diff-trades")
    assert "+" not in words_of(page, "diff-cash-flows").replace("1,000", "")
    assert words_of(page, "diff-allocation-after")
    assert vera.get(f"/proposals/{proposal_id}/diff").text.count("Version 2</a>") == 1
    same = vera.get(f"/proposals/{proposal_id}/diff?from=2&to=2").text
    assert "This is one and the same version." in same
    for wrong in ("from=0", "to=3", "from=x", "to=99999999999999999999", "from=000000001" + "9" * 20, "from=-1"):
        assert vera.get(f"/proposals/{proposal_id}/diff?{wrong}").status_code == 422
    old = vera.get(f"/proposals/{proposal_id}/versions/1").text
    assert "Verified" in words_of(old, "proposal-record")
    assert 'name="step"' not in old


@SQLITE
def test_the_artifact_is_a_file_with_its_evidence(app: Flask, client_of: ClientOf) -> None:
    proposal_id = in_state(app, S.DRAFT)
    file = client_of("vera").get(f"/proposals/{proposal_id}/versions/1/artifact")
    assert file.headers["Content-Disposition"] == f'attachment; filename="{proposal_id}-v1-artifact.json"'
    assert json.loads(file.data)["evidence_bundle"]["inputs"]["proposed_trades"]


@SQLITE
@pytest.mark.parametrize("part", ["artifact", "result", "inputs"])
def test_a_changed_document_shows(app: Flask, client_of: ClientOf, part: str) -> None:
    proposal_id = in_state(app, S.DRAFT)
    with app.app_context(), transaction() as session:
        session.execute(text("DROP TRIGGER proposal_documents_no_update"))
        packed = session.scalar(text(f"SELECT {part} FROM proposal_documents"))
        assert packed is not None
        changed = zlib.decompress(packed).replace(b"EQ_GROWTH", b"EQ_GROWTZ")
        session.execute(text(f"UPDATE proposal_documents SET {part} = :changed"), {"changed": zlib.compress(changed)})
    page = client_of("vera").get(f"/proposals/{proposal_id}").text
    assert "What is stored is not what was recorded." in words_of(page, "tampered")
    assert "Does not match" in words_of(page, "proposal-record")


@SQLITE
@pytest.mark.environ(PROPOSAL_STORE_EVIDENCE_BUNDLE="false")
def test_without_stored_evidence_the_hash_is_not_called_verified(app: Flask, client_of: ClientOf) -> None:
    leo = client_of("leo")
    made = post(leo, "/proposals/new/json", {"document": json.dumps(mine()), "do": "create", "key": "k"})
    page = leo.get(made.headers["Location"]).text
    assert "Not verified The evidence that the hash covers was not stored." in words_of(page, "proposal-record")


def mine() -> dict[str, Any]:
    """Return a document that does not name its maker."""
    return {name: part for name, part in proposals.create_json().items() if name != "created_by"}


@SQLITE
def test_other_tenants_and_unknown_ids_are_not_found(app: Flask, client_of: ClientOf) -> None:
    other = proposals.Actor(proposals.ActorType.PERSON, "leo.marti", "elsewhere", proposals.ADVISER.permissions)
    with app.app_context():
        proposal_id = proposals.proposed(other).proposal_id
    leo = client_of("leo")
    for path in (
        proposal_id,
        "pp_unknown",
        "new:x",
        f"{proposal_id}/diff",
        f"{proposal_id}/versions/1",
        f"{proposal_id}/versions/new",
    ):
        assert leo.get(f"/proposals/{path}").status_code == 404, path
    assert (
        post(leo, f"/proposals/{proposal_id}/steps", {"step": "cancel", "state": "DRAFT", "version": "1"}).status_code
        == 404
    )
    assert ">elsewhere<" not in leo.get("/proposals").text


def test_a_version_beyond_every_number_is_not_found(app: Flask, client_of: ClientOf) -> None:
    proposal_id = in_state(app, S.DRAFT)
    leo = client_of("leo")
    for number in ("0", "2", str(2**31), str(2**63), "9" * 40, "9" * 5_000):
        for what in ("", "/artifact"):
            assert leo.get(f"/proposals/{proposal_id}/versions/{number}{what}").status_code == 404, number
        step = {"step": "cancel", "state": "DRAFT", "version": number, "key": number[:20]}
        assert post(leo, f"/proposals/{proposal_id}/steps", step).status_code in (409, 422), number


@pytest.mark.parametrize("key", ["k" * 256, "k\n", "k\u200b", " k"])
def test_the_key_of_a_form_is_one_that_every_store_takes(app: Flask, client_of: ClientOf, key: str) -> None:
    proposal_id = in_state(app, S.DRAFT)
    leo, document = client_of("leo"), json.dumps(mine())
    before = leo.get(f"/proposals/{proposal_id}").text.count("Version 2")
    for path, form in (
        ("/proposals/new/json", {"document": document, "do": "create"}),
        (f"/proposals/{proposal_id}/versions/new/json", {"document": document, "do": "create"}),
        (f"/proposals/{proposal_id}/steps", {"step": "cancel", "state": "DRAFT", "version": "1"}),
    ):
        answer = post(leo, path, {**form, "key": key})
        assert (answer.status_code, "1 to 255 visible characters" in answer.text) == (422, True), path
    page = leo.get(f"/proposals/{proposal_id}").text
    assert page.count("Version 2") == before
    assert "1 proposal" in leo.get("/proposals").text


@SQLITE
@pytest.mark.environ(PROPOSAL_WORKFLOW_LIFECYCLE_ENABLED="false")
def test_switched_off_the_pages_are_gone(client_of: ClientOf) -> None:
    leo = client_of("leo")
    for path in ("/proposals", "/proposals/new", "/proposals/pp_1", "/proposals.csv"):
        assert leo.get(path).status_code == 404
    assert 'href="/proposals"' not in leo.get("/inbox").text
