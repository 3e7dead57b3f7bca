"""The decision history as a page and as a file."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Actor, ActorType, Role, permissions_of
from lotus_web.domain.items.actions import Action
from lotus_web.web.shell.csv import safe_cell
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_items import TOMAS
from tests.support import runs
from tests.support.people import hire

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")


def decided(app: Flask, key: str, action: Action = Action.APPROVE, **asked: str) -> str:
    """Record a run, decide it and return its id."""
    run_id = runs.record(app, key=key)
    runs.act(app, runs.item_of(run_id, key), action, by=TOMAS, **asked)
    return run_id


def rows(client: FlaskClient, query: str = "") -> list[dict[str, str]]:
    """Return the export as a spreadsheet reads it."""
    answer = client.get(f"/decisions.csv?{query}")
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


def test_it_tells_who_decided_what_and_why(app: Flask, client_of: ClientOf) -> None:
    run_id = decided(app, "a", reason_code="WITHIN_MANDATE", text="Checked with the client.")
    page = client_of("vera").get("/decisions").text
    for told in (
        "Approve",
        "The outcome is within the mandate",
        "Checked with the client.",
        "tomas",
        f"/runs/{run_id}",
    ):
        assert told in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "cba"),
        ("action=REJECT", "b"),
        ("reason_code=LIMIT_BREACH", "b"),
        ("actor_id=tomas", "cba"),
        ("actor_id=nora", ""),
        ("q=VERY+careful", "a"),
        ("q=%25", ""),
        ("from=2020-01-01&to=2020-01-02", ""),
        ("from=2020-01-01", "cba"),
    ],
)
def test_filters_are_the_same_for_page_and_file(app: Flask, client_of: ClientOf, query: str, found: str) -> None:
    known = {
        "a": decided(app, "a", reason_code="WITHIN_MANDATE", text="A very careful look."),
        "b": decided(app, "b", Action.REJECT, reason_code="LIMIT_BREACH"),
        "c": decided(app, "c", Action.REQUEST_CHANGE, reason_code="MODEL_OUTDATED"),
    }
    nora = client_of("nora")
    assert [row["run_id"] for row in rows(nora, query)] == [known[name] for name in found]
    page = nora.get(f"/decisions?{query}").text
    assert {name for name, run_id in known.items() if run_id in page} == set(found)


@pytest.mark.usefixtures("at_noon")
def test_the_run_the_portfolio_and_today_narrow_it(app: Flask, client_of: ClientOf) -> None:
    run_id = decided(app, "a", reason_code="WITHIN_MANDATE")
    decided(app, "b", reason_code="WITHIN_MANDATE")
    nora, day = client_of("nora"), f"{utcnow():%Y-%m-%d}"
    assert [row["run_id"] for row in rows(nora, f"rebalance_run_id={run_id}")] == [run_id]
    portfolio = rows(nora)[0]["portfolio_id"]
    assert len(rows(nora, f"portfolio_id={portfolio}")) == 2
    assert len(rows(nora, f"from={day}&to={day}")) == 2
    assert rows(nora, f"to={utcnow() - timedelta(days=2):%Y-%m-%d}") == []


@pytest.mark.parametrize("query", ["action=MAYBE", "from=yesterday", "from=2026-02-02&to=2026-02-01", "cursor=!!"])
@pytest.mark.stores("sqlite")
def test_an_address_that_means_nothing_is_refused(app: Flask, client_of: ClientOf, query: str) -> None:
    assert client_of("nora").get(f"/decisions?{query}").status_code == 422


@pytest.mark.stores("sqlite")
def test_counts_are_links_to_what_they_count(app: Flask, client_of: ClientOf) -> None:
    decided(app, "a", reason_code="WITHIN_MANDATE")
    decided(app, "b", Action.REJECT, reason_code="LIMIT_BREACH")
    page = client_of("nora").get("/decisions").text
    assert 'href="/decisions?action=APPROVE"' in page
    assert 'href="/decisions?reason_code=LIMIT_BREACH"' in page


@pytest.mark.parametrize("start", [*"=+-@\t\r\n＝＋－＠﹦﹢﹣﹫−", " =", "\u3000＝", '"='])
@pytest.mark.stores("sqlite")
def test_no_cell_of_the_file_is_a_formula(app: Flask, client_of: ClientOf, start: str) -> None:
    cell = f'{start}HYPERLINK("http://evil.example")'
    assert safe_cell(cell) == f"'{cell}"
    if start.isprintable() and not start.isspace() and start in "=+-@＝＋－＠﹦﹢﹣﹫−":
        decided(app, "a", reason_code="OTHER", text=cell)
        assert rows(client_of("nora"))[0]["comment"] == f"'{cell}"


@pytest.mark.stores("sqlite")
def test_the_file_is_marked_as_utf_8_and_as_a_download(app: Flask, client_of: ClientOf) -> None:
    decided(app, "a", reason_code="OTHER", text='Zürich said "yes", in two\nlines')
    answer = client_of("nora").get("/decisions.csv")
    assert answer.data.startswith(b"\xef\xbb\xbf")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert rows(client_of("nora"))[0]["comment"] == 'Zürich said "yes", in two\nlines'


def test_another_tenants_decisions_are_in_neither(app: Flask, client_of: ClientOf) -> None:
    run_id = runs.record(app, key="z", tenant="zurich")
    hire(app, "zoe", Role.REVIEWER, tenant="zurich")
    zoe = Actor(ActorType.PERSON, "zoe", "zurich", permissions_of([Role.REVIEWER]), frozenset({Role.REVIEWER}))
    runs.act(app, runs.item_of(run_id, "z"), Action.APPROVE, by=zoe, text="Fine.")
    nora = client_of("nora")
    assert rows(nora) == []
    assert rows(nora, f"rebalance_run_id={quote(run_id)}") == []
    assert "No decision fits these filters" in nora.get(f"/decisions?rebalance_run_id={run_id}").text


@pytest.mark.stores("sqlite")
@pytest.mark.environ(LOTUS_WEB_THREADS="8")
def test_only_so_many_exports_are_sent_at_once(app: Flask, client_of: ClientOf) -> None:
    decided(app, "a", reason_code="OTHER", text="seen")
    client = client_of("nora")
    client.head("/decisions.csv").close()
    begun = [client.get("/decisions.csv") for _ in range(3)]
    refused = client.get("/decisions.csv")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "5")
    assert "Others are exporting at the moment." in refused.text
    assert client.get("/decisions").status_code == 200
    assert all("seen" in answer.text for answer in begun)
    for answer in begun:
        answer.close()
    del begun, answer
    assert client.get("/decisions.csv").status_code == 200
