"""Working through a list: each decision leads to the next item, and the place in the list is told."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from lotus_web.config.current import utcnow
from lotus_web.domain.items.actions import Action
from lotus_web.models import Decision
from lotus_web.queries.keyset import encode_cursor
from lotus_web.store.session import db
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_items import HTMX, TOMAS, url_of
from tests.stores.makers import KINDS
from tests.support import runs
from tests.support.people import hidden_fields

pytestmark = [pytest.mark.environ(DPM_WORKFLOW_ENABLED="true"), pytest.mark.stores("sqlite")]


def begin(client: FlaskClient, query: str = "tab=roles") -> str:
    """Return the address of the first item of a list that is worked through."""
    page = client.get(f"/inbox?{query}").text
    found = re.search(r'href="([^"]+)" data-shortcut="w"', page)
    assert found
    return unescape(found.group(1))


def decide(client: FlaskClient, address: str, action: str, headers: dict[str, str] | None = None) -> TestResponse:
    """Do something to the item at an address through its form."""
    page = client.get(address)
    seen = {name: value for name, value in hidden_fields(page).items() if name in ("version", "digest", "csrf_token")}
    target = re.search(rf'id="fold-{action}".*?action="([^"]+)"', page.text, re.DOTALL)
    assert target
    data = {**seen, "action": action, "reason_code": "OTHER", "text": "Looked at."}
    return client.post(unescape(target.group(1)), data=data, headers=headers)


def approve(client: FlaskClient, address: str, headers: dict[str, str] | None = None) -> TestResponse:
    """Approve the item at an address through its form."""
    return decide(client, address, "approve", headers)


def onward(client: FlaskClient, address: str) -> str:
    """Return where the next item is, without a word on this one."""
    found = re.search(r'data-shortcut="n" href="([^"]+)"', client.get(address).text)
    assert found
    return unescape(found.group(1))


def title_of(page: str) -> str:
    """Return what the window is called; htmx takes it from the beginning of a fragment alone."""
    found = re.search(r"^(?:<title>|<!DOCTYPE.*?<title>)([^<]+)</title>", page.lstrip(), re.DOTALL)
    assert found
    return unescape(found.group(1))


def heading_of(page: str) -> str:
    found = re.search(r"<h1[^>]*>([^<]+)<", page)
    assert found
    return unescape(found.group(1))


def place(page: str) -> str | None:
    found = re.search(r'queue__place">([^<]+)<', page)
    return found and found.group(1)


@pytest.mark.stores(*KINDS)
def test_a_list_is_worked_through_to_its_end(app: Flask, client_of: ClientOf) -> None:
    items = [runs.item(app, key=f"item-{hours}", age=timedelta(hours=hours)) for hours in (3, 2, 1)]
    nora = client_of("nora")
    address, seen = begin(nora), []
    for _ in items:
        seen.append((place(nora.get(address).text), address.partition("?")[0]))
        address = approve(nora, address).location
    assert seen == [(f"{number} of 3", url_of(item)) for number, item in enumerate(items, start=1)]
    assert "Approved." in nora.get(address).text


def test_with_scripts_the_next_item_comes_in_place_and_says_what_was_done(app: Flask, client_of: ClientOf) -> None:
    first, second = (runs.item(app, key=f"item-{hours}", age=timedelta(hours=hours)) for hours in (3, 2))
    nora = client_of("nora")
    answer = approve(nora, begin(nora), HTMX)
    assert answer.status_code == 204
    where = json.loads(answer.headers["HX-Location"])
    assert (where["target"], where["path"].partition("?")[0]) == ("#item", url_of(second))
    fragment = nora.get(where["path"], headers=HTMX).text
    assert place(fragment) == "2 of 2"
    assert "Approved." in fragment
    assert "data-focus" in fragment
    assert title_of(fragment) == title_of(nora.get(where["path"]).text) == f"{heading_of(fragment)} · Lotus"
    assert first != second


def test_what_comes_in_place_of_an_item_that_cannot_be_shown_is_called_by_what_it_is(
    app: Flask, client_of: ClientOf
) -> None:
    gone = url_of("corr-none:exception:rr_none")
    nora = client_of("nora")
    led = nora.get(gone, headers=HTMX | {"HX-Target": "item"})
    assert (led.status_code, title_of(led.text)) == (404, "Not found · Lotus")
    for where in ({}, {"HX-Target": "item", "X-Lotus-Live": "1"}):
        assert "<title>" not in nora.get(gone, headers=HTMX | where).text


def test_the_list_keeps_its_filters(app: Flask, client_of: ClientOf) -> None:
    runs.item(app, key="new")
    late = [runs.item(app, key=f"late-{hours}", age=timedelta(hours=hours)) for hours in (6, 5)]
    nora = client_of("nora")
    address = begin(nora, "tab=open&due=overdue")
    assert place(nora.get(address).text) == "1 of 2"
    assert approve(nora, address).location.partition("?")[0] == url_of(late[1])


def test_a_list_ends_whatever_was_passed_over_or_came_meanwhile(app: Flask, client_of: ClientOf) -> None:
    items = [runs.item(app, key=f"item-{hours}", age=timedelta(hours=hours)) for hours in (4, 3, 2, 1)]
    nora = client_of("nora")
    address, steps, seen = begin(nora, "tab=open"), ("request_change", "pass", "escalate", "approve"), []
    for step in steps:
        seen.append((place(nora.get(address).text), address.partition("?")[0]))
        if step == "pass":
            runs.item(app, key="late", age=timedelta(hours=9))
            address = onward(nora, address)
        else:
            address = decide(nora, address, step).location
    assert seen == [(f"{number} of 4", url_of(item)) for number, item in enumerate(items, start=1)]
    page = nora.get(address).text
    assert "That was the last of this list." in page
    assert place(page) == "4 of 4"
    assert 'data-shortcut="n"' not in page
    assert 'href="/inbox?tab=open">Back to the list' in page


def test_the_end_is_told_in_place_with_scripts(app: Flask, client_of: ClientOf) -> None:
    runs.item(app)
    nora = client_of("nora")
    page = decide(nora, begin(nora), "request_change", HTMX).text
    assert re.search(r'That was the last of this list\. <a href="/inbox\?tab=roles">Back to the list</a>', page)


def test_a_comment_stays_where_it_was_made(app: Flask, client_of: ClientOf) -> None:
    runs.item(app, key="one", age=timedelta(hours=2))
    runs.item(app, key="two")
    nora = client_of("nora")
    address = begin(nora)
    page = nora.get(address)
    seen = {name: value for name, value in hidden_fields(page).items() if name in ("version", "digest", "csrf_token")}
    answer = nora.post(address, data={**seen, "action": "comment", "text": "Odd."})
    assert answer.location.partition("?")[0] == address.partition("?")[0]


@pytest.mark.parametrize(
    "query",
    [
        "at=x&of=3&tab=open&place=x",
        "at=1&of=2",
        "at=1&of=2&tab=closed&place=x",
        "at=1&of=2&tab=all&escalated=2026-01-01&place=x",
        "at=9999999&of=1&tab=open",
        "at=1&of=2&tab=open&place=cut-sho",
        "at=1&of=2&tab=nowhere&place=x",
        "at=1&of=2&tab=open&due=never&place=x",
    ],
)
def test_an_address_without_a_list_is_just_the_item(app: Flask, client_of: ClientOf, query: str) -> None:
    page = client_of("nora").get(f"{url_of(runs.item(app))}?{query}")
    assert page.status_code == 200
    assert place(page.text) is None


FAR_RANK = encode_cursor((1, "2026-01-01T00:00:00+00:00", 99999, "2026-01-01T00:00:00+00:00", "x"))
NO_LISTS = (
    {"tab": "nowhere"},
    {"status": "odd"},
    {"priority": "odd"},
    {"due": "never"},
    {"role": "a\0b"},
    {"person": "x" * 500},
    {"portfolio": "a\0b"},
    {"q": "\x07"},
    {"age": "old"},
    {"decided": "someday"},
    {"escalated": "9999-99-99"},
    {"place": "cut-sho"},
    {"place": FAR_RANK},
)


@pytest.mark.stores(*KINDS)
def test_a_decision_at_the_address_of_no_list_is_recorded_and_leads_to_the_inbox(
    app: Flask, client_of: ClientOf
) -> None:
    nora = client_of("nora")
    for number, broken in enumerate(NO_LISTS):
        item, headers = runs.item(app, key=f"item-{number}"), HTMX if "place" in broken else None
        page = nora.get(url_of(item))
        data = {
            name: value for name, value in hidden_fields(page).items() if name in ("version", "digest", "csrf_token")
        } | {"action": "approve", "reason_code": "OTHER", "text": "Looked at."}
        query = {"at": "1", "of": "2", "tab": "open", "place": "x"} | broken
        assert nora.get(url_of(item), query_string=query).status_code == 200, broken
        answer = nora.post(url_of(item), query_string=query, data=data, headers=headers)
        assert answer.headers["HX-Redirect" if headers else "Location"] == "/inbox", broken
        assert "Approved." in nora.get("/inbox").text, broken
    with app.app_context():
        assert db.session.scalars(select(Decision.action)).all() == ["APPROVE"] * len(NO_LISTS)


def opened(client: FlaskClient, query: str, number: int) -> str:
    """Return the address to which a row of a list leads, counted from one."""
    page = client.get(f"/inbox?{query}").text
    return unescape(re.findall(r'<a class="row-title[^>]*data-open href="([^"]+)"', page)[number - 1])


def ways(page: str) -> tuple[str | None, str | None, str | None]:
    """Return where an item's page leads: to its list, and to its neighbours in it, without their queries."""
    back = re.search(r'href="([^"]+)">Back to the list', page)
    keys = (re.search(rf'data-shortcut="{key}" href="([^"?]+)', page) for key in "pn")
    before, after = (found and unescape(found.group(1)) for found in keys)
    return back and unescape(back.group(1)), before, after


