"""An account's name that is also a word is replaced nowhere but where a sentence of ours names the account."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from lotus_web.domain.access import Role
from lotus_web.domain.events.envelope import EventType
from lotus_web.domain.items.transitions import Action
from lotus_web.services.events.log import append_event
from lotus_web.store.session import transaction
from tests.integration.conftest import ClientOf
from tests.integration.web.format.test_people import call, looks
from tests.integration.web.items.test_items import url_of
from tests.support import runs
from tests.support.events import NOON, POLICY, draft, exception_requested, person, trace_started
from tests.support.people import hire, sign_in

pytestmark = [pytest.mark.environ(DPM_WORKFLOW_ENABLED="true"), pytest.mark.stores("sqlite")]
TITLE = "max was told to cut the line to max, held by max."
MAX, NORA = person("max", Role.MANAGER), person("nora", Role.REVIEWER)


@pytest.fixture
def item(app: Flask, session: Session) -> str:
    """An item of another system whose title uses the word max, and reads as a sentence of ours would."""
    hire(app, "nora")
    hire(app, "max", Role.MANAGER)
    call(app, max="Max Brandt", nora="Nora Lind")
    with transaction() as own:
        for event_type, payload in (
            (EventType.TRACE_STARTED, trace_started(title=TITLE)),
            (EventType.EXCEPTION_REQUESTED, exception_requested()),
        ):
            append_event(own, draft("t", event_type, payload, at=NOON), defaults=POLICY.defaults, now=NOON)
    return "t:exception:ex"


def test_a_title_is_told_as_it_is(app: Flask, item: str) -> None:
    runs.act(app, item, Action.REASSIGN, by=MAX, assigned_account_id="nora", text="Please.")
    nora = app.test_client()
    sign_in(nora, "nora")
    assert f"{TITLE} is assigned to Nora Lind." in looks(nora, "/notifications")
    page = looks(nora, url_of(item))
    assert f"{TITLE} is assigned to Nora Lind." in page
    assert "assigned it to Nora Lind" in page
    assert TITLE in looks(nora, "/traces/t")


@pytest.mark.parametrize("comment", ["Held by max.", "This needs the permission admin.", "CODE_OF_MINE"])
def test_a_comment_is_told_as_it_is(app: Flask, client_of: ClientOf, item: str, comment: str) -> None:
    runs.act(app, item, Action.COMMENT, by=NORA, text=comment)
    nora = app.test_client()
    sign_in(nora, "nora")
    assert comment in looks(nora, url_of(item))
    assert comment in looks(client_of("ada"), "/audit?source=action")
