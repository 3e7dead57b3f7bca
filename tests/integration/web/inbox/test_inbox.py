"""The inbox: its tabs, its order, its filters, and claiming a row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from html import unescape
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from lotus_web.domain.access import Role
from lotus_web.domain.items.actions import Action
from lotus_web.store.session import db
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_items import HTMX, TOMAS
from tests.support import runs
from tests.support.events import person
from tests.support.people import csrf_token, post, untitled

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")

_TITLE = re.compile(r'data-open href="[^"]*">([^<]+)</a>')
_OPEN = re.compile(r'data-open href="/inbox/([^"?]+)')


def ids(client: FlaskClient, query: str) -> list[str]:
    """Return the ids of the rows that an address shows, in order."""
    from urllib.parse import unquote

    page = client.get(f"/inbox?{query}")
    assert page.status_code == 200
    return [unquote(unescape(found)) for found in _OPEN.findall(page.text)]


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """Collect the statements that the store is asked."""
    asked: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


def test_what_is_late_comes_first_then_what_is_urgent_then_what_is_old(app: Flask, client_of: ClientOf) -> None:
    young = runs.item(app, key="young")
    old = runs.item(app, key="old", age=timedelta(hours=1))
    late = runs.item(app, key="late", age=timedelta(hours=5))
    capped_late = runs.item(app, runs.CAPPED, key="capped", age=timedelta(hours=6))
    assert ids(client_of("nora"), "tab=open") == [late, capped_late, old, young]


def test_each_tab_holds_its_own(app: Flask, client_of: ClientOf) -> None:
    nora = client_of("nora")
    client_of("max")
    mine, theirs, free, lifted, done = (runs.item(app, key=key) for key in "abcde")
    for workflow_id in (mine, lifted):
        post(nora, f"/inbox/{quote(workflow_id, safe='')}", {"action": "claim", "version": "1"})
    runs.act(app, theirs, Action.CLAIM, by=TOMAS)
    runs.act(app, lifted, Action.ESCALATE, by=TOMAS, text="Above me.")
    runs.act(app, done, Action.APPROVE, by=TOMAS, text="Fine.")
    assert ids(nora, "tab=mine") == [mine]
    assert ids(nora, "tab=roles") == [free]
    assert set(ids(nora, "tab=unassigned")) == {free, lifted}
    assert set(ids(nora, "tab=open")) == {mine, theirs, free, lifted}
    assert ids(nora, "tab=closed") == [done]
    assert ids(client_of("max"), "tab=roles") == [lifted]
    tabs = nora.get("/inbox").text
    assert [int(count) for count in re.findall(r'class="count[^"]*">([\d,]+)<', tabs)] == [1, 1, 2, 4, 1]


@pytest.mark.stores("sqlite")
def test_it_opens_on_the_first_tab_that_holds_something(app: Flask, client_of: ClientOf) -> None:
    nora = client_of("nora")
    workflow_id = runs.item(app)
    assert ids(nora, "") == [workflow_id]
    assert nora.get("/").location == "/inbox"
    assert 'href="/inbox?tab=roles" aria-current="page"' in nora.get("/inbox").text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=in_review", "claimed"),
        ("status=requested", "late,other"),
        ("priority=normal", "other"),
        ("due=overdue", "late"),
        ("person=tomas", "claimed"),
        ("role=reviewer", "late,claimed,other"),
        ("role=manager", ""),
        ("q=cannot+BE+allocated", "other"),
        ("q=100%25", ""),
        ("q=_", "late,claimed,other"),
        ("portfolio=nothing", ""),
    ],
)
def test_a_filter_narrows_the_tab_and_its_counts(app: Flask, client_of: ClientOf, query: str, found: str) -> None:
    known = {
        "late": runs.item(app, key="late", age=timedelta(hours=5)),
        "claimed": runs.item(app, runs.CASH_TOO_LOW, key="claimed", age=timedelta(minutes=30)),
        "other": runs.item(app, runs.CAPPED, key="other"),
    }
    runs.act(app, known["claimed"], Action.CLAIM, by=TOMAS)
    wanted = [known[name] for name in found.split(",") if name]
    nora = client_of("nora")
    assert ids(nora, f"tab=open&{query}") == wanted
    page = nora.get(f"/inbox?tab=open&{query}").text
    assert re.search(rf'>All open <span class="count[^"]*">{len(wanted)}<', page)


@pytest.mark.parametrize(
    "query", ["tab=nowhere", "status=lost", "due=someday", "priority=9", "cursor=x", f"q={'x' * 500}"]
)
@pytest.mark.stores("sqlite")
def test_an_address_that_means_nothing_is_refused(app: Flask, client_of: ClientOf, query: str) -> None:
    assert client_of("nora").get(f"/inbox?{query}").status_code == 422


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("tab=mine", "Nothing is assigned to you"),
        ("tab=roles", "Nothing is waiting for your roles"),
        ("tab=unassigned", "Nothing is unassigned"),
        ("tab=open", "Nothing is open"),
        ("tab=closed", "No decisions yet"),
        ("tab=open&q=x", "No item fits these filters"),
    ],
)
@pytest.mark.stores("sqlite")
def test_an_empty_tab_says_what_to_do_next(app: Flask, client_of: ClientOf, query: str, words: str) -> None:
    assert words in client_of("nora").get(f"/inbox?{query}").text


def test_claiming_a_row_leads_back_to_the_same_filters(app: Flask, client_of: ClientOf) -> None:
    nora, workflow_id = client_of("nora"), runs.item(app)
    answer = post(nora, "/inbox?tab=open&priority=high", {"claim": f"1:{workflow_id}"})
    assert answer.status_code == 303
    assert answer.location == "/inbox?tab=open&priority=high"
    assert "is yours now." in nora.get(answer.location).text
    assert ids(nora, "tab=mine") == [workflow_id]


@pytest.mark.stores("sqlite")
def test_htmx_gets_the_list_with_the_claim_in_focus(app: Flask, client_of: ClientOf) -> None:
    answer = post(client_of("nora"), "/inbox?tab=roles", {"claim": f"1:{runs.item(app)}"}, headers=HTMX)
    assert answer.status_code == 200
    assert untitled(answer.text).startswith('<section id="inbox"')
    assert "is yours now." in answer.text
    assert "data-focus" in answer.text


def test_claiming_what_someone_else_took_says_so(app: Flask, client_of: ClientOf) -> None:
    nora, workflow_id = client_of("nora"), runs.item(app)
    runs.act(app, workflow_id, Action.CLAIM, by=TOMAS)
    answer = post(nora, "/inbox?tab=open", {"claim": f"1:{workflow_id}"})
    assert answer.status_code == 409
    assert "tomas claimed it. It is in review." in answer.text
    assert ids(nora, "tab=mine") == []


def test_what_is_in_review_and_left_to_a_role_offers_its_claim_and_no_release(app: Flask, client_of: ClientOf) -> None:
    nora, workflow_id = client_of("nora"), runs.item(app)
    path, button = f"/inbox/{quote(workflow_id, safe='')}", 'name="action" value="{}"'
    runs.act(app, workflow_id, Action.CLAIM, by=TOMAS)
    runs.act(app, workflow_id, Action.REASSIGN, by=person("max", Role.MANAGER), assigned_role="reviewer")
    assert f'value="3:{workflow_id}"' in nora.get("/inbox?tab=open").text
    page = nora.get(path).text
    assert "This item is unassigned; it is waiting for any reviewer." in page
    assert (button.format("claim") in page, button.format("release") in page) == (True, False)
    assert post(nora, "/inbox?tab=open", {"claim": f"3:{workflow_id}"}).status_code == 303
    assert ids(nora, "tab=mine") == [workflow_id]
    page = nora.get(path).text
    assert (button.format("claim") in page, button.format("release") in page) == (False, True)


def test_taking_the_next_item_opens_the_most_urgent_free_one(app: Flask, client_of: ClientOf) -> None:
    nora = client_of("nora")
    runs.item(app, key="young")
    late = runs.item(app, key="late", age=timedelta(hours=5))
    answer = post(nora, "/inbox/next")
    assert answer.status_code == 303
    assert answer.location == f"/inbox/{quote(late, safe='')}"
    assert ids(nora, "tab=mine") == [late]


@pytest.mark.stores("sqlite")
def test_taking_the_next_item_says_so_when_there_is_none(app: Flask, client_of: ClientOf) -> None:
    nora = client_of("nora")
    assert post(nora, "/inbox/next").location == "/inbox"
    assert "Nothing is free for your roles now." in nora.get("/inbox").text


@pytest.mark.stores("sqlite")
def test_who_only_looks_is_offered_no_claim(app: Flask, client_of: ClientOf) -> None:
    workflow_id, vera = runs.item(app), client_of("vera")
    page = vera.get("/inbox?tab=open")
    assert workflow_id in unescape(page.text).replace("%3A", ":")
    assert 'name="claim"' not in page.text
    assert post(vera, "/inbox", {"claim": f"1:{workflow_id}"}).status_code == 403


def test_another_tenants_items_are_not_there(app: Flask, client_of: ClientOf) -> None:
    theirs, nora = runs.item(app, tenant="zurich"), client_of("nora")
    assert ids(nora, "tab=open") == []
    assert post(nora, "/inbox?tab=open", {"claim": f"1:{theirs}"}).status_code == 404


def test_it_asks_the_store_no_more_for_more_rows(app: Flask, client_of: ClientOf) -> None:
    nora = client_of("nora")
    runs.item(app, key="first")
    nora.get("/inbox?tab=open")
    with counted(app) as few:
        nora.get("/inbox?tab=open")
    for number in range(8):
        runs.item(app, key=f"more-{number}", age=timedelta(hours=number))
    with counted(app) as many:
        nora.get("/inbox?tab=open")
    assert len(many) == len(few), "\n".join(many)


@pytest.mark.stores("sqlite")
def test_page_and_fragment_share_an_address(app: Flask, client_of: ClientOf) -> None:
    nora = client_of("nora")
    runs.item(app)
    page, fragment = nora.get("/inbox?tab=open"), nora.get("/inbox?tab=open", headers=HTMX)
    restored = nora.get("/inbox?tab=open", headers={**HTMX, "HX-History-Restore-Request": "true"})
    assert "<html" in page.text
    assert "<html" in restored.text
    assert "<html" not in fragment.text
    assert all("HX-Request" in answer.headers["Vary"] for answer in (page, fragment, restored))
    assert csrf_token(nora)
