"""Operations: the list, one with its progress and scenarios, and carrying it out by hand with the rules of the API."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from lotus_web.config.current import utcnow
from lotus_web.queries.operations.lookup import StoredOperation, stored_operation
from lotus_web.services.analyses import scenarios as batch_service
from lotus_web.services.operations.leases import claim_operation, fail
from lotus_web.services.proposals.operation import submit_create, submit_version
from lotus_web.store.session import db, transaction
from lotus_web.wire.proposals.lifecycle import CreateProposalBody, ProposalVersionBody
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_items import HTMX
from tests.support.analyses import TERMS, WRONG_OPTIONS, accept
from tests.support.people import post, shown, untitled
from tests.support.proposals import context_of, create_json, version_json

SQLITE = pytest.mark.stores("sqlite")
LIVE = {**HTMX, "X-Lotus-Live": "1"}


def operation(app: Flask, scenarios: dict[str, Any] | None = None, **how: Any) -> str:
    with app.app_context():
        accepted = accept(scenarios, **how)
        db.session.remove()
    return accepted.operation_id


def proposal_operation(app: Flask, *, of: str | None = None, inline: bool = False) -> str:
    """Return an operation that makes a proposal, or a version of the proposal ``of``."""
    how = {"callback_url": None, "context": context_of(), "terms": TERMS, "inline": inline, "clock": utcnow}
    with app.app_context():
        if of is None:
            create = CreateProposalBody.model_validate(create_json())
            accepted = submit_create(create, idempotency_key="key-1", **how)
        else:
            version = ProposalVersionBody.model_validate(version_json())
            accepted = submit_version(of, version, idempotency_key=None, **how)
        db.session.remove()
    return accepted.operation_id


def stored(app: Flask, operation_id: str) -> StoredOperation:
    with app.app_context():
        found = stored_operation(db.session(), "default", operation_id)
        db.session.remove()
    return found


def broken(app: Flask) -> str:
    """Return an operation that failed as a whole."""
    operation_id = operation(app)
    with app.app_context(), transaction() as session:
        claim = claim_operation(session, "default", operation_id, terms=TERMS, now=utcnow())
        fail(session, claim, code="WORKER_LOST", message="Every worker fell silent.", now=utcnow())
    return operation_id


def test_the_list_is_newest_first_and_filtered(app: Flask, client_of: ClientOf) -> None:
    done, waiting = operation(app, inline=True), operation(app, correlation_id="corr-other")
    vera = client_of("vera")
    page = vera.get("/operations").text
    assert page.index(waiting) < page.index(done)
    for query, expected in (
        ("status=PENDING", (False, True)),
        ("status=SUCCEEDED", (True, False)),
        ("correlation_id=corr-other", (False, True)),
        ("operation_type=ANALYZE_SCENARIOS", (True, True)),
        ("to=2001-01-01", (False, False)),
    ):
        page = vera.get(f"/operations?{query}").text
        assert (done in page, waiting in page) == expected, query
    assert "No operation fits these filters" in vera.get("/operations?correlation_id=none").text


@SQLITE
@pytest.mark.parametrize(
    "query", ["status=LOST", "operation_type=X", "from=tomorrow", "from=2026-02-01&to=2026-01-01", "cursor=x"]
)
def test_a_filter_that_cannot_be_meant_is_refused(client_of: ClientOf, query: str) -> None:
    assert client_of("vera").get(f"/operations?{query}").status_code == 422


def test_pages_follow_each_other_without_gap(app: Flask, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lotus_web.web.operations.PAGE_SIZE", 2)
    made = [operation(app) for _ in range(5)]
    vera, seen, url = client_of("vera"), [], "/operations"
    while url:
        page = vera.get(url).text
        seen += re.findall(r'href="/operations/(dop_\w+)"', page)
        url = unescape(page.partition('rel="next" href="')[2].partition('"')[0])
        operation(app)
    assert seen == made[::-1]


@SQLITE
def test_an_empty_list_says_what_would_be_there(client_of: ClientOf) -> None:
    page = client_of("vera").get("/operations").text
    assert "No operations" in page
    assert "hx-trigger" not in page.partition('id="operations"')[2].partition(">")[0]


def test_a_finished_operation_shows_each_scenario_and_its_run(app: Flask, client_of: ClientOf) -> None:
    page = client_of("vera").get(f"/operations/{operation(app, inline=True)}").text
    runs = re.findall(r'href="/runs/(rr_\w+)"', page)
    assert len(runs) == 3
    assert "3 of 3" in page
    for told in ("baseline", "capped", "turnover", "Single position max weight <b>30.00%</b>", "SGD"):
        assert told in page
    assert 'hx-trigger="every' not in page.partition("scenarios")[0].partition('id="operation"')[2]


def test_a_scenario_that_failed_tells_why_and_the_others_stand(app: Flask, client_of: ClientOf) -> None:
    operation_id = operation(app, {"fine": {"options": {}}, "wrong": WRONG_OPTIONS}, inline=True)
    page = client_of("vera").get(f"/operations/{operation_id}").text
    assert "1 of 2 scenarios failed." in page
    assert "INVALID_OPTIONS" in page
    assert len(re.findall(r'href="/runs/(rr_\w+)"', page)) == 1


@SQLITE
def test_what_all_scenarios_share_is_told_once(app: Flask, client_of: ClientOf) -> None:
    both = {"max_turnover_pct": "0.2"}
    asked = {"a": {"options": both}, "b": {"options": {**both, "single_position_max_weight": "0.4"}}}
    page = client_of("vera").get(f"/operations/{operation(app, asked)}").text
    assert page.count("Max turnover pct <b>20.00%</b>") == 1
    assert "All of them with Max turnover pct" in page
    assert "Nothing beyond what all of them have" in page


def test_a_failed_operation_tells_its_code_and_sentence(app: Flask, client_of: ClientOf) -> None:
    page = client_of("vera").get(f"/operations/{broken(app)}").text
    assert "WORKER_LOST" in page
    assert "Every worker fell silent." in page
    assert "Not run" in page


def test_an_open_page_asks_until_the_operation_has_ended(app: Flask, client_of: ClientOf) -> None:
    operation_id, vera = operation(app), client_of("vera")
    url = f"/operations/{operation_id}"
    waiting = vera.get(url, headers=LIVE).text
    assert untitled(waiting).startswith('<section id="operation"')
    assert f'hx-get="{url}"' in waiting
    assert "0 of 3" in waiting
    assert post(client_of("ada"), f"{url}/execute").status_code == 303
    ended = vera.get(url, headers=LIVE).text
    assert "hx-get" not in ended.partition(">")[0]
    assert "The operation has ended: Succeeded" in ended


@SQLITE
def test_progress_shows_while_it_runs(app: Flask, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch) -> None:
    operation_id, vera, seen = operation(app), client_of("vera"), []
    ada = client_of("ada")
    compute = batch_service._compute

    def look_then_compute(*arguments: Any) -> Any:
        seen.append(vera.get(f"/operations/{operation_id}", headers=LIVE).text)
        return compute(*arguments)

    monkeypatch.setattr(batch_service, "_compute", look_then_compute)
    assert post(ada, f"/operations/{operation_id}/execute").status_code == 303
    assert [re.findall(r"(\d of 3)</span>", page)[0] for page in seen] == ["0 of 3", "1 of 3", "2 of 3"]
    assert all("Running" in page and "every 2s" in page for page in seen)


def test_an_operation_is_executed_by_hand_once(app: Flask, client_of: ClientOf) -> None:
    operation_id, ada = operation(app), client_of("ada")
    url = f"/operations/{operation_id}"
    assert "Execute now" in ada.get(url).text
    done = post(ada, f"{url}/execute")
    assert (done.status_code, done.location) == (303, url)
    assert stored(app, operation_id).row.status == "SUCCEEDED"
    again = post(ada, f"{url}/execute")
    assert again.status_code == 409
    assert "can no longer be executed" in again.text
    assert stored(app, operation_id).row.progress.scenarios_done == 3


@pytest.mark.parametrize("name", ["vera", "nora", "max"])
@SQLITE
def test_who_may_not_execute_sees_why(app: Flask, client_of: ClientOf, name: str) -> None:
    operation_id, client = operation(app), client_of(name)
    page = client.get(f"/operations/{operation_id}").text
    assert "This needs the permission “Run operations”." in page
    for what in ("execute", "again"):
        assert post(client, f"/operations/{operation_id}/{what}").status_code == 403
    assert stored(app, operation_id).row.status == "PENDING"


def test_an_operation_runs_again_as_a_new_one(app: Flask, client_of: ClientOf) -> None:
    operation_id, ada = operation(app, inline=True), client_of("ada")
    answer = post(ada, f"/operations/{operation_id}/again")
    new_id = answer.location.rpartition("/")[2]
    assert answer.status_code == 303
    assert new_id != operation_id
    row = stored(app, new_id).row
    assert (row.status, row.submitted_by, row.progress.scenarios_total) == ("SUCCEEDED", "ada", 3)
    assert stored(app, operation_id).row.subject_id != row.subject_id


@pytest.mark.environ(DPM_ASYNC_EXECUTION_MODE="ACCEPT_ONLY")
@SQLITE
def test_run_again_waits_where_operations_wait(app: Flask, client_of: ClientOf) -> None:
    answer = post(client_of("ada"), f"/operations/{broken(app)}/again")
    assert stored(app, answer.location.rpartition("/")[2]).row.status == "PENDING"


@SQLITE
def test_what_has_not_ended_cannot_run_again(app: Flask, client_of: ClientOf) -> None:
    operation_id, ada = operation(app), client_of("ada")
    answer = post(ada, f"/operations/{operation_id}/again")
    assert answer.status_code == 409
    assert "has not ended yet" in answer.text


def test_an_unknown_operation_and_another_tenants_are_the_same_404(app: Flask, client_of: ClientOf) -> None:
    operation_id = operation(app)
    with app.app_context(), transaction() as session:
        session.execute(text("UPDATE dpm_operations SET tenant_id = 'zurich'"))
        session.execute(text("UPDATE dpm_operation_payloads SET tenant_id = 'zurich'"))
    ada = client_of("ada")
    for end in ("", "/raw", "/support-bundle"):
        foreign, unknown = (ada.get(f"/operations/{one}{end}") for one in (operation_id, "dop_none"))
        assert (foreign.status_code, unknown.status_code) == (404, 404)
        assert shown(foreign) == shown(unknown)
    for what in ("execute", "again"):
        assert post(ada, f"/operations/{operation_id}/{what}").status_code == 404
    assert operation_id not in ada.get("/operations").text


@SQLITE
def test_the_payloads_stand_on_pages_of_their_own_and_in_their_folds(app: Flask, client_of: ClientOf) -> None:
    operation_id, vera = operation(app, inline=True), client_of("vera")
    result, asked = (vera.get(f"/operations/{operation_id}/raw?part={part}").text for part in ("result", "request"))
    assert "comparison_metrics" in result
    assert "portfolio_snapshot" in asked
    assert vera.get(f"/operations/{operation_id}/raw", headers=HTMX).text.startswith("<pre")
    assert "Nothing yet" in vera.get(f"/operations/{operation(app)}/raw").text


def test_the_box_leads_from_operation_correlation_and_batch(app: Flask, client_of: ClientOf) -> None:
    operation_id, vera = operation(app, inline=True), client_of("vera")
    row = stored(app, operation_id).row
    for named in (operation_id, row.correlation_id):
        assert vera.get(f"/search?q={named}").location == f"/operations/{operation_id}", named
    several = vera.get(f"/search?q={row.subject_id}").text
    assert several.index(f"/operations/{operation_id}") < several.index("/runs/rr_")
    assert several.count("<tr data-row") == 4
    assert vera.get("/search?q=corr-desk:capped").location.startswith("/runs/rr_")


@pytest.mark.environ(DPM_ASYNC_OPERATIONS_ENABLED="false")
@SQLITE
def test_switched_off_the_pages_say_so_and_nothing_leads_there(app: Flask, client_of: ClientOf) -> None:
    operation_id, ada = operation(app, inline=True), client_of("ada")
    for path in ("/operations", f"/operations/{operation_id}", f"/operations/{operation_id}/raw"):
        answer = ada.get(path)
        assert answer.status_code == 404
        assert "Operations are switched off by the operator" in answer.text
    for what in ("execute", "again"):
        assert post(ada, f"/operations/{operation_id}/{what}").status_code == 404
    assert 'href="/operations"' not in ada.get("/runs").text
    assert "Nothing found" in ada.get(f"/search?q={operation_id}").text


@pytest.mark.environ(DPM_ASYNC_MANUAL_EXECUTION_ENABLED="false")
@SQLITE
def test_without_execution_by_hand_the_button_says_so(app: Flask, client_of: ClientOf) -> None:
    operation_id, ada = operation(app), client_of("ada")
    assert "Manual execution is switched off" in ada.get(f"/operations/{operation_id}").text
    assert post(ada, f"/operations/{operation_id}/execute").status_code == 404
    assert stored(app, operation_id).row.status == "PENDING"


@pytest.mark.environ(DPM_LINEAGE_APIS_ENABLED="true")
@SQLITE
def test_a_run_says_which_operation_caused_it(app: Flask, client_of: ClientOf) -> None:
    operation_id, vera = operation(app, inline=True), client_of("vera")
    run_id = re.findall(r'href="/runs/(rr_\w+)"', vera.get(f"/operations/{operation_id}").text)[0]
    assert f'href="/operations/{operation_id}"' in vera.get(f"/runs/{run_id}").text


def test_operations_on_proposals_are_listed_shown_and_carried_out_too(
    app: Flask, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    analysis, made = operation(app, inline=True), proposal_operation(app, inline=True)
    unknown = proposal_operation(app, of="pp_unknown", inline=True)
    waiting = proposal_operation(app)
    vera, ada = client_of("vera"), client_of("ada")
    page = vera.get("/operations").text
    assert page.index(waiting) < page.index(unknown) < page.index(made) < page.index(analysis)
    page = vera.get("/operations?operation_type=CREATE_PROPOSAL_VERSION").text
    assert (unknown in page, made in page) == (True, False)
    page = vera.get(f"/operations/{made}").text
    assert re.search(r'href="/proposals/pp_\w+"', page)
    assert "Scenarios" not in page
    assert "Run again" not in ada.get(f"/operations/{made}").text
    page = vera.get(f"/operations/{unknown}").text
    assert "PROPOSAL_NOT_FOUND" in page
    assert "Proposal not found." in page
    assert post(ada, f"/operations/{waiting}/execute").status_code == 303
    assert "Succeeded" in vera.get(f"/operations/{waiting}", headers=LIVE).text
    assert "simulate_request" in vera.get(f"/operations/{made}/raw?part=request").text
    app.extensions["lotus_settings"].environ["PROPOSAL_ASYNC_OPERATIONS_ENABLED"] = "false"
    assert made not in vera.get("/operations").text
    assert vera.get(f"/operations/{made}").status_code == 404
