"""No trick in a path leads to another site, at any door that takes one."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lotus_web.web.shell.return_path import safe_path
from tests.integration.conftest import ClientOf
from tests.support.people import hidden_fields, post
from tests.unit.web.shell.test_return_path import TRICKS

pytestmark = pytest.mark.stores("sqlite")


def led(nora: FlaskClient, out: FlaskClient, trick: str) -> dict[str, str]:
    """Return where each door leads: the sign-in's address, the choice of a tenant, and what a lost form says of its page."""
    query = {"next": trick}
    places = {
        "sign-in, signed out": hidden_fields(out.get("/login", query_string=query))["next"],
        "sign-in, signed in": nora.get("/login", query_string=query).location,
        "another tenant": post(nora, "/tenant", {"tenant": "default", **query}).location,
        "a lost form's field": hidden_fields(out.post("/sla", data={"page": trick}))["next"],
    }
    for name in ("Referer", "HX-Current-URL"):
        if not set(trick) & set("\n\r\x00"):
            headers = {name: trick, "HX-Request": "true"}
            places[f"a lost form's {name}"] = hidden_fields(out.post("/sla", data={"note": "x"}, headers=headers))[
                "next"
            ]
    return places


def test_every_door_leads_into_this_site(app: Flask, client_of: ClientOf) -> None:
    nora, out = client_of("nora"), app.test_client()
    for trick in filter(None, TRICKS):
        places = led(nora, out, trick)
        assert {door: path for door, path in places.items() if safe_path(path) != path} == {}, trick
        assert {places["sign-in, signed out"], places["sign-in, signed in"]} == {"/"}, trick


@pytest.mark.parametrize(("path", "argument"), [("/studio", "trace"), ("/search", "q"), ("/lineage", "entity")])
def test_no_page_that_leads_on_to_what_was_asked_for_leaves_this_site(
    client_of: ClientOf, path: str, argument: str
) -> None:
    nora = client_of("nora")
    for trick in filter(None, TRICKS):
        answer = nora.get(path, query_string={argument: trick})
        assert answer.status_code in (200, 303, 404, 422), trick
        assert answer.status_code != 303 or re.match(rf"{path}/[^/\\]", answer.location), (trick, answer.location)
