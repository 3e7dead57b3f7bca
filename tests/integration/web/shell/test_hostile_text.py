"""Whatever the store holds, the pages of the control plane show it as text, and their files hold no formula."""

from __future__ import annotations

import csv
import io
from urllib.parse import quote

import pytest
from flask import Flask

from lotus_web.domain.events.envelope import EventType
from lotus_web.domain.items.actions import Action
from lotus_web.store.session import transaction
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_hostile_text import CORPUS, assert_harmless
from tests.integration.web.items.test_items import TOMAS, url_of
from tests.support import runs
from tests.support.histories import append, event, requested
from tests.support.people import post

pytestmark = [pytest.mark.environ(DPM_WORKFLOW_ENABLED="true"), pytest.mark.stores("sqlite")]
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "=HYPERLINK(1)")


def hostile_trace(app: Flask, text: str) -> str:
    """Record a trace of another system in which everything is called ``text``; return the id of its item."""
    started = {"workflow": text, "title": text, "primary_entity": {"entity_type": text, "entity_id": text}}
    asked = requested(text, policy={"policy_id": text, "policy_version": text}, reason=text)
    with app.app_context(), transaction() as session:
        append(session, event(EventType.TRACE_STARTED, started, trace_id=text, event_id=f"evt {text}"))
        append(session, event(EventType.EXCEPTION_REQUESTED, asked, trace_id=text, trace_seq=1))
    return f"{text}:exception:{text}"


@pytest.mark.parametrize("text", CORPUS)
def test_no_page_runs_what_the_store_holds(app: Flask, client_of: ClientOf, text: str) -> None:
    workflow_id = hostile_trace(app, text)
    runs.act(app, workflow_id, Action.COMMENT, by=TOMAS, text=text)
    ada = client_of("ada")
    if ":" not in text:
        post(
            ada, "/admin", {"name": text, "display_name": text, "role": "reviewer", "password": "a password for tests"}
        )
    post(ada, f"/studio/{quote(text, safe='')}", {"title": text, "reason": text})
    paths = [
        url_of(workflow_id),
        "/inbox?tab=open",
        "/sla",
        "/notifications?state=all",
        "/studio",
        f"/studio/{quote(text, safe='')}",
        f"/traces/{quote(text, safe='')}",
        "/audit",
        f"/audit?about={quote(text)}&actor={quote(text)}&kind={quote(text)}",
        "/support",
        "/admin",
        f"/admin/people/{quote(text, safe='')}",
        "/decisions/reasons",
    ]
    for path in paths:
        page = ada.get(path)
        assert page.status_code in (200, 404), path
        assert_harmless(page.text)
    for path, fields in (
        ("/sla", {"note": text, "to": text}),
        ("/admin", {"name": text, "display_name": text, "role": text, "password": text}),
        ("/admin/tokens", {"account": text, "permissions": text, "days": text}),
        (
            f"/studio/{quote(text, safe='')}?template=precedent_gap_review",
            {"title": text * 99, "reason": text, "to": text},
        ),
    ):
        assert_harmless(post(ada, path, fields).text)


@pytest.mark.parametrize("text", FORMULAS)
def test_no_file_holds_a_formula(app: Flask, client_of: ClientOf, text: str) -> None:
    workflow_id = runs.item(app)
    runs.act(app, workflow_id, Action.COMMENT, by=TOMAS, text=text)
    answer = client_of("max").get("/audit.csv")
    cells = [cell for row in csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))) for cell in row]
    assert any(text.strip() in cell for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