@pytest.mark.stores(*KINDS)
def test_an_item_opened_from_a_list_keeps_the_list_around_it(app: Flask, client_of: ClientOf) -> None:
    runs.item(app, key="new")
    late = [runs.item(app, key=f"late-{hours}", age=timedelta(hours=hours)) for hours in (8, 7, 6)]
    nora = client_of("nora")
    here = "/inbox?tab=open&due=overdue"
    address = opened(nora, "tab=open&due=overdue", 2)
    page = nora.get(address).text
    assert address.partition("?")[0] == url_of(late[1])
    assert ways(page) == (here, url_of(late[0]), url_of(late[2]))
    assert re.search(r'<li><a href="/inbox\?tab=open&amp;due=overdue">Inbox</a></li>', page)
    after = nora.get(onward(nora, address)).text
    assert ways(after) == (here, url_of(late[1]), None)
    found = re.search(r'data-shortcut="p" href="([^"]+)"', after)
    assert found
    again = nora.get(unescape(found.group(1))).text
    assert ways(again) == (here, url_of(late[0]), url_of(late[2]))


def test_a_row_is_known_by_its_address_when_the_list_is_refreshed(app: Flask, client_of: ClientOf) -> None:
    runs.item(app, key="first", age=timedelta(hours=2))
    nora = client_of("nora")
    address = opened(nora, "tab=open", 1)
    runs.item(app, key="before", age=timedelta(hours=9))
    assert opened(nora, "tab=open", 2) == address


