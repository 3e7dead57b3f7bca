"""A session that is over costs nobody what they typed: it waits behind the sign-in, unsent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import escape

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from lotus_web.models import PersonSession
from lotus_web.services.sign_in.sessions import close_sessions_of
from lotus_web.store.session import db, transaction
from tests.support.people import PASSWORD, csrf_token, hidden_fields, hire, post, sign_in

TYPED = 'Within the mandate, "see note" <b>\nsecond line'
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://localhost/sample/?tab=mine"}


def lose_session(app: Flask, name: str) -> None:
    with app.app_context(), transaction() as store:
        close_sessions_of(store, name=name, now=datetime.now(UTC))


def send_note(client: FlaskClient, **options: object) -> TestResponse:
    data = {"reason": TYPED, "reason_code": "OTHER", "csrf_token": "of a lost session"}
    return client.post("/sample/notes", data=data, **options)


def stored_draft(app: Flask) -> object:
    with app.app_context():
        query = select(PersonSession.draft).order_by(PersonSession.created_at.desc())
        return db.session.scalars(query.limit(1)).one()


def continue_as(client: FlaskClient, name: str, page: TestResponse) -> TestResponse:
    return client.post("/login", data=hidden_fields(page) | {"name": name, "password": PASSWORD})


def test_what_was_typed_comes_back_after_the_sign_in_and_is_not_sent(
    sample_pages: Flask, client: FlaskClient, nora: str
) -> None:
    sign_in(client, nora)
    lose_session(sample_pages, nora)
    asked = send_note(client, headers={"Referer": "http://localhost/sample/?tab=mine"})
    assert asked.status_code == 401
    assert "Your session has ended." in asked.text
    assert "what you wrote will be back" in asked.text
    back = continue_as(client, nora, asked)
    assert (back.status_code, back.location) == (303, "/sample/?tab=mine")
    shown = client.get(back.location).text
    assert escape(TYPED, quote=False) in shown.replace("&#34;", '"')
    assert stored_draft(sample_pages) == {
        "path": "/sample/notes",
        "fields": [["reason", TYPED], ["reason_code", "OTHER"]],
        "name": nora,
    }


def test_the_draft_goes_once_its_form_went_through_and_not_before(
    sample_pages: Flask, client: FlaskClient, nora: str
) -> None:
    continue_as(client, nora, send_note(client))
    assert post(client, "/sample/notes", {"reason": ""}).status_code == 422
    assert "Within the mandate" in client.get("/sample/").text
    assert post(client, "/sample/notes", {"reason": TYPED}).status_code == 303
    assert stored_draft(sample_pages) is None
    assert "Within the mandate" not in client.get("/sample/").text


def test_a_wrong_password_in_between_loses_nothing(sample_pages: Flask, client: FlaskClient, nora: str) -> None:
    asked = send_note(client)
    wrong = client.post("/login", data=hidden_fields(asked) | {"name": nora, "password": "not her password"})
    assert wrong.status_code == 401
    missing = client.post("/login", data=hidden_fields(wrong) | {"name": nora})
    assert missing.status_code == 422
    continue_as(client, nora, missing)
    assert "Within the mandate" in client.get("/sample/").text


def test_the_form_may_say_which_page_it_stands_on(sample_pages: Flask, client: FlaskClient, nora: str) -> None:
    data = {"reason": TYPED, "page": "/sample/?from=form"}
    asked = client.post("/sample/notes", data=data, headers={"Referer": "http://localhost/elsewhere"})
    assert continue_as(client, nora, asked).location == "/sample/?from=form"


@pytest.mark.parametrize("page", ["https://elsewhere.example/", "//elsewhere.example"])
@pytest.mark.stores("sqlite")
def test_a_form_leads_to_no_other_site(sample_pages: Flask, client: FlaskClient, page: str) -> None:
    asked = client.post("/sample/notes", data={"reason": TYPED, "page": page}, headers={"Referer": page})
    assert hidden_fields(asked)["next"] == "/"


def test_htmx_gets_the_sign_in_in_place_of_the_whole_page(sample_pages: Flask, client: FlaskClient, nora: str) -> None:
    asked = send_note(client, headers=HTMX)
    assert asked.status_code == 401
    assert asked.headers["HX-Retarget"] == "body"
    assert asked.headers["HX-Reswap"].startswith("innerHTML")
    assert asked.headers["HX-Reselect"] == "unset"
    assert continue_as(client, nora, asked).location == "/sample/?tab=mine"
    assert "Within the mandate" in client.get("/sample/").text


def test_htmx_that_only_looks_gets_the_sign_in_and_no_redirect(sample_pages: Flask, client: FlaskClient) -> None:
    asked = client.get("/sample/", headers=HTMX)
    assert asked.status_code == 401
    assert asked.headers["HX-Retarget"] == "body"
    assert hidden_fields(asked)["next"] == "/sample/?tab=mine"
    assert "draft" not in hidden_fields(asked)


def test_text_of_one_person_is_not_shown_to_another(sample_pages: Flask, client: FlaskClient, nora: str) -> None:
    hire(sample_pages, "max")
    sign_in(client, nora)
    lose_session(sample_pages, nora)
    continue_as(client, "max", send_note(client))
    assert "Within the mandate" not in client.get("/sample/").text
    assert stored_draft(sample_pages) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
    ],
)
@pytest.mark.stores("sqlite")
def test_text_from_another_site_is_not_kept(sample_pages: Flask, client: FlaskClient, headers: dict[str, str]) -> None:
    asked = send_note(client, headers=headers)
    assert asked.status_code == 401
    assert "draft" not in hidden_fields(asked)


@pytest.mark.parametrize("headers", [{"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin"}])
@pytest.mark.stores("sqlite")
def test_text_from_this_site_is_kept(sample_pages: Flask, client: FlaskClient, headers: dict[str, str]) -> None:
    assert "draft" in hidden_fields(send_note(client, headers=headers))


@pytest.mark.stores("sqlite")
def test_a_draft_that_was_changed_on_the_way_is_dropped(sample_pages: Flask, client: FlaskClient, nora: str) -> None:
    form = hidden_fields(send_note(client))
    form["draft"] = form["draft"][:-3] + "abc"
    assert client.post("/login", data=form | {"name": nora, "password": PASSWORD}).status_code == 303
    assert stored_draft(sample_pages) is None


@pytest.mark.stores("sqlite")
def test_a_draft_does_not_wait_longer_than_a_session(sample_pages: Flask, client: FlaskClient, nora: str) -> None:
    with time_machine.travel(datetime(2026, 11, 2, 9, 0, tzinfo=UTC), tick=False) as clock:
        sealed = hidden_fields(send_note(client))["draft"]
        clock.shift(timedelta(hours=13))
        assert sign_in(client, nora, draft=sealed).status_code == 303
    assert stored_draft(sample_pages) is None


@pytest.mark.stores("sqlite")
def test_passwords_and_tokens_are_never_kept(sample_pages: Flask, client: FlaskClient, nora: str) -> None:
    data = {"reason": TYPED, "password": "a secret typed here", "csrf_token": "x"}
    continue_as(client, nora, client.post("/sample/notes", data=data))
    assert stored_draft(sample_pages) == {"path": "/sample/notes", "fields": [["reason", TYPED]], "name": None}


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("token", [None, "", "made up"])
def test_a_form_with_an_old_token_is_given_back_with_a_fresh_one(
    sample_pages: Flask, client: FlaskClient, nora: str, token: str | None, headers: dict[str, str]
) -> None:
    sign_in(client, nora)
    data = {"reason": TYPED, "page": "/sample/"} | ({} if token is None else {"csrf_token": token})
    refused = client.post("/sample/notes", data=data, headers=headers)
    assert refused.status_code == 400
    assert "Send again" in refused.text
    assert refused.headers.get("HX-Retarget") == ("body" if headers else None)
    again = hidden_fields(refused)
    assert again["reason"] == TYPED
    assert 'method="post" action="/sample/notes"' in refused.text
    assert client.post("/sample/notes", data=again).status_code == 303


@pytest.mark.stores("sqlite")
def test_a_form_of_another_site_gets_no_button_to_send_it(sample_pages: Flask, client: FlaskClient, nora: str) -> None:
    sign_in(client, nora)
    refused = client.post("/sample/notes", data={"reason": TYPED}, headers={"Origin": "https://elsewhere.example"})
    assert refused.status_code == 400
    assert "Send again" not in refused.text
    assert "Within the mandate" not in refused.text


@pytest.mark.stores("sqlite")
def test_a_token_in_the_header_counts_as_htmx_sends_it(sample_pages: Flask, client: FlaskClient, nora: str) -> None:
    sign_in(client, nora)
    headers = {"X-CSRFToken": csrf_token(client), "HX-Request": "true"}
    assert client.post("/sample/notes", data={"reason": TYPED}, headers=headers).status_code == 303


@pytest.mark.stores("sqlite")
def test_a_token_of_another_session_is_refused(sample_pages: Flask, client: FlaskClient, nora: str) -> None:
    sign_in(client, nora)
    hire(sample_pages, "max")
    other = sample_pages.test_client()
    sign_in(other, "max")
    data = {"reason": TYPED, "csrf_token": csrf_token(other)}
    assert client.post("/sample/notes", data=data).status_code == 400


@pytest.mark.stores("sqlite")
def test_an_old_sign_in_form_keeps_the_name_and_not_the_password(client: FlaskClient, nora: str) -> None:
    refused = client.post("/login", data={"name": nora, "password": PASSWORD, "next": "/inbox", "csrf_token": "old"})
    assert refused.status_code == 400
    assert 'value="nora"' in refused.text
    assert PASSWORD not in refused.text
    assert continue_as(client, nora, refused).location == "/inbox"
