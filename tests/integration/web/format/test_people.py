"""Wherever a person is named to people they go by the name that was given for pages; records and JSON keep sign-in names."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from lotus_web.domain.access import Permission, Role
from lotus_web.domain.items.actions import Action
from lotus_web.models import Person
from lotus_web.store.session import db, transaction
from lotus_web.web.format.people import ShownNames
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_items import url_of
from tests.stores.makers import KINDS
from tests.support import runs
from tests.support.events import person
from tests.support.people import bearer_of, hire, sign_in

pytestmark = [pytest.mark.environ(DPM_WORKFLOW_ENABLED="true"), pytest.mark.stores("sqlite")]
TOMAS, MAX = person("tomas", Role.REVIEWER), person("max", Role.MANAGER)
SHOWN = {"nora": "Nora Lind", "tomas": "Tomas Roth", "max": "Max Brandt"}


def call(app: Flask, **names: str) -> None:
    """Give people, who are hired where they are not yet, a name on pages."""
    with app.app_context(), transaction() as session:
        for name, shown in names.items():
            session.get_one(Person, name).display_name = shown


def looks(client: FlaskClient, path: str) -> str:
    """Return what a page says in its main part, as text."""
    page = client.get(path).text.partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


@pytest.fixture
def named(app: Flask, client_of: ClientOf) -> FlaskClient:
    """A manager among three people, each with a name for pages."""
    hire(app, "nora")
    hire(app, "tomas", Role.REVIEWER)
    max_ = client_of("max")
    call(app, **SHOWN)
    return max_


@pytest.mark.stores(*KINDS)
def test_who_holds_and_who_decided_go_by_their_names(app: Flask, named: FlaskClient) -> None:
    held, done = runs.item(app, key="held"), runs.item(app, key="done")
    runs.act(app, held, Action.REASSIGN, by=MAX, assigned_account_id="nora", text="Please.")
    runs.act(app, done, Action.APPROVE, by=TOMAS, reason_code="WITHIN_MANDATE")
    assert "Nora Lind" in looks(named, "/inbox?tab=open")
    assert "Tomas Roth" in looks(named, "/inbox?tab=closed")
    assert "Tomas Roth" in looks(named, "/decisions")
    assert "Nora Lind" in looks(named, "/sla")
    assert "Tomas Roth (tomas)" in looks(named, "/audit?source=action&kind=approve")
    item = looks(named, url_of(held))
    assert "Nora Lind holds this item." in item
    assert "Assignee Nora Lind (nora)" in item
    assert "assigned it to Nora Lind" in item
    assert "Nora Lind was notified" in item
    assert "Tomas Roth" in looks(named, url_of(done))
    told = app.test_client()
    sign_in(told, "nora")
    assert "is assigned to Nora Lind." in looks(told, "/notifications")


def test_addresses_and_forms_keep_the_sign_in_name(app: Flask, named: FlaskClient) -> None:
    workflow_id = runs.item(app)
    runs.act(app, workflow_id, Action.REASSIGN, by=MAX, assigned_account_id="nora", text="Please.")
    page = named.get(url_of(workflow_id)).text
    assert re.search(r'<option value="tomas"[^>]*>Tomas Roth \(tomas\)</option>', page)
    board = named.get("/sla").text
    assert re.search(r'<option value="person:tomas"[^>]*>Tomas Roth \(tomas\)</option>', board)
    assert re.search(r'href="/inbox\?tab=open&amp;person=nora"[^>]*>Nora Lind<', board)
    token = bearer_of(app, "reader", [Permission.RUNS_READ])
    headers = {"Authorization": f"Bearer {token}", "X-Tenant-Id": "default"}
    answer = app.test_client().get("/api/v1/workflows", headers=headers)
    assert answer.json["data"]["items"][0]["assigned_account_id"] == "nora"
    assert "Nora Lind" not in answer.text


def test_the_header_greets_by_name_and_tells_the_sign_in_name(named: FlaskClient) -> None:
    page = named.get("/inbox").text
    assert re.search(r'<span class="who__name"[^>]*>Max Brandt</span>', page)
    assert "Signed in as max" in page


def test_refusals_name_who_is_in_the_way(app: Flask, named: FlaskClient) -> None:
    workflow_id = runs.item(app)
    runs.act(app, workflow_id, Action.CLAIM, by=TOMAS)
    nora = app.test_client()
    sign_in(nora, "nora")
    assert "held by Tomas Roth: only they or a manager can release it." in unescape(nora.get(url_of(workflow_id)).text)


def test_the_names_of_another_tenant_are_not_told(app: Flask, client_of: ClientOf) -> None:
    hire(app, "theo", Role.REVIEWER, tenant="elsewhere")
    max_ = client_of("max")
    call(app, theo="Theo Secret")
    workflow_id = runs.item(app)
    runs.act(app, workflow_id, Action.COMMENT, by=person("theo", Role.REVIEWER), text="From afar.")
    assert "Theo Secret" not in max_.get(url_of(workflow_id)).text


@pytest.mark.parametrize("path", ["/inbox?tab=open", "/sla", "/decisions", "/audit"])
def test_a_page_asks_once_for_names_whomever_it_shows(app: Flask, named: FlaskClient, path: str) -> None:
    def asked() -> int:
        sent: list[str] = []
        event.listen(db.engine, "before_cursor_execute", note := lambda *about: sent.append(about[2]))
        named.get(path)
        event.remove(db.engine, "before_cursor_execute", note)
        return len([one for one in sent if "people.display_name" in one and "person_sessions" not in one])

    for number, name in enumerate(("nora", "tomas", "max")):
        workflow_id = runs.item(app, key=f"item-{number}")
        runs.act(app, workflow_id, Action.REASSIGN, by=MAX, assigned_account_id=name, text="Please.")
        if name == "tomas":
            runs.act(app, workflow_id, Action.APPROVE, by=TOMAS, reason_code="WITHIN_MANDATE")
    with app.app_context():
        assert asked() == 1


@pytest.mark.parametrize(
    ("displayed", "short"),
    [
        ({"ana": "ana"}, {}),
        ({"ana": "Ana Weiß"}, {"ana": "Ana Weiß"}),
        ({"ana": "Ana", "ana.two": "ANA"}, {"ana": "Ana (ana)", "ana.two": "ANA (ana.two)"}),
        ({"ana": "max", "max": "max"}, {"ana": "max (ana)"}),
    ],
)
def test_a_name_that_two_could_have_comes_with_the_sign_in_name(
    displayed: dict[str, str], short: dict[str, str]
) -> None:
    assert ShownNames.of(displayed).short == short