@pytest.mark.stores(*KINDS)
def test_neighbours_are_found_across_what_is_late_and_what_is_not(app: Flask, client_of: ClientOf) -> None:
    ages = (timedelta(hours=8), timedelta(hours=7), timedelta(minutes=9), timedelta(minutes=5))
    items = [url_of(runs.item(app, key=f"item-{number}", age=age)) for number, age in enumerate(ages)]
    nora = client_of("nora")
    seen = [ways(nora.get(opened(nora, "tab=open", number)).text)[1:] for number in (1, 2, 3, 4)]
    assert seen == [(None, items[1]), (items[0], items[2]), (items[1], items[3]), (items[2], None)]


def test_a_decision_on_an_item_that_was_opened_stays_there_with_its_list(app: Flask, client_of: ClientOf) -> None:
    items = [runs.item(app, key=f"item-{hours}", age=timedelta(hours=hours)) for hours in (3, 2)]
    nora = client_of("nora")
    address = opened(nora, "tab=open", 1)
    answer = approve(nora, address)
    assert answer.location.partition("?")[0] == url_of(items[0])
    assert ways(nora.get(answer.location).text) == ("/inbox?tab=open", None, url_of(items[1]))
    told = approve(nora, opened(nora, "tab=open", 1), HTMX).text
    assert '<a href="/inbox?tab=open">Back to the list</a>' in told


