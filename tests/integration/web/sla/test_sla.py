"""The SLA board: its figures, the inboxes behind its marks, and moving what is late."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lotus_web.config.current import utcnow
from lotus_web.domain.items.actions import Action
from lotus_web.web.sla import views as sla
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_items import HTMX, TOMAS, url_of
from tests.stores.makers import KINDS
from tests.support import runs
from tests.support.histories import contents
from tests.support.people import csrf_token, hire, untitled

pytestmark = [pytest.mark.environ(DPM_WORKFLOW_ENABLED="true"), pytest.mark.stores("sqlite")]


def late_item(app: Flask, key: str = "late") -> str:
    return runs.item(app, key=key, age=timedelta(hours=5))


def move(client: FlaskClient, *items: str, headers: dict[str, str] | None = None, **fields: str) -> TestResponse:
    """Post the board's form as it stands, with these rows chosen."""
    page = client.get("/sla").text
    seen = [unescape(value) for value in re.findall(r'name="seen" value="([^"]*)"', page)]
    data = {"csrf_token": csrf_token(client), "seen": seen, "item": list(items), **fields}
    return client.post("/sla", data=data, headers=headers)


def holder_of(client: FlaskClient, workflow_id: str) -> str:
    page = client.get(url_of(workflow_id)).text
    found = re.search(r"<dt>Assignee</dt>\s*<dd>(.*?)</dd>", page, re.DOTALL)
    assert found
    return re.sub(r"<[^>]+>", "", found.group(1)).strip()


def text_of(page: str) -> str:
    """Return what is read of a page."""
    return re.sub(r"<[^>]+>", "", page)


def figures(page: str) -> dict[str, int]:
    found = re.findall(r'stat__term">(?:<a [^>]*>)?([^<]+)(?:</a>)?</dt>\s*<dd class="stat__value">([\d,]+)<', page)
    return {term: int(value.replace(",", "")) for term, value in found}


@pytest.mark.stores(*KINDS)
@pytest.mark.usefixtures("at_noon")
def test_its_figures_count_what_is_there(app: Flask, client_of: ClientOf) -> None:
    late_item(app)
    runs.item(app, key="soon", age=timedelta(hours=3, minutes=45))
    held = runs.item(app, key="held", age=timedelta(minutes=5))
    done = runs.item(app, key="done", age=timedelta(minutes=30))
    runs.act(app, held, Action.CLAIM, by=TOMAS)
    runs.act(app, done, Action.APPROVE, by=TOMAS, text="Fine.")
    page = client_of("max").get("/sla").text
    counted = figures(page)
    assert (counted["Open"], counted["Overdue"], counted["Due within 30 min"], counted["Unassigned"]) == (
        3,
        1,
        1,
        2,
    )
    assert page.count("<tr data-row") == 2
    assert 'aria-label="Open items of tomas: 1"' in page
    assert 'aria-label="Open items of any reviewer: 2, 1 late, 1 due soon"' in page
    assert "1 late item of any reviewer" in text_of(page)
    assert re.search(r'aria-label="[^"]*, 1 decision"', page)


@pytest.mark.stores(*KINDS)
@pytest.mark.usefixtures("at_noon")
def test_every_mark_leads_to_an_inbox_that_holds_what_it_counts(app: Flask, client_of: ClientOf) -> None:
    late_item(app)
    escalated = runs.item(app, key="up", age=timedelta(minutes=50))
    runs.act(app, escalated, Action.ESCALATE, by=TOMAS, text="Above me.", reason_code="ABOVE_MY_AUTHORITY")
    # Decided since, or escalated, changed and escalated again: once each in the bar and in its list.
    settled, again = (runs.item(app, key=key, age=timedelta(minutes=40)) for key in ("settled", "again"))
    for item, steps in (
        (settled, (Action.ESCALATE, Action.APPROVE)),
        (again, (Action.ESCALATE, Action.REQUEST_CHANGE, Action.ESCALATE)),
    ):
        for step in steps:
            runs.act(app, item, step, by=TOMAS, text="Look.", reason_code="OTHER")
    done = runs.item(app, key="done", age=timedelta(minutes=30))
    runs.act(app, done, Action.APPROVE, by=TOMAS, text="Fine.")
    max_ = client_of("max")
    page = max_.get("/sla").text
    marks = re.findall(r'<a href="(/inbox[^"]+)" aria-label="[^"]*: (\d+) (items?|decided|escalations?)"', page)
    told = {(count, noun) for _, count, noun in marks}
    assert {("1", "item"), ("2", "decided"), ("3", "escalations")} <= told
    assert ("1", "items") not in told
    for address, count, _ in marks:
        shown = max_.get(unescape(address))
        assert shown.status_code == 200
        assert shown.text.count("<tr data-row") == int(count), address


@pytest.mark.parametrize("query", ["age=1h-4h", "age=4h-8h", "age=under-1h"])
def test_the_ages_part_the_open_items(app: Flask, client_of: ClientOf, query: str) -> None:
    known = {"age=4h-8h": late_item(app), "age=1h-4h": runs.item(app, key="mid", age=timedelta(hours=2))}
    known["age=under-1h"] = runs.item(app, key="new")
    page = client_of("max").get(f"/inbox?tab=open&{query}").text
    assert [one for one in known.values() if url_of(one) in unescape(page)] == [known[query]]


@pytest.mark.stores(*KINDS)
def test_a_manager_moves_what_is_late_to_a_person(app: Flask, client_of: ClientOf) -> None:
    hire(app, "nora")
    late, max_ = late_item(app), client_of("max")
    answer = move(max_, late, to="person:nora", note="You know the client.")
    assert (answer.status_code, answer.location) == (303, "/sla")
    page = max_.get("/sla").text
    assert "1 item moved to nora." in page
    assert holder_of(max_, late) == "nora"
    assert "You know the client." in max_.get(url_of(late)).text


