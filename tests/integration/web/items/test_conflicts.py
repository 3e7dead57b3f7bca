"""A form that comes too late, twice or after the session: who was faster is told, and nothing that was typed is lost."""

from __future__ import annotations

import pytest
from flask import Flask

from lotus_web.config.current import utcnow
from lotus_web.domain.items.actions import Action
from lotus_web.services.sign_in.sessions import close_sessions_of
from lotus_web.store.session import transaction
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_items import TOMAS, url_of
from tests.support import runs
from tests.support.people import PASSWORD, hidden_fields

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")


def test_a_conflict_says_who_did_what_and_keeps_what_was_typed(app: Flask, client_of: ClientOf) -> None:
    nora, workflow_id = client_of("nora"), runs.item(app)
    seen = hidden_fields(nora.get(url_of(workflow_id)))
    runs.act(app, workflow_id, Action.COMMENT, by=TOMAS, text="I am on it.")
    answer = nora.post(
        url_of(workflow_id),
        data={**seen, "action": "reject", "reason_code": "OTHER", "text": "A long and careful reason."},
    )
    assert answer.status_code == 409
    assert "While you were looking, tomas commented." in answer.text
    assert "A long and careful reason.</textarea>" in answer.text
    again = hidden_fields(answer)
    assert again["version"] == "2"
    assert again["digest"] != seen["digest"]
    sent = nora.post(
        url_of(workflow_id),
        data={**again, "action": "reject", "reason_code": "OTHER", "text": "A long and careful reason."},
    )
    assert sent.status_code == 303


def test_what_was_typed_is_shown_when_its_form_is_gone(app: Flask, client_of: ClientOf) -> None:
    nora, workflow_id = client_of("nora"), runs.item(app)
    seen = hidden_fields(nora.get(url_of(workflow_id)))
    runs.act(app, workflow_id, Action.APPROVE, by=TOMAS, text="Fine.", reason_code="WITHIN_MANDATE")
    late = nora.post(
        url_of(workflow_id), data={**seen, "action": "approve", "reason_code": "OTHER", "text": "I agree because."}
    )
    assert late.status_code == 409
    assert "While you were looking, tomas approved." in late.text
    assert '<blockquote class="quoted">I agree because.</blockquote>' in late.text


def test_a_second_click_is_told_kindly_that_the_first_was_recorded(app: Flask, client_of: ClientOf) -> None:
    nora, workflow_id = client_of("nora"), runs.item(app)
    seen = hidden_fields(nora.get(url_of(workflow_id)))
    form = {**seen, "action": "approve", "reason_code": "WITHIN_MANDATE"}
    assert nora.post(url_of(workflow_id), data=form).status_code == 303
    second = nora.post(url_of(workflow_id), data=form)
    assert second.status_code == 409
    assert "This was already recorded." in second.text
    assert "the second one changed nothing" in second.text
    assert nora.get("/decisions").text.count("data-row>") == 1


def test_another_comment_from_an_old_page_is_no_second_click_and_keeps_its_text(
    app: Flask, client_of: ClientOf
) -> None:
    nora, workflow_id = client_of("nora"), runs.item(app)
    seen = hidden_fields(nora.get(url_of(workflow_id)))
    first = {**seen, "action": "comment", "text": "The first thing."}
    assert nora.post(url_of(workflow_id), data=first).status_code == 303
    other = nora.post(url_of(workflow_id), data={**first, "text": "Another thing."})
    assert other.status_code == 409
    assert "While you were looking, you commented." in other.text
    assert "Another thing.</textarea>" in other.text
    same = nora.post(url_of(workflow_id), data={**first, "text": " The first thing.\r\n"})
    assert "This was already recorded." in same.text


def test_what_was_written_on_the_page_of_a_run_comes_back_there(app: Flask, client_of: ClientOf) -> None:
    nora, run_id = client_of("nora"), runs.record(app)
    page, act = f"/runs/{run_id}", url_of(runs.item_of(run_id))
    typed = {"action": "reject", "reason_code": "OTHER", "text": "A long and careful reason."}
    form = hidden_fields(nora.get(page)) | typed
    with app.app_context(), transaction() as session:
        close_sessions_of(session, name="nora", now=utcnow())
    asked = nora.post(act, data=form, headers={"Referer": f"http://localhost{page}"})
    assert asked.status_code == 401
    back = nora.post("/login", data=hidden_fields(asked) | {"name": "nora", "password": PASSWORD})
    assert back.location == page
    assert "A long and careful reason.</textarea>" in nora.get(page).text
