"""The form of a proposal, without a script: rows, faults at their fields, simulating, creating once, and a new version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import html5lib
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lotus_web.domain.proposals.states import ProposalState
from tests.integration.conftest import ClientOf
from tests.integration.web.proposals.test_pages import words_of
from tests.support import proposals, runs
from tests.support.people import csrf_token, hidden_fields, shown

SQLITE = pytest.mark.stores("sqlite")
NEW = "/proposals/new"
ROW = ("side", "instrument_id", "size", "size_in")
FLOW = ("currency", "amount", "description")
Pairs = list[tuple[str, str]]


@pytest.fixture
def portfolio(app: Flask) -> str:
    """A portfolio of which a run is stored."""
    runs.record(app, runs.CLEAN)
    found: str = runs.request_of(runs.CLEAN)["portfolio_snapshot"]["portfolio_id"]
    return found


def held(number: int = 0) -> str:
    """Return an instrument that the portfolio holds."""
    found: str = runs.request_of(runs.CLEAN)["portfolio_snapshot"]["positions"][number]["instrument_id"]
    return found


def opened(client: FlaskClient, portfolio: str) -> Pairs:
    """Return the hidden fields of a form that was just opened."""
    page = client.get(NEW, query_string={"portfolio_id": portfolio})
    assert page.status_code == 200
    return hidden(page)


def hidden(page: TestResponse) -> Pairs:
    return [(name, value) for name, value in hidden_fields(page).items() if name in ("key", "basis", "version")]


def trade(*row: str) -> Pairs:
    return list(zip(ROW, row, strict=True))


def flow(*row: str) -> Pairs:
    return list(zip(FLOW, row, strict=True))


def send(client: FlaskClient, fields: Pairs, do: str, path: str = NEW) -> TestResponse:
    """Send the form as a browser does: fields that repeat keep their order."""
    body = urlencode([("csrf_token", csrf_token(client)), *fields, ("do", do)])
    return client.post(path, data=body, content_type="application/x-www-form-urlencoded")


def values(page: str, name: str) -> list[str]:
    """Return what the fields of a name hold, in order."""
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    return [element.get("value", "") for element in tree.iter("input") if element.get("name") == name]


def test_a_portfolio_is_chosen_and_the_form_says_what_it_starts_from(
    app: Flask, client_of: ClientOf, portfolio: str
) -> None:
    leo = client_of("leo")
    assert f'<option value="{portfolio}">' in leo.get(NEW).text
    page = leo.get(NEW, query_string={"portfolio_id": portfolio}).text
    basis = words_of(page, "basis")
    assert portfolio in basis
    assert "Taken from the run" in basis
    assert "5 min ago" in basis
    unknown = leo.get(NEW, query_string={"portfolio_id": "nobody's"})
    assert unknown.status_code == 422
    assert "Nothing is stored of this portfolio" in unknown.text
    assert "nobody&#39;s" in unknown.text


def test_the_newest_of_runs_and_proposals_is_the_start(app: Flask, client_of: ClientOf, portfolio: str) -> None:
    leo = client_of("leo")
    fields = [*opened(leo, portfolio), *trade("BUY", held(), "1", "units")]
    assert send(leo, fields, "create").status_code == 303
    assert "version 1 of" in words_of(leo.get(NEW, query_string={"portfolio_id": portfolio}).text, "basis")


@SQLITE
def test_rows_come_and_go_and_nothing_typed_is_lost(client_of: ClientOf, portfolio: str) -> None:
    leo = client_of("leo")
    fields = [*opened(leo, portfolio), *trade("SELL", "AAA", "1", "money"), ("title", "Mine")]
    page = send(leo, fields, "add_trade").text
    assert (values(page, "instrument_id"), values(page, "size")) == (["AAA", ""], ["1", ""])
    fields += trade("BUY", "BBB", "2", "units")
    page = send(leo, [*fields, *flow("USD", "5", "Bonus")], "add_flow").text
    assert (values(page, "amount"), values(page, "description")) == (["5", ""], ["Bonus", ""])
    page = send(leo, fields, "remove_trade:0").text
    assert (values(page, "instrument_id"), values(page, "title")) == (["BBB"], ["Mine"])
    for nonsense in ("remove_trade:9", "remove_trade:x", "remove_flow:-1", "remove_trade:" + "9" * 5_000, "jump"):
        assert values(send(leo, fields, nonsense).text, "instrument_id") == ["AAA", "BBB"]


@SQLITE
@pytest.mark.parametrize(
    ("rows", "field", "told"),
    [
        ([], "trade-0-instrument_id", "Enter a trade or a cash flow."),
        (trade("BUY", "", "5", "units"), "trade-0-instrument_id", "Enter the instrument of trade 1."),
        (trade("BUY", "AAA", "", "units"), "trade-0-size", "Enter the size of trade 1."),
        (trade("BUY", "AAA", "1,5", "units"), "trade-0-size", "Trade 1: Enter a number such as 1500.25"),
        (trade("BUY", "AAA", "NaN", "money"), "trade-0-size", "Trade 1: Enter a number such as 1500.25"),
        (trade("BUY", "AAA", "0", "units"), "trade-0-size", "The size of a trade must be greater than 0."),
        (trade("BUY", "AAA", "-3", "money"), "trade-0-size", "The size of a trade must be greater than 0."),
        (trade("BUY", "AAA", "9" * 60, "units"), "trade-0-size", "at most 38 digits"),
        (trade("HOLD", "AAA", "1", "units"), "trade-0-side", "Choose one of the options."),
        (trade("BUY", "A" * 256, "1", "units"), "trade-0-instrument_id", "Use at most 255 characters."),
        (flow("USD", "", "Bonus"), "flow-0-amount", "Enter the amount of cash flow 1."),
        (flow("USD", "much", ""), "flow-0-amount", "Cash flow 1: Enter a number such as 1500.25"),
        (flow("USD", "1", "x" * 2_001), "flow-0-description", "Use at most 2000 characters."),
        ([*trade("BUY", "AAA", "1", "units"), ("title", "x" * 256)], "title", "Use at most 255 characters."),
    ],
)
def test_a_fault_is_said_at_its_field_and_nothing_is_written(
    client_of: ClientOf, portfolio: str, content: Callable[[], str], rows: Pairs, field: str, told: str
) -> None:
    leo = client_of("leo")
    fields, before = [*opened(leo, portfolio), *rows], content()
    answer = send(leo, fields, "create")
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert told in words_of(answer.text, f"{field}-error")
    for name, value in rows:
        assert name in ("side", "size_in", "currency") or value in values(answer.text, name)
    assert content() == before


@SQLITE
def test_all_faults_are_told_at_once(client_of: ClientOf, portfolio: str) -> None:
    leo = client_of("leo")
    rows = [*trade("BUY", held(), "x", "units"), *trade("BUY", held(1), "", "units")]
    page = send(leo, [*opened(leo, portfolio), *rows], "simulate").text
    assert words_of(page, "trade-0-size-error")
    assert words_of(page, "trade-1-size-error")


@SQLITE
def test_simulating_shows_the_outcome_and_writes_nothing(
    client_of: ClientOf, portfolio: str, content: Callable[[], str]
) -> None:
    leo = client_of("leo")
    fields, before = [*opened(leo, portfolio), *trade("SELL", held(), "10", "units")], content()
    answer = send(leo, fields, "simulate")
    assert answer.status_code == 200
    assert f"Sell {held()} 10" in words_of(answer.text, "orders")
    assert values(answer.text, "size") == ["10"]
    check = send(leo, fields, "", path="/proposals/check")
    assert "sells" in check.text
    assert "Enter the size" in send(leo, [*fields[:3], *trade("BUY", "A", "", "units")], "", "/proposals/check").text
    assert content() == before


@SQLITE
def test_money_is_in_the_currency_of_the_price(client_of: ClientOf, portfolio: str) -> None:
    leo = client_of("leo")
    fields = [*opened(leo, portfolio), *trade("SELL", held(), "1 000", "money")]
    assert "1,000.00" in words_of(send(leo, fields, "simulate").text, "orders")


def test_the_form_creates_once_however_often_it_is_sent(app: Flask, client_of: ClientOf, portfolio: str) -> None:
    leo = client_of("leo")
    fields = [
        *opened(leo, portfolio),
        *trade("SELL", held(), "10", "units"),
        *flow("", "-100", "School fees"),
        ("title", "A title"),
        ("advisor_notes", "A note"),
    ]
    first, again = send(leo, fields, "create"), send(leo, fields, "create")
    assert (first.status_code, again.status_code) == (303, 303)
    assert first.headers["Location"] == again.headers["Location"]
    page = leo.get(first.headers["Location"]).text
    assert "A title" in page
    assert "School fees" in words_of(page, "cash-flows")
    assert "leo created the proposal" in words_of(page, "timeline")
    other = send(leo, [*fields, *trade("SELL", held(1), "1", "units")], "create")
    assert other.status_code == 409
    assert "This form was sent before" in words_of(other.text, "outcome")
    assert first.headers["Location"] in other.text
    kept = [*hidden(other), *fields[3:], *trade("SELL", held(1), "1", "units")]
    assert send(leo, kept, "create").headers["Location"] != first.headers["Location"]


@SQLITE
def test_a_request_that_is_no_longer_stored_loses_no_text(client_of: ClientOf, portfolio: str) -> None:
    leo = client_of("leo")
    rows = trade("SELL", held(), "10", "units")
    for basis in ("run:rr_gone", "proposal:1:pp_gone", "proposal:x", "elsewhere", ""):
        page = send(leo, [("key", "k"), ("basis", basis), *rows], "create")
        assert page.status_code == 422
        assert values(page.text, "size") == ["10"]
    page = send(leo, [("key", "k"), ("basis", ""), *rows, ("portfolio_id", portfolio)], "rebase")
    assert page.status_code == 200
    assert (values(page.text, "size"), "basis" in page.text) == (["10"], True)


def test_a_new_version_starts_from_the_current_one(app: Flask, client_of: ClientOf) -> None:
    with app.app_context():
        proposal_id = proposals.led_to(proposals.proposed().proposal_id, ProposalState.RISK_REVIEW)
    leo, path = client_of("leo"), f"/proposals/{proposal_id}/versions/new"
    page = leo.get(path)
    assert (values(page.text, "instrument_id"), values(page.text, "size")) == (["EQ_GROWTH"], ["30"])
    assert values(page.text, "amount") == ["1000.00"]
    fields = [*hidden(page), *trade("BUY", "EQ_GROWTH", "31", "units")]
    answer = send(leo, fields, "create", path)
    assert answer.headers["Location"] == f"/proposals/{proposal_id}"
    shown_page = leo.get(f"/proposals/{proposal_id}").text
    assert "The proposal is a draft again." in shown_page
    assert "2 of 2" in shown_page
    stale = send(leo, [*fields[1:], ("key", "another")], "create", path)
    assert stale.status_code == 409
    assert "Version 2 is the current one by now." in words_of(stale.text, "outcome")
    assert values(stale.text, "size") == ["31"]


@SQLITE
def test_a_proposal_that_has_ended_has_no_new_version(app: Flask, client_of: ClientOf) -> None:
    with app.app_context():
        proposal_id = proposals.led_to(proposals.proposed().proposal_id, ProposalState.CANCELLED)
    answer = client_of("leo").get(f"/proposals/{proposal_id}/versions/new")
    assert answer.status_code == 422
    assert "The proposal has ended" in answer.text


@SQLITE
def test_a_lost_session_gives_the_form_back(app: Flask, client_of: ClientOf, portfolio: str) -> None:
    leo = client_of("leo")
    fields = [*opened(leo, portfolio), *trade("SELL", held(), "10", "units"), ("title", "Not lost")]
    token = csrf_token(leo)
    with leo.session_transaction() as cookie:
        cookie.pop("_user_id")
    body = urlencode([("csrf_token", token), *fields, ("do", "create")])
    page = leo.post(NEW, data=body, content_type="application/x-www-form-urlencoded")
    assert page.status_code == 401
    form: dict[str, Any] = hidden_fields(page) | {"name": "leo", "password": "a password for tests"}
    assert leo.post("/login", data=form).status_code == 303
    again = leo.get(NEW).text
    assert (values(again, "title"), values(again, "size")) == (["Not lost"], ["10"])


@SQLITE
def test_htmx_gets_the_form_alone(client_of: ClientOf, portfolio: str) -> None:
    leo = client_of("leo")
    fields = [*opened(leo, portfolio), *trade("SELL", held(), "10", "units")]
    body = urlencode([("csrf_token", csrf_token(leo)), *fields, ("do", "add_trade")])
    answer = leo.post(NEW, data=body, content_type="application/x-www-form-urlencoded", headers={"HX-Request": "true"})
    assert "<html" not in answer.text
    assert 'id="proposal-form"' in shown(answer)
