"""Whatever text the store holds, a page shows it as text: in titles, ids, reasons, names, payloads and links."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import html5lib
import pytest
from flask import Flask

from lotus_web.domain.events.envelope import EventType
from lotus_web.domain.items.actions import Action
from lotus_web.store.session import transaction
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_items import TOMAS, url_of
from tests.support import runs
from tests.support.histories import append, event
from tests.support.people import post

pytestmark = [pytest.mark.environ(DPM_WORKFLOW_ENABLED="true"), pytest.mark.stores("sqlite")]

CORPUS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus=alert(1) x='",
    "javascript:alert(1)",
    "</textarea><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "]]><!--",
)


def assert_harmless(text: str) -> None:
    """Assert that a page holds no element or attribute that its own templates did not write."""
    tree = html5lib.parse(text, namespaceHTMLElements=False)
    for element in tree.iter():
        if not isinstance(element.tag, str):
            continue
        assert element.tag not in ("img", "iframe", "object", "embed"), element.attrib
        assert element.tag != "script" or element.get("src", "").startswith("/static/"), element.text
        assert not [name for name in element.attrib if name.startswith("on")], element.attrib
        assert not element.get("href", "").lower().startswith("javascript:"), element.attrib
    assert "49{%" not in text


@pytest.mark.parametrize("text", CORPUS)
def test_a_runs_own_texts(app: Flask, client_of: ClientOf, text: str) -> None:
    def change(body: dict[str, Any]) -> None:
        body["portfolio_snapshot"] = {**body["portfolio_snapshot"], "portfolio_id": text}
        target, *rest = body["model_portfolio"]["targets"]
        body["model_portfolio"] = {"targets": [{**target, "instrument_id": text}, *rest]}
        shelf = [{**body["shelf_entries"][0], "instrument_id": text, "asset_class": text}, *body["shelf_entries"]]
        body["shelf_entries"] = shelf
        body["market_data_snapshot"] = {
            **body["market_data_snapshot"],
            "prices": [
                *body["market_data_snapshot"]["prices"],
                {"instrument_id": text, "price": "9", "currency": "USD"},
            ],
        }

    nora = client_of("nora")
    run_id = runs.record(app, key=text, correlation_id=text, change=change)
    workflow_id = f"{text}:exception:{run_id}"
    runs.act(app, workflow_id, Action.COMMENT, by=TOMAS, text=text)
    runs.act(app, workflow_id, Action.REJECT, by=TOMAS, text=text, reason_code="STRANGE")
    paths = [
        url_of(workflow_id),
        f"/runs/{run_id}",
        f"/runs/{run_id}/raw",
        f"/runs/{run_id}/raw?part=request",
        "/runs",
        f"/runs?portfolio_id={quote(text)}",
        "/inbox?tab=closed",
        f"/inbox?tab=open&q={quote(text)}&portfolio={quote(text)}&person={quote(text)}",
        "/decisions",
        f"/decisions?q={quote(text)}&actor_id={quote(text)}",
        f"/search?q={quote(text)}-",
    ]
    for path in paths:
        page = nora.get(path)
        assert page.status_code == 200, path
        assert_harmless(page.text)
    typed = post(nora, url_of(workflow_id), {"action": "comment", "text": text, "version": "1", "digest": text})
    assert typed.status_code == 409
    assert_harmless(typed.text)


@pytest.mark.parametrize("text", CORPUS)
def test_the_texts_of_another_decision_system(app: Flask, client_of: ClientOf, text: str) -> None:
    started = {"workflow": text, "title": text, "primary_entity": {"entity_type": "portfolio", "entity_id": text}}
    asked = {
        "exception_id": text,
        "policy": {"policy_id": text, "policy_version": text},
        "reason": text,
        "evidence": {"note": text},
    }
    with app.app_context(), transaction() as session:
        append(session, event(EventType.TRACE_STARTED, started, trace_id=text))
        actor = {"actor_type": "service_account", "actor_id": text}
        append(session, event(EventType.EXCEPTION_REQUESTED, asked, trace_id=text, actor=actor))
    nora, workflow_id = client_of("nora"), f"{text}:exception:{text}"
    for path in ("/inbox?tab=open", url_of(workflow_id), f"/search?q={quote(text)}"):
        page = nora.get(path)
        assert page.status_code in (200, 303), path
        assert_harmless(page.text)
    answer = post(nora, "/inbox?tab=open", {"claim": f"1:{workflow_id}"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert_harmless(answer.text)
