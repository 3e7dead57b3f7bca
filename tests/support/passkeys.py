"""People with passkeys: adding one, signing in with it, signing a decision, each through the pages as a browser does."""

from __future__ import annotations

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.authenticators import Authenticator
from tests.support.people import csrf_token, hidden_fields

CODE = re.compile(r"<code class=\"phrase\">([A-Z0-9-]{19})</code>")


def add(client: FlaskClient, authenticator: Authenticator | None = None, label: str = "laptop", **wrong: Any) -> Any:
    """Add a passkey of the signed-in person; return the authenticator and the answer."""
    authenticator = authenticator or Authenticator()
    asked = client.get("/account/passkeys/challenge").json
    form = {"change": "add", "label": label, "sealed": asked["sealed"], "csrf_token": csrf_token(client)}
    answer = client.post("/account/passkeys", data=form | {"answer": authenticator.create(asked["options"], **wrong)})
    return authenticator, answer


def codes_in(answer: TestResponse) -> list[str]:
    """Return the recovery codes of a page."""
    return CODE.findall(answer.text)


def sign_in(client: FlaskClient, authenticator: Authenticator, **wrong: Any) -> TestResponse:
    """Sign in with a passkey alone."""
    token = csrf_token(client)
    asked = client.get("/login/challenge").json
    form = {"csrf_token": token, "sealed": asked["sealed"], "answer": authenticator.get(asked["options"], **wrong)}
    return client.post("/login/passkey", data=form)


def second(client: FlaskClient, page: TestResponse, authenticator: Authenticator, **wrong: Any) -> TestResponse:
    """Answer the page that asks for the second factor with a passkey."""
    form = hidden_fields(page)
    asked = client.get("/login/challenge", query_string={"half": form["half"]}).json
    answer = authenticator.get(asked["options"], **wrong)
    return client.post("/login/second", data=form | {"sealed": asked["sealed"], "answer": answer})