def test_rows_of_a_later_page_stand_in_the_whole_list(
    app: Flask, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lotus_web.web.inbox.views.PAGE_SIZE", 2)
    items = [url_of(runs.item(app, key=f"item-{hours}", age=timedelta(hours=hours))) for hours in (4, 3, 2, 1)]
    nora = client_of("nora")
    later = re.search(r'rel="next" href="/inbox\?([^"]+)"', nora.get("/inbox?tab=open").text)
    assert later
    page = nora.get(opened(nora, unescape(later.group(1)), 1)).text
    assert ways(page) == ("/inbox?tab=open", items[1], items[3])


def test_a_decided_item_leads_back_to_the_list_it_was_found_in(app: Flask, client_of: ClientOf) -> None:
    workflow_id = runs.item(app, key="done")
    runs.act(app, workflow_id, Action.APPROVE, by=TOMAS, text="Fine.")
    runs.item(app, key="open")
    nora = client_of("nora")
    day = f"{utcnow():%Y-%m-%d}"
    page = nora.get(opened(nora, f"tab=closed&decided={day}", 1)).text
    assert ways(page) == (f"/inbox?tab=closed&decided={day}", None, None)


def test_who_works_through_a_list_can_step_back(app: Flask, client_of: ClientOf) -> None:
    items = [url_of(runs.item(app, key=f"item-{hours}", age=timedelta(hours=hours))) for hours in (3, 2, 1)]
    nora = client_of("nora")
    second = nora.get(onward(nora, begin(nora, "tab=open"))).text
    assert (place(second), ways(second)) == ("2 of 3", ("/inbox?tab=open", items[0], items[2]))
    found = re.search(r'data-shortcut="p" href="([^"]+)"', second)
    assert found
    assert place(nora.get(unescape(found.group(1))).text) == "1 of 3"


def test_an_item_by_its_own_address_is_in_no_list(app: Flask, client_of: ClientOf) -> None:
    first, second = (runs.item(app, key=key) for key in ("one", "two"))
    page = client_of("nora").get(url_of(first)).text
    assert ways(page) == (None, None, url_of(second))
    assert '<li><a href="/inbox">Inbox</a></li>' in page


def test_the_holder_sees_until_when_the_claim_holds(app: Flask, client_of: ClientOf) -> None:
    workflow_id, nora = runs.item(app), client_of("nora")
    runs.act(app, workflow_id, Action.CLAIM, by=TOMAS)
    page = nora.get(url_of(workflow_id)).text
    assert "<bdi>tomas</bdi> holds this item." in page
    assert re.search(r"The claim ends <time [^>]*>in (29|30)", page)
