"""A fault says that nothing was recorded only where that is certain; else that it may have been, and to look first."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from lotus_web.api.endpoint import routing
from lotus_web.api.v1 import items as v1_items
from lotus_web.domain.items.actions import Action
from lotus_web.web.items import views as items
from tests.contract.callers import ALL, Caller, bearer_of, segment
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_items import url_of
from tests.support import runs
from tests.support.people import hidden_fields

pytestmark = [pytest.mark.environ(DPM_WORKFLOW_ENABLED="true"), pytest.mark.stores("sqlite")]
NOTHING, MAYBE = "Nothing was recorded.", "may have been recorded"
FAULT = "An unexpected error occurred."


@pytest.fixture
def unasked(app: Flask) -> Flask:
    """The app as it is served: a fault is answered, not raised."""
    app.testing = False
    return app


def broken(*_args: object, **_named: object) -> Any:
    raise RuntimeError("on the way")


def lost(*_args: object, **_named: object) -> Any:
    raise OperationalError("COMMIT", {}, Exception("server closed the connection"))


def by_form(nora: FlaskClient, workflow_id: str) -> TestResponse:
    seen = {name: value for name, value in hidden_fields(nora.get(url_of(workflow_id))).items() if name != "page"}
    return nora.post(url_of(workflow_id), data=seen | {"action": "approve", "reason_code": "OTHER", "text": "Seen."})


def by_program(app: Flask, workflow_id: str) -> TestResponse:
    bot = Caller(app.test_client(), "bot", bearer_of(app, "bot", ALL, "default"))
    body = {"action": Action.COMMENT.value, "note": "Seen."}
    return bot.send("POST", f"/workflows/{segment(workflow_id)}/actions", json=body)


def test_before_anything_is_written_a_fault_says_so(
    unasked: Flask, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow_id, nora = runs.item(unasked), client_of("nora")
    monkeypatch.setattr(items, "apply_action", broken)
    monkeypatch.setattr(v1_items, "apply_action", broken)
    page, answer = by_form(nora, workflow_id), by_program(unasked, workflow_id)
    assert (page.status_code, answer.status_code) == (500, 500)
    assert NOTHING in page.text
    assert MAYBE not in page.text
    assert answer.json["error"]["message"] == FAULT


def test_after_that_a_fault_says_to_look_before_it_is_sent_again(
    unasked: Flask, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow_id, nora = runs.item(unasked), client_of("nora")
    monkeypatch.setattr(routing, "utf8_json", broken)
    answer = by_program(unasked, workflow_id)
    monkeypatch.setattr(items, "queue_here", broken)
    page = by_form(nora, workflow_id)
    assert (page.status_code, answer.status_code) == (500, 500)
    assert NOTHING not in page.text
    assert MAYBE in page.text
    assert "Check whether it was before you send it again" in page.text
    assert answer.json["error"]["message"].startswith(f"{FAULT} What was sent {MAYBE}")
    assert nora.get("/nothing").status_code == 404
    assert "approved" in nora.get(url_of(workflow_id)).text


def test_a_store_that_goes_away_while_it_commits_may_have_recorded_it(
    unasked: Flask, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow_id, nora = runs.item(unasked), client_of("nora")
    with monkeypatch.context() as patched:
        form = {name: value for name, value in hidden_fields(nora.get(url_of(workflow_id))).items() if name != "page"}
        bot = Caller(unasked.test_client(), "bot", bearer_of(unasked, "bot", ALL, "default"))
        patched.setattr(Session, "commit", lost)
        page = nora.post(url_of(workflow_id), data=form | {"action": "comment", "text": "Seen."})
        body = {"action": "comment", "note": "Seen."}
        answer = bot.send("POST", f"/workflows/{segment(workflow_id)}/actions", json=body)
    assert (page.status_code, answer.status_code) == (503, 503)
    assert MAYBE in page.text
    assert NOTHING not in page.text
    assert MAYBE in answer.json["error"]["message"]
    assert by_form(nora, workflow_id).status_code == 303
