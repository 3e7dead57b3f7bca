"""Runs: the list, the page of one, and finding one by any id."""

from __future__ import annotations

import csv
from urllib.parse import quote

import pytest
from flask import Flask

from lotus_web.domain.items.actions import Action
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_items import HTMX, TOMAS, url_of
from tests.support import runs
from tests.support.people import post, shown

GATE_ON = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")


@GATE_ON
def test_a_run_with_an_item_shows_what_its_reviewer_sees(app: Flask, client_of: ClientOf) -> None:
    run_id = runs.record(app)
    page = client_of("nora").get(f"/runs/{run_id}").text
    assert "Why this needs you" in page
    assert f'action="{url_of(runs.item_of(run_id))}"' in page


@GATE_ON
@pytest.mark.parametrize(
    ("circumstance", "told"),
    [
        (runs.CLEAN, "All rules passed."),
        (runs.NO_PRICE, "No price: "),
        (runs.TAXED, "Realised gains"),
        (runs.LATE_SETTLEMENT, "Projected cash by settlement day"),
    ],
)
@pytest.mark.stores("sqlite")
def test_a_run_without_an_item_shows_what_the_rules_found(
    app: Flask, client_of: ClientOf, circumstance: str, told: str
) -> None:
    page = client_of("vera").get(f"/runs/{runs.record(app, circumstance)}")
    assert page.status_code == 200
    assert told in page.text
    assert "No review needed" in page.text


@pytest.mark.stores("sqlite")
def test_what_the_engine_noted_is_a_sentence_and_is_told_once(app: Flask, client_of: ClientOf) -> None:
    vera = client_of("vera")
    capped = vera.get(f"/runs/{runs.record(app, runs.TURNOVER)}").text
    assert "The turnover limit left orders out" in capped
    assert "<code>PARTIAL_REBALANCE_TURNOVER_LIMIT</code>" in capped
    late = vera.get(f"/runs/{runs.record(app, runs.LATE_SETTLEMENT, key='key-2')}").text
    assert "Settlement would overdraw cash" in late
    assert "Noted by the engine" not in late


@pytest.mark.stores("sqlite")
def test_a_run_says_that_the_gate_is_off(app: Flask, client_of: ClientOf) -> None:
    page = client_of("nora").get(f"/runs/{runs.record(app, policy=runs.UNGATED)}").text
    assert "The gate is switched off." in page


@GATE_ON
def test_the_review_of_an_older_run_is_opened_by_hand(app: Flask, client_of: ClientOf) -> None:
    run_id, nora = runs.record(app, policy=runs.UNGATED), client_of("nora")
    page = nora.get(f"/runs/{run_id}").text
    assert "This run needs a review and has none." in page
    opened = post(nora, f"/runs/{run_id}")
    assert opened.location == url_of(runs.item_of(run_id))
    assert nora.get(opened.location).status_code == 200
    assert post(nora, f"/runs/{run_id}").location == opened.location


@GATE_ON
def test_no_review_is_opened_where_none_is_needed(app: Flask, client_of: ClientOf) -> None:
    run_id = runs.record(app, runs.CLEAN)
    assert post(client_of("nora"), f"/runs/{run_id}").status_code == 409
    assert post(client_of("vera"), f"/runs/{run_id}").status_code == 403


@pytest.mark.stores("sqlite")
def test_the_payloads_stand_on_pages_of_their_own_and_in_their_folds(app: Flask, client_of: ClientOf) -> None:
    run_id, nora = runs.record(app), client_of("nora")
    result, asked = (nora.get(f"/runs/{run_id}/raw?part={part}").text for part in ("result", "request"))
    assert "rule_results" in result
    assert "portfolio_snapshot" in asked
    assert nora.get(f"/runs/{run_id}/raw", headers=HTMX).text.startswith("<pre")


def test_the_list_is_newest_first_and_filtered(app: Flask, client_of: ClientOf) -> None:
    review, clean = runs.record(app, key="a"), runs.record(app, runs.CLEAN, key="b")
    nora = client_of("nora")
    page = nora.get("/runs").text
    assert page.index(clean) < page.index(review)
    ready = nora.get("/runs?status=READY").text
    assert (clean in ready, review in ready) == (True, False)
    assert nora.get("/runs?status=LOST").status_code == 422
    assert "No run fits these filters" in nora.get("/runs?portfolio_id=none").text


def test_pages_follow_each_other_without_gap(app: Flask, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lotus_web.web.runs.views.PAGE_SIZE", 2)
    made = [runs.record(app, runs.CLEAN, key=str(number)) for number in range(5)]
    nora, seen, url = client_of("nora"), [], "/runs"
    for _ in range(3):
        page = nora.get(url).text
        seen += sorted((run_id for run_id in made if run_id in page), key=page.index)
        url = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert seen == made[::-1]
    assert url == ""


@GATE_ON
def test_the_box_leads_from_any_id_to_its_record(app: Flask, client_of: ClientOf) -> None:
    run_id = runs.record(app)
    workflow_id = runs.item_of(run_id)
    runs.act(app, workflow_id, Action.APPROVE, by=TOMAS, text="Fine.")
    nora = client_of("nora")
    run_page = nora.get(f"/runs/{run_id}").text
    request_hash = run_page.partition("request_hash=")[2].partition('"')[0].replace("%3A", ":")
    decision = next(csv.DictReader(nora.get("/decisions.csv").text.lstrip("\ufeff").splitlines()))
    ids = [run_id, run_id.replace("rr_", "dra_"), f"u_{run_id}", f"t_{run_id}", "corr-key-1", "key-1", request_hash]
    for text in (*ids, decision["decision_id"], decision["correlation_id"]):
        assert nora.get(f"/search?q={quote(text)}").location == f"/runs/{run_id}", text
    assert nora.get(f"/search?q={quote(workflow_id)}").location == url_of(workflow_id)


@GATE_ON
@pytest.mark.stores("sqlite")
def test_several_hits_and_words_give_a_list_and_nothing_says_so(app: Flask, client_of: ClientOf) -> None:
    first, second = (runs.record(app, key=key, correlation_id="shared") for key in ("a", "b"))
    nora = client_of("nora")
    several = nora.get("/search?q=shared")
    assert several.status_code == 200
    assert first in several.text
    assert second in several.text
    assert "data-row" in nora.get("/search?q=cash+WOULD").text
    beginning = runs.request_of(runs.CASH_TOO_HIGH)["portfolio_snapshot"]["portfolio_id"][:4]
    for typed in (beginning, beginning.lower()):
        found = nora.get(f"/search?q={typed}").text
        assert first in found
        assert second in found
    assert "Nothing found" in nora.get("/search?q=unheard-of").text
    assert "What are you looking for?" in nora.get("/search").text


@GATE_ON
def test_another_tenants_run_is_as_unknown_as_one_that_never_was(app: Flask, client_of: ClientOf) -> None:
    theirs, nora = runs.record(app, tenant="zurich"), client_of("nora")
    for path in ("/runs/{}", "/runs/{}/raw"):
        foreign, unknown = nora.get(path.format(theirs)), nora.get(path.format("rr_none"))
        assert (foreign.status_code, unknown.status_code) == (404, 404)
        assert shown(foreign) == shown(unknown)
    assert post(nora, f"/runs/{theirs}").status_code == 404
    for text in (theirs, "corr-key-1", "key-1", runs.item_of(theirs)):
        assert "Nothing found" in nora.get(f"/search?q={quote(text)}").text
