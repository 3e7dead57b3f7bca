"""Saved views of the inbox: a person keeps what the address shows under a name, and finds it above the list."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lotus_web.domain.inbox import MOST, TOO_MANY_VIEWS
from tests.integration.conftest import ClientOf
from tests.integration.web.inbox.test_inbox import counted
from tests.integration.web.items.test_items import HTMX
from tests.support import runs
from tests.support.people import hidden_fields, post, shown, sign_in

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")
LATE = "tab=open&due=overdue"
_LINK = re.compile(r'<a class="chip" href="([^"]*)"( aria-current="page")?>([^<]*)</a>')
_ACTION = re.compile(r'action="/inbox/views/([^"?]*)')


def save(client: FlaskClient, name: str, query: str = LATE, **options: object) -> TestResponse:
    return post(client, f"/inbox/views?{query}", {"name": name}, **options)


def views(client: FlaskClient, query: str = "tab=mine") -> dict[str, str]:
    """Return the address of each view that the inbox links to, by name."""
    found = _LINK.findall(client.get(f"/inbox?{query}").text)
    return {unescape(name): unescape(url) for url, _active, name in found}


def change_url(client: FlaskClient, query: str = LATE) -> str:
    """Return where the form of the first view is sent."""
    return f"/inbox/views/{_ACTION.findall(client.get('/inbox').text)[0]}?{query}"


def test_a_view_leads_back_to_what_was_saved(client_of: ClientOf) -> None:
    nora = client_of("nora")
    answer = save(nora, " Late today ", f"{LATE}&cursor=x&person=&q=+cash+&other=1")
    assert answer.status_code == 303
    assert answer.location.startswith("/inbox?tab=open&due=overdue&q=")
    assert "This view is saved as Late today." in nora.get(answer.location).text
    assert views(nora) == {"Late today": "/inbox?tab=open&due=overdue&q=cash"}
    page = nora.get("/inbox?q=cash&due=overdue&tab=open").text
    assert 'href="/inbox?tab=open&amp;due=overdue&amp;q=cash" aria-current="page">Late today<' in page
    assert "Save this view" not in page
    assert "Save this view" in nora.get("/inbox?tab=open").text


def test_it_is_renamed_and_deleted(client_of: ClientOf) -> None:
    nora = client_of("nora")
    save(nora, "Late")
    url = change_url(nora)
    assert post(nora, url, {"change": "rename", "name": "Overdue"}).location == f"/inbox?{LATE}"
    assert "Late is now called Overdue." in nora.get("/inbox").text
    assert views(nora) == {"Overdue": f"/inbox?{LATE}"}
    assert post(nora, url, {"change": "delete", "name": "Overdue"}).location == f"/inbox?{LATE}"
    assert "The view Overdue is deleted." in nora.get("/inbox").text
    assert views(nora) == {}
    assert post(nora, url, {"change": "delete"}).status_code == 404


def test_nobody_sees_or_changes_another_persons_views(client_of: ClientOf) -> None:
    nora, max_ = client_of("nora"), client_of("max")
    save(nora, "Late")
    url = change_url(nora)
    assert views(max_) == {}
    theirs, unknown = (post(max_, one, {"change": "delete"}) for one in (url, "/inbox/views/view_none"))
    assert (theirs.status_code, unknown.status_code) == (404, 404)
    assert shown(theirs) == shown(unknown)
    assert save(max_, "Late").status_code == 303
    assert views(nora) == views(max_) == {"Late": f"/inbox?{LATE}"}


@pytest.mark.stores("sqlite")
def test_who_only_looks_keeps_views_too(client_of: ClientOf) -> None:
    vera = client_of("vera")
    assert save(vera, "Late").status_code == 303
    assert list(views(vera)) == ["Late"]


@pytest.mark.stores("sqlite")
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Enter a name for the view."),
        ("Late", "You have a view named Late already."),
        ("x" * 61, "A name has at most 60 characters."),
        ("a\u202eb", "The name contains U+202E at character 2, which cannot be shown."),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a_name_that_cannot_be_is_refused_with_the_form_as_it_was(
    app: Flask, client_of: ClientOf, name: str, sentence: str, headers: dict[str, str]
) -> None:
    nora, workflow_id = client_of("nora"), runs.item(app)
    save(nora, "Late")
    answer = save(nora, name, "tab=open&priority=high", headers=headers)
    assert answer.status_code == 422
    assert f'<li><a href="#view-name">{sentence}</a></li>' in answer.text
    assert 'data-focus aria-labelledby="error-summary-title"' in answer.text
    assert '<details id="views-save" class="views__fold" open>' in answer.text
    assert f'value="{name.replace(chr(0x202E), "")}"' in answer.text
    assert 'action="/inbox/views?tab=open&amp;priority=high"' in answer.text
    assert ("<html" in answer.text) is (headers == {})
    if not headers:
        assert workflow_id.partition(":")[0] in answer.text
        assert 'id="claims" method="post" action="/inbox?tab=open&amp;priority=high"' in answer.text
        assert 'href="/inbox?tab=closed&amp;priority=high"' in answer.text
        assert 'class="rail__link" href="/inbox" aria-current="page"' in answer.text
    assert list(views(nora)) == ["Late"]


@pytest.mark.stores("sqlite")
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a_new_name_that_cannot_be_is_refused_beside_its_view(client_of: ClientOf, headers: dict[str, str]) -> None:
    nora = client_of("nora")
    save(nora, "Early", "tab=open")
    save(nora, "Late")
    url = change_url(nora)
    answer = post(nora, url, {"change": "rename", "name": "Late"}, headers=headers)
    view_id = url.partition("?")[0].rpartition("/")[2]
    assert answer.status_code == 422
    assert f'<li><a href="#{view_id}-name">You have a view named Late already.</a></li>' in answer.text
    assert f'id="{view_id}-name" name="name" type="text" value="Late"' in answer.text
    assert '<details id="views-change" class="views__fold" open>' in answer.text
    assert post(nora, url, {"change": "burn", "name": "Late"}, headers=headers).status_code == 422
    assert list(views(nora)) == ["Early", "Late"]


@pytest.mark.stores("sqlite")
def test_scripts_get_the_views_alone_with_what_was_done_in_focus(client_of: ClientOf) -> None:
    nora = client_of("nora")
    saved = save(nora, "Late", headers=HTMX)
    assert saved.status_code == 200
    assert saved.text.lstrip().startswith('<section id="views"')
    assert 'data-announce="This view is saved as Late."' in saved.text
    assert "data-focus" in saved.text
    assert 'aria-current="page">Late<' in saved.text
    renamed = post(nora, change_url(nora), {"change": "rename", "name": "Overdue"}, headers=HTMX)
    assert 'aria-current="page">Overdue<' in renamed.text
    deleted = post(nora, change_url(nora), {"change": "delete"}, headers=HTMX)
    assert "The view Overdue is deleted." in deleted.text
    assert "chip" not in deleted.text


@pytest.mark.stores("sqlite")
def test_there_are_twenty_at_most_and_the_form_says_so(client_of: ClientOf) -> None:
    nora = client_of("nora")
    for number in range(MOST):
        assert save(nora, f"View {number}", f"tab=open&q={number}").status_code == 303
    page = nora.get("/inbox?tab=open").text
    assert f'role="tooltip">{TOO_MANY_VIEWS}<' in page
    refused = save(nora, "One more")
    assert refused.status_code == 422
    assert TOO_MANY_VIEWS in refused.text
    assert len(views(nora)) == MOST


@pytest.mark.stores("sqlite")
def test_a_filter_that_means_nothing_is_not_saved(client_of: ClientOf) -> None:
    nora = client_of("nora")
    for query in ("tab=nowhere", "due=someday", "decided=never", f"q={'x' * 500}"):
        assert save(nora, "Late", query).status_code == 422
    assert views(nora) == {}


@pytest.mark.stores("sqlite")
def test_a_form_without_its_token_changes_nothing(client_of: ClientOf) -> None:
    nora = client_of("nora")
    assert nora.post(f"/inbox/views?{LATE}", data={"name": "Late"}).status_code == 400
    assert views(nora) == {}


@pytest.mark.stores("sqlite")
def test_hostile_names_stay_text(client_of: ClientOf) -> None:
    nora, name = client_of("nora"), '"><script>alert(1)</script>&{{7*7}}'
    assert save(nora, name, "tab=open&q=%22%3E%3Cb%3E").status_code == 303
    page = nora.get("/inbox").text
    assert "<script>alert" not in page
    assert views(nora) == {name: "/inbox?tab=open&q=%22%3E%3Cb%3E"}


@pytest.mark.stores("sqlite")
def test_a_lost_session_keeps_the_name(app: Flask, client_of: ClientOf) -> None:
    nora = client_of("nora")
    lost = app.test_client()
    page = f"http://localhost/inbox?{LATE}"
    answer = lost.post(f"/inbox/views?{LATE}", data={"name": "Late"}, headers={"Referer": page})
    assert answer.status_code == 401
    kept = hidden_fields(answer)
    back = sign_in(lost, "nora", next_path=kept["next"], draft=kept["draft"])
    assert back.location == f"/inbox?{LATE}"
    redisplay_invalid_filters = lost.get(back.location).text
    assert 'id="view-name" name="name" type="text" value="Late"' in redisplay_invalid_filters
    assert '<details id="views-save" class="views__fold" open>' in redisplay_invalid_filters
    assert views(nora) == {}


def test_the_page_asks_the_store_one_thing_more_and_its_refresh_nothing(app: Flask, client_of: ClientOf) -> None:
    nora = client_of("nora")
    runs.item(app)
    with counted(app) as none:
        nora.get("/inbox?tab=open")
    for number in range(3):
        save(nora, f"View {number}", f"tab=open&q={number}")
    nora.get("/inbox?tab=open")
    with counted(app) as some:
        nora.get("/inbox?tab=open")
    with counted(app) as refreshed:
        nora.get("/inbox?tab=open", headers=HTMX)
    assert len(some) == len(none)
    assert [sum("saved_views" in statement for statement in asked) for asked in (some, refreshed)] == [1, 0]
