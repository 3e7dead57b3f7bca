"""A decision made by its reason code alone tells the code's plain words as its reason, everywhere an item tells it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Role
from lotus_web.domain.items.actions import Action
from lotus_web.queries.audit.export import export_item
from lotus_web.queries.inbox.escalated import escalated_items
from lotus_web.queries.inbox.filter import InboxFilter
from lotus_web.queries.inbox.listing import closed_items
from lotus_web.queries.items.page import item_detail
from lotus_web.store.session import db
from lotus_web.wire.audit import export_faults
from tests.contract.callers import ALL, Caller, bearer_of, segment
from tests.integration.conftest import ClientOf
from tests.support import runs
from tests.support.events import open_item, person
from tests.support.histories import assert_provable

NORA = person("nora", Role.REVIEWER)
WORDS = "The outcome is within the mandate"
OWN = json.dumps({"approve": [{"code": "WITHIN_MANDATE", "text": "All is fine by us"}]})
gated = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")


@pytest.fixture
def caller(app: Flask) -> Caller:
    return Caller(app.test_client(), "chief", bearer_of(app, "chief", ALL, "default"))


def decide(app: Flask, key: str, *steps: tuple[Action, str | None, str | None]) -> str:
    """Record a run and take these steps on its item: an action, its code, its text."""
    workflow_id = runs.item(app, key=key)
    for action, code, text in steps:
        runs.act(app, workflow_id, action, by=NORA, reason_code=code, text=text)
    return workflow_id


BY_CODE = (Action.APPROVE, "WITHIN_MANDATE", None)


@gated
@pytest.mark.environ(LOTUS_REASON_CODES=OWN)
def test_a_trace_tells_it_in_the_words_of_the_deployment_and_no_claim_of_what_is_decided(
    app: Flask, client_of: ClientOf
) -> None:
    workflow_id = decide(app, "key-1", (Action.CLAIM, None, None), BY_CODE)
    page = client_of("nora").get(f"/traces/{segment(workflow_id.partition(':')[0])}").text
    assert "All is fine by us" in page
    assert WORDS not in page
    assert "<strong>you</strong>" in page
    assert "claim end" not in page


@gated
def test_who_commented_on_a_decision_did_not_take_it(app: Flask, caller: Caller, client_of: ClientOf) -> None:
    decided = decide(app, "key-1", BY_CODE)
    runs.act(app, decided, Action.COMMENT, by=person("tomas", Role.REVIEWER), text="For the file.")
    vera, other = client_of("vera"), runs.item(app, key="key-2")
    page = vera.get("/inbox?tab=closed").text
    assert '<td data-label="By" class="nowrap"><span class="name" dir="auto">nora</span>' in page
    context = caller.get(f"/workflows/{segment(other)}").json["data"]["review_context"]
    assert [one["decided_by"] for one in context["precedents"]["items"]] == ["nora"]
    assert (
        "tomas"
        not in vera.get(f"/inbox/{segment(other)}").text.partition('id="precedents"')[2].partition("</section>")[0]
    )
    assert "by <bdi>nora</bdi>" in vera.get(f"/inbox/{segment(decided)}").text


@gated
def test_the_json_surface_tells_it_wherever_it_tells_an_item(app: Flask, caller: Caller) -> None:
    workflow_id = runs.item(app)
    at = f"/workflows/{segment(workflow_id)}"
    acted = caller.send("POST", f"{at}/actions", json={"action": "approve", "reason_code": "WITHIN_MANDATE"})
    assert acted.json["data"]["workflow"]["current_reason"] == WORDS
    assert acted.json["data"]["action"]["reason"] is None
    assert caller.get(at).json["data"]["workflow"]["current_reason"] == WORDS
    (listed,) = caller.get("/workflows", status="approved").json["data"]["items"]
    assert listed["current_reason"] == WORDS
    trace = segment(workflow_id.partition(":")[0])
    assert caller.get(f"/traces/{trace}").json["data"]["summary"]["workflows"][0]["current_reason"] == WORDS
    assert caller.get(f"/workflow-studio/traces/{trace}").json["data"]["existing"][0]["current_reason"] == WORDS
    other = runs.item(app, key="key-2")
    context = caller.get(f"/workflows/{segment(other)}").json["data"]["review_context"]
    assert [one["reason"] for one in context["precedents"]["items"]] == [WORDS]


@gated
def test_pages_get_it_with_their_items(app: Flask) -> None:
    workflow_id = decide(app, "a", (Action.ESCALATE, "DEADLINE_AT_RISK", None), BY_CODE)
    with app.app_context():
        session, about = db.session(), {"actor": NORA, "now": utcnow(), "soon_minutes": 30, "limit": 9}
        (closed,) = closed_items(session, InboxFilter(), **about).items
        (escalated,) = escalated_items(session, InboxFilter(escalated=utcnow().date()), **about).items
        assert closed.current_reason == escalated.current_reason == WORDS
        assert item_detail(session, "default", workflow_id).item.current_reason == WORDS


@gated
@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ((BY_CODE,), WORDS),
        (((Action.APPROVE, "WITHIN_MANDATE", "Agreed by phone."),), "Agreed by phone."),
        (((Action.REQUEST_CHANGE, "RESTRICTED_TARGET", None),), "A restricted instrument has to be replaced"),
        (((Action.REJECT, "RESTRICTED_TARGET", None),), "The model holds a restricted instrument"),
        (((Action.REQUEST_CHANGE, "MODEL_OUTDATED", None), (Action.CLAIM, None, None), BY_CODE), WORDS),
        ((BY_CODE, (Action.COMMENT, None, "Well done.")), WORDS),
        (((Action.REJECT, None, "No."), (Action.REQUEST_CHANGE, "OF_OUR_OWN", None)), "Of our own"),
        (((Action.ESCALATE, "DEADLINE_AT_RISK", None),), None),
    ],
)
@pytest.mark.stores("sqlite")
def test_it_is_the_reason_of_the_last_decision(app: Flask, caller: Caller, steps: Any, told: str | None) -> None:
    workflow_id = decide(app, "a", *steps)
    assert caller.get(f"/workflows/{segment(workflow_id)}").json["data"]["workflow"]["current_reason"] == told


@pytest.mark.environ(DPM_WORKFLOW_ENABLED="true", LOTUS_REASON_CODES=OWN)
@pytest.mark.stores("sqlite")
def test_a_deployments_own_words_count(app: Flask, caller: Caller) -> None:
    workflow_id = decide(app, "a", BY_CODE)
    assert caller.get(f"/workflows/{segment(workflow_id)}").json["data"]["workflow"]["current_reason"] == (
        "All is fine by us"
    )


@gated
def test_the_words_are_no_part_of_what_is_rebuilt_and_proven(app: Flask) -> None:
    workflow_id = decide(app, "a", BY_CODE)
    with app.app_context():
        assert_provable()
        document = export_item(db.session(), "default", workflow_id, now=utcnow())
    assert document["workflow"]["current_reason"] is None
    assert document["workflow_actions"][0]["reason_code"] == "WITHIN_MANDATE"
    assert export_faults(json.loads(json.dumps(document, default=str))) == ()


@pytest.mark.stores("sqlite")
def test_a_decision_of_another_system_without_words_has_no_reason(app: Flask, caller: Caller) -> None:
    workflow_id = open_item(app, "t")
    assert caller.get(f"/workflows/{segment(workflow_id)}").json["data"]["workflow"]["current_reason"] is None
