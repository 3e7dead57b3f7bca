"""Who has an item: what a disabled person holds is told everywhere and can be moved, and rows offer claims to whom they are left."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lotus_web.domain.access import Role
from lotus_web.domain.items.actions import Action
from tests.integration.conftest import ClientOf
from tests.integration.web.inbox.test_inbox import counted, ids
from tests.integration.web.items.test_items import TOMAS, url_of
from tests.stores.makers import KINDS
from tests.support import runs
from tests.support.events import person
from tests.support.people import csrf_token, hire, post

pytestmark = [pytest.mark.environ(DPM_WORKFLOW_ENABLED="true"), pytest.mark.stores("sqlite")]
MAX = person("max", Role.MANAGER)
DISABLED = re.compile(r'<span class="badge badge--alert">.*?</svg>Disabled</span>', re.DOTALL)


def given(app: Flask, *keys: str, to: str = "tomas") -> list[str]:
    """Return new items, none of them late, that were given to a person."""
    items = [runs.item(app, key=key, age=timedelta(minutes=10)) for key in keys]
    for item in items:
        runs.act(app, item, Action.REASSIGN, by=MAX, assigned_account_id=to)
    return items


def disable(app: Flask, client_of: ClientOf, name: str = "tomas") -> FlaskClient:
    """Have an administrator disable a person and return the administrator's client."""
    ada = client_of("ada")
    assert post(ada, f"/admin/people/{name}", {"change": "disable"}).status_code == 303
    return ada


def rows(page: str) -> list[str]:
    return re.findall(r"<tr data-row.*?</tr>", page, re.DOTALL)


@pytest.mark.stores(*KINDS)
def test_what_a_disabled_person_holds_is_counted_and_given_to_someone_else(app: Flask, client_of: ClientOf) -> None:
    hire(app, "tomas", Role.REVIEWER)
    held = given(app, "a", "b")
    ada = disable(app, client_of)
    page = ada.get("/admin/people/tomas").text
    assert "tomas may no longer sign in and still holds 2 open items." in page
    (inbox,) = set(re.findall(r'href="(/inbox[^"]*)">2 open items<', page))
    assert set(ids(ada, unescape(inbox).partition("?")[2])) == set(held)
    board = re.search(r'href="(/sla[^"]*)">Reassign<', page)
    assert board
    assert f'href="{board[1]}">Reassign these<' in ada.get(unescape(inbox)).text
    shown = ada.get(board[1]).text
    assert len(rows(shown)) == 2
    assert f'action="{board[1]}"' in shown
    seen = [unescape(one) for one in re.findall(r'name="seen" value="([^"]*)"', shown)]
    form = {"csrf_token": csrf_token(ada), "seen": seen, "item": held, "to": "role:reviewer"}
    answer = ada.post(board[1], data=form)
    assert (answer.status_code, answer.location) == (303, board[1])
    left = ada.get(board[1]).text
    assert "2 items moved to reviewer." in left
    assert "tomas holds nothing" in left
    page = ada.get("/admin/people/tomas").text
    assert "still holds" not in page
    assert "<dd>nothing</dd>" in page


def test_the_board_of_one_person_holds_no_item_of_another(app: Flask, client_of: ClientOf) -> None:
    hire(app, "tomas", Role.REVIEWER)
    given(app, "his")
    runs.item(app, key="late", age=timedelta(hours=6))
    max_ = client_of("max")
    assert len(rows(max_.get("/sla?person=tomas").text)) == 1
    assert "max holds nothing" in max_.get("/sla?person=max").text
    assert max_.get("/sla?person=%00").status_code == 422
    assert 'hx-get="/sla?person=tomas"' in max_.get("/sla?person=tomas").text


@pytest.mark.stores(*KINDS)
def test_a_disabled_holder_is_called_so_wherever_the_item_stands(app: Flask, client_of: ClientOf) -> None:
    hire(app, "tomas", Role.REVIEWER)
    hire(app, "rita", Role.REVIEWER)
    (held,), (other,) = given(app, "a"), given(app, "b", to="rita")
    late = runs.item(app, key="late", age=timedelta(hours=6))
    runs.act(app, late, Action.REASSIGN, by=MAX, assigned_account_id="tomas")
    max_ = client_of("max")
    pages = ("/inbox?tab=open", "/sla", "/sla?person=tomas", url_of(held))
    assert not [path for path in pages if DISABLED.search(max_.get(path).text)]
    disable(app, client_of)
    marked = [row for row in rows(max_.get("/inbox?tab=open").text) if DISABLED.search(row)]
    assert [url_of(late) in unescape(marked[0]), url_of(held) in unescape(marked[1]), len(marked)] == [True, True, 2]
    for path, found in (("/sla", 1), ("/sla?person=tomas", 2), (url_of(held), 1), (url_of(other), 0)):
        assert len(DISABLED.findall(max_.get(path).text)) == found, path
    assert "holds this item but can no longer sign in" in max_.get(url_of(held)).text
    board = max_.get("/sla").text
    assert 'aria-label="Open items of tomas, disabled: 2, 1 late"' in board
    assert 'dir="auto">tomas</a> <span class="over">disabled</span>' in board
    assert 'aria-label="Open items of rita: 1"' in board


@pytest.mark.parametrize("path", ["/inbox?tab=open", "/sla", "/sla?person=tomas"])
def test_it_asks_no_more_for_more_holders(app: Flask, client_of: ClientOf, path: str) -> None:
    hire(app, "tomas", Role.REVIEWER)
    given(app, "a")
    max_ = client_of("max")
    max_.get(path)
    with counted(app) as few:
        max_.get(path)
    for number in range(4):
        given(app, f"more-{number}", to=hire(app, f"rita-{number}", Role.REVIEWER))
    disable(app, client_of)
    with counted(app) as many:
        max_.get(path)
    assert len(many) == len(few), "\n".join(many)


def test_a_row_offers_its_claim_to_those_it_is_left_to(app: Flask, client_of: ClientOf) -> None:
    lifted, free = runs.item(app, key="lifted"), runs.item(app, key="free")
    runs.act(app, lifted, Action.ESCALATE, by=TOMAS, text="Above me.")
    nora, max_ = client_of("nora"), client_of("max")
    offered = {
        name: re.findall(r'name="claim" value="\d+:([^"]+)"', client.get("/inbox?tab=open").text)
        for name, client in (("nora", nora), ("max", max_))
    }
    assert offered == {"nora": [free], "max": [lifted]}
    said = "Not assigned to your role. Claiming takes it over."
    for client, item, told in ((nora, lifted, True), (nora, free, False), (max_, lifted, False)):
        page = client.get(url_of(item)).text
        assert 'name="action" value="claim"' in page
        assert (said in page) is told
