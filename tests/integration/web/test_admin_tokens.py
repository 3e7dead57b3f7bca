"""Tokens of the administrators' pages: the text is seen once, by who made it; revoking asks first."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from lotus_web.current import utcnow
from lotus_web.db import db, transaction
from lotus_web.domain.access import Permission
from lotus_web.services.handovers import hand_over, take
from lotus_web.services.sessions import open_session
from tests.histories import count
from tests.integration.conftest import ClientOf
from tests.integration.web.test_admin import issue, record, refusal
from tests.people import bearer_of, hidden_fields, post, sign_in

pytestmark = pytest.mark.stores("sqlite")


def text_on(page: str) -> str | None:
    """Return the token's text as a page shows it."""
    found = re.search(r'id="token-text">(lw_[^<]+)<', page)
    return found and unescape(found.group(1))


def status_with(app: Flask, secret: str) -> int:
    """Return how the API answers to a token."""
    headers = {"Authorization": f"Bearer {secret}", "X-Tenant-Id": "default"}
    return app.test_client().get("/api/v1/workflows", headers=headers).status_code


def made(client: FlaskClient) -> str:
    """Make a token and return the address of its page."""
    answer = issue(client, "runs_read", "events_write")
    assert answer.status_code == 303
    return str(answer.location)


@pytest.mark.stores("sqlite", "postgresql")
def test_the_text_is_shown_once_on_the_page_after_the_form_and_works(
    app: Flask, client_of: ClientOf, caplog: pytest.LogCaptureFixture
) -> None:
    ada = client_of("ada")
    address = made(ada)
    first = ada.get(address)
    secret = text_on(first.text)
    assert secret is not None
    assert first.headers["Cache-Control"] == "no-store"
    assert status_with(app, secret) == 200
    for path in (address, "/admin/tokens", "/audit"):
        assert secret not in ada.get(path).text
    assert "Its text was shown once" in ada.get(address).text
    assert address == f"/admin/tokens/{secret.split('_')[1]}"
    assert record(app) == [("issue_token", secret.split("_")[1])]
    assert secret.rpartition("_")[2] not in caplog.text
    with app.app_context():
        assert count("api_tokens") == 1
        assert count("dg_audit_records", f"message LIKE '%{secret.rpartition('_')[2]}%'") == 0


def test_only_the_session_that_made_it_sees_the_text(app: Flask, client_of: ClientOf) -> None:
    ada = client_of("ada")
    address = made(ada)
    elsewhere = app.test_client()
    assert sign_in(elsewhere, "ada").status_code == 303
    assert text_on(elsewhere.get(address).text) is None
    assert text_on(ada.get(address).text) is not None


@pytest.mark.parametrize(
    "how", [{"method": "HEAD"}, {"headers": {"Sec-Purpose": "prefetch"}}], ids=["head", "prefetch"]
)
def test_what_nobody_sees_takes_nothing(client_of: ClientOf, how: dict[str, object]) -> None:
    ada = client_of("ada")
    address = made(ada)
    assert ada.open(address, **how).status_code == 200
    assert text_on(ada.get(address).text) is not None


def test_the_store_cannot_read_what_it_keeps_and_forgets_it_with_the_session(app: Flask, client_of: ClientOf) -> None:
    ada = client_of("ada")
    address = made(ada)
    with app.app_context():
        kept = db.session.scalars(text("SELECT handover FROM person_sessions WHERE handover IS NOT NULL")).one()
    assert address.rpartition("/")[2] in kept
    assert "lw_" not in kept
    post(ada, "/logout")
    with app.app_context():
        assert count("person_sessions", "handover IS NOT NULL") == 0


@pytest.mark.stores("sqlite", "postgresql")
def test_a_handover_is_taken_once_by_its_name(app: Flask, client_of: ClientOf) -> None:
    client_of("ada")
    with app.app_context(), transaction() as session:
        session_id = open_session(session, name="ada", tenant_id="default", draft=None, now=utcnow(), hours=1)
        hand_over(session, session_id=session_id, about="one", text="told – once")
        assert take(session, session_id=session_id, about="another") is None
        assert take(session, session_id="unknown", about="one") is None
        assert take(session, session_id=session_id, about="one") == "told – once"
        assert take(session, session_id=session_id, about="one") is None


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