def test_a_note_is_text_like_any(app: Flask, client_of: ClientOf) -> None:
    late, max_ = late_item(app), client_of("max")
    refused = move(max_, late, to="role:manager", note="2\u00a0h \u202elate")
    assert refused.status_code == 422
    assert "The text contains U+202E at character 5, which cannot be shown." in refused.text
    assert 'value="2\u00a0h late"' in refused.text
    assert move(max_, late, to="role:manager", note="2\u00a0h \U0001fae8").status_code == 303
    assert "2 h \U0001fae8" in max_.get(url_of(late)).text


def test_several_go_to_a_role_in_place_with_scripts(app: Flask, client_of: ClientOf) -> None:
    items = [late_item(app, f"late-{number}") for number in range(3)]
    max_ = client_of("max")
    answer = move(max_, *items, to="role:manager", headers=HTMX)
    assert answer.status_code == 200
    assert untitled(answer.text).startswith('<div id="board"')
    assert "3 items moved." in answer.text
    assert "data-focus" in answer.text
    assert [holder_of(max_, one) for one in items] == ["any manager"] * 3


@pytest.mark.stores(*KINDS)
def test_what_changed_meanwhile_stays_and_says_why_the_rest_moves(app: Flask, client_of: ClientOf) -> None:
    hire(app, "nora")
    first, second, max_ = late_item(app, "one"), late_item(app, "two"), client_of("max")
    page = max_.get("/sla").text
    seen = [unescape(value) for value in re.findall(r'name="seen" value="([^"]*)"', page)]
    runs.act(app, first, Action.COMMENT, by=TOMAS, text="Wait.")
    answer = max_.post(
        "/sla",
        data={
            "csrf_token": csrf_token(max_),
            "seen": seen,
            "item": [first, second],
            "to": "person:nora",
            "note": "Please.",
        },
    )
    assert answer.status_code == 409
    assert "1 not moved, 1 moved" in answer.text
    assert 'value="Please."' in answer.text
    assert re.search(rf'name="item" value="{re.escape(first)}"[^>]* checked', answer.text)
    assert (holder_of(max_, first), holder_of(max_, second)) == ("any reviewer", "nora")


@pytest.mark.parametrize(
    ("fields", "sentence", "field"),
    [
        ({"to": "person:nora"}, "Choose the items to move.", "late-title"),
        ({"item": "x", "to": ""}, "Choose an assignee.", "move-to"),
        ({"item": "x", "to": "person:nobody-here"}, "nobody-here cannot review items here.", "move-to"),
        ({"item": "x", "to": "role:emperor"}, "There is no role emperor.", "move-to"),
    ],
)
def test_a_form_that_cannot_be_is_shown_again_with_the_field(
    app: Flask, client_of: ClientOf, fields: dict[str, str], sentence: str, field: str
) -> None:
    late, max_ = late_item(app), client_of("max")
    chosen = [late] if fields.pop("item", None) else []
    answer = move(max_, *chosen, note="Kept.", **fields)
    assert answer.status_code == 422
    assert f'<a href="#{field}">{sentence}</a>' in answer.text
    assert f'id="{field}"' in answer.text
    assert 'value="Kept."' in answer.text
    assert holder_of(max_, late) == "any reviewer"


def test_another_tenants_item_is_not_moved_and_not_there(app: Flask, client_of: ClientOf) -> None:
    theirs = runs.item(app, key="theirs", tenant="elsewhere", age=timedelta(hours=5))
    max_ = client_of("max")
    assert theirs not in unescape(max_.get("/sla").text)
    answer = max_.post(
        "/sla",
        data={"csrf_token": csrf_token(max_), "seen": f"1:{theirs}", "item": theirs, "to": "role:manager"},
    )
    assert answer.status_code == 409
    assert "There is no such item." in answer.text


def test_who_may_not_assign_sees_the_board_without_its_form(app: Flask, client_of: ClientOf) -> None:
    late, nora = late_item(app), client_of("nora")
    page = nora.get("/sla")
    assert page.status_code == 200
    assert 'id="move"' not in page.text
    assert 'name="item"' not in page.text
    assert move(nora, late, to="role:manager").status_code == 403


def test_looking_writes_nothing(app: Flask, client_of: ClientOf) -> None:
    late_item(app)
    max_ = client_of("max")
    with app.app_context():
        before = contents()
    max_.get("/sla")
    max_.get("/sla", headers=HTMX)
    with app.app_context():
        assert contents() == before


def test_more_than_a_page_of_late_items_leads_to_all_of_them(
    app: Flask, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, age in (("late", 300), ("later", 310), ("soon", 220)):
        runs.item(app, key=key, age=timedelta(minutes=age))
    monkeypatch.setattr(sla, "ROWS", 2)
    max_ = client_of("max")
    told = re.search(r"The first 2 of 3; in the inbox.*?due soon</a>", max_.get("/sla").text, re.DOTALL)
    assert told
    links = [unescape(url) for url in re.findall(r'href="([^"]+)"', told.group())]
    assert [max_.get(url).text.count("<tr data-row") for url in links] == [2, 1]


def test_an_empty_board_says_so(client_of: ClientOf) -> None:
    page = client_of("max").get("/sla").text
    assert "Nothing is late or due soon" in page
    assert "No decisions in this period." in page


def test_days_without_a_meaning_are_refused(client_of: ClientOf) -> None:
    max_ = client_of("max")
    for query in ("decided=yesterday", "escalated=2026-13-01", "age=old"):
        assert max_.get(f"/inbox?tab=open&{query}").status_code == 422
    assert max_.get(f"/inbox?tab=closed&decided={utcnow().date()}").status_code == 200
