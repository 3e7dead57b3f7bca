"""Tokens of the administrators' pages: the text is seen once, by who made it; revoking asks first."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask

from lotus_web.domain.access import Permission
from tests.integration.conftest import ClientOf
from tests.integration.web.accounts.test_people import issue, record, refusal
from tests.support.histories import count
from tests.support.people import bearer_of, hidden_fields, post

pytestmark = pytest.mark.stores("sqlite")


def text_on(page: str) -> str | None:
    """Return the token's text as a page shows it."""
    found = re.search(r'id="token-text">(lw_[^<]+)<', page)
    return found and unescape(found.group(1))


def status_with(app: Flask, secret: str) -> int:
    """Return how the API answers to a token."""
    headers = {"Authorization": f"Bearer {secret}", "X-Tenant-Id": "default"}
    return app.test_client().get("/api/v1/workflows", headers=headers).status_code


@pytest.mark.stores("sqlite", "postgresql")
def test_the_text_is_shown_once_in_answer_to_the_form_and_works(
    app: Flask, client_of: ClientOf, caplog: pytest.LogCaptureFixture
) -> None:
    ada = client_of("ada")
    first = issue(ada, "runs_read", "events_write")
    secret = text_on(first.text)
    assert secret is not None
    assert first.headers["Cache-Control"] == "no-store"
    assert status_with(app, secret) == 200
    # The random part may hold underscores of its own.
    _, token_id, random_part = secret.split("_", 2)
    for path in (f"/admin/tokens/{token_id}", "/admin/tokens", "/audit"):
        assert secret not in ada.get(path).text
    assert "The token was shown once" in ada.get(f"/admin/tokens/{token_id}").text
    assert record(app) == [("issue_token", token_id)]
    assert random_part not in caplog.text
    with app.app_context():
        assert count("api_tokens") == 1
        assert count("dg_audit_records", f"message LIKE '%{random_part}%'") == 0


@pytest.mark.stores("sqlite", "postgresql")
def test_a_form_that_is_sent_again_makes_no_second_token(app: Flask, client_of: ClientOf) -> None:
    ada = client_of("ada")
    form = hidden_fields(ada.get("/admin/tokens")) | {"account": "nightly", "permissions": "runs_read", "days": "30"}
    first, again = ada.post("/admin/tokens", data=form), ada.post("/admin/tokens", data=form)
    assert (first.status_code, again.status_code) == (200, 409)
    assert text_on(again.text) is None
    assert f"This form was sent before: it made the token {form['token_id']}" in again.text
    with app.app_context():
        assert count("api_tokens") == 1


@pytest.mark.parametrize("token_id", ["", "tok1", "tok" + "x" * 16])
def test_an_id_that_no_form_of_ours_carries_is_refused(app: Flask, client_of: ClientOf, token_id: str) -> None:
    typed = {"account": "nightly", "permissions": "runs_read", "days": "30", "token_id": token_id}
    answer = post(client_of("ada"), "/admin/tokens", typed)
    assert answer.status_code == 422
    assert "Load the page again" in answer.text
    with app.app_context():
        assert count("api_tokens") == 0


def test_revoking_asks_first_and_then_the_token_opens_nothing(app: Flask, client_of: ClientOf) -> None:
    ada, secret = client_of("ada"), bearer_of(app, "engine", [Permission.RUNS_READ])
    token_id = secret.split("_")[1]
    listed = ada.get("/admin/tokens").text
    assert f'action="/admin/tokens/{token_id}/revoke"' not in listed
    assert f'href="/admin/tokens/{token_id}/revoke"' in listed
    asked = ada.get(f"/admin/tokens/{token_id}/revoke")
    assert "Revoke this token of engine?" in asked.text
    assert status_with(app, secret) == 200
    assert record(app) == []
    form = re.search(r'<form class="confirm" method="post" action="([^"]+)"', asked.text)
    assert form
    answer = ada.post(form.group(1), data={"csrf_token": hidden_fields(asked)["csrf_token"]})
    assert (answer.status_code, answer.location) == (303, "/admin/tokens")
    page = ada.get("/admin/tokens").text
    assert f"The token {token_id} is revoked." in page
    assert "Revoke …" not in page
    assert status_with(app, secret) == 401
    assert record(app) == [("revoke_token", token_id)]


def test_tokens_of_other_tenants_do_not_exist(app: Flask, client_of: ClientOf) -> None:
    token_id = bearer_of(app, "theirs", [Permission.RUNS_READ], tenant="elsewhere").split("_")[1]
    ada = client_of("ada")
    assert token_id not in ada.get("/admin/tokens").text
    for path in (f"/admin/tokens/{token_id}", f"/admin/tokens/{token_id}/revoke"):
        foreign, unknown = ada.get(path), ada.get(path.replace(token_id, "tok0000000000000000"))
        assert (foreign.status_code, unknown.status_code) == (404, 404)
        assert refusal(foreign) == refusal(unknown)
    assert post(ada, f"/admin/tokens/{token_id}/revoke").status_code == 404
