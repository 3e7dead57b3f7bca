"""The people of the tests, made as operators make them, and how they sign in: through the form, with its token."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from html import unescape

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lotus_web.config.current import utcnow
from lotus_web.domain.access import DEFAULT_TENANT, Permission, Role
from lotus_web.services.accounts.people import create_person
from lotus_web.services.accounts.tokens import create_token
from lotus_web.services.sign_in.passwords import hashed
from lotus_web.store.session import transaction

PASSWORD = "a password for tests"
CAST = {"vera": Role.VIEWER, "leo": Role.ADVISER, "nora": Role.REVIEWER, "max": Role.MANAGER, "ada": Role.ADMIN}
_INPUT = re.compile(r"<input\b[^>]*>")
_TOKEN = re.compile(r'(?<="X-CSRFToken": ")[^"]*|(?<=name="csrf_token" value=")[^"]*')
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')


def hire(
    app: Flask,
    name: str,
    role: Role | None = None,
    *,
    tenant: str = DEFAULT_TENANT,
    ago: timedelta = timedelta(days=30),
) -> str:
    """Make a person with ``PASSWORD`` who has been here for a while; the role of someone in ``CAST`` need not be given."""
    with app.app_context(), transaction() as session:
        now = utcnow() - ago
        create_person(session, name=name, password=hashed(PASSWORD), role=role or CAST[name], tenant_id=tenant, now=now)
    return name


def hidden_fields(response: TestResponse) -> dict[str, str]:
    """Return the hidden inputs of a page by name."""
    inputs = (dict(_ATTRIBUTE.findall(tag)) for tag in _INPUT.findall(response.text))
    return {one["name"]: unescape(one["value"]) for one in inputs if one.get("type") == "hidden"}


def shown(response: TestResponse) -> str:
    """Return a page without its token, which tells the second in which it was made: for comparing pages."""
    return _TOKEN.sub("", response.text)


def untitled(fragment: str) -> str:
    """Return a fragment without the title that it brings along for the window."""
    title, _, rest = fragment.partition("</title>")
    assert title.startswith("<title>")
    return rest.lstrip()


def csrf_token(client: FlaskClient) -> str:
    """Return a token for this client's next post."""
    with client.session_transaction() as cookie:
        known = "_user_id" in cookie
    return hidden_fields(client.get("/tenant" if known else "/login"))["csrf_token"]


def sign_in(
    client: FlaskClient, name: str, password: str = PASSWORD, *, next_path: str | None = None, draft: str | None = None
) -> TestResponse:
    """Post the sign-in form as a browser would and return the answer; a right password gives 303."""
    form = hidden_fields(client.get("/login", query_string={"next": next_path} if next_path else None))
    typed = {"name": name, "password": password} | ({"draft": draft} if draft else {})
    return client.post("/login", data=form | typed)


def post(client: FlaskClient, path: str, data: dict[str, str] | None = None, **options: object) -> TestResponse:
    """Post a form with a token of this client."""
    return client.post(path, data={"csrf_token": csrf_token(client), **(data or {})}, **options)


def bearer_of(
    app: Flask,
    account: str = "engine",
    permissions: Iterable[Permission] = (Permission.RUNS_READ, Permission.RUNS_WRITE),
    *,
    tenant: str = DEFAULT_TENANT,
) -> str:
    """Return the text of a new token of a service account, good for a day."""
    with app.app_context(), transaction() as session:
        made = create_token(
            session,
            account=account,
            tenant_id=tenant,
            permissions=permissions,
            expires_at=utcnow() + timedelta(days=1),
            now=utcnow(),
        )
    return made.secret_text
