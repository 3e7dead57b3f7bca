"""What a form is refused is on record, and the reasons it offers are the deployment's own."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Permission
from lotus_web.domain.items.actions import Action
from lotus_web.models import AuditRecord
from lotus_web.services import studio
from lotus_web.services.decisions import gate
from lotus_web.services.items import next_item
from lotus_web.store.session import db
from tests.integration.conftest import ClientOf
from tests.integration.web.studio.test_studio import credit_trace
from tests.support import people, runs
from tests.support.events import account, open_item
from tests.support.histories import contents

PHRASES = {"action": "approve", "text": "fine", "reason_code": "WITHIN_MANDATE"}


def refused(app: Flask) -> list[tuple[str, str, str, str]]:
    with app.app_context():
        rows = db.session.query(AuditRecord).order_by(AuditRecord.audit_seq)
        return [(row.actor_id, row.action, row.code, row.surface) for row in rows]


def decide(client: FlaskClient, workflow_id: str, **form: str) -> int:
    return people.post(client, f"/inbox/{workflow_id}", data=PHRASES | form).status_code


def test_who_asked_for_a_review_is_refused_and_it_is_on_record(app: Flask, client_of: ClientOf) -> None:
    nora = client_of("nora")
    workflow_id = open_item(app, "t", at=utcnow(), actor={"actor_type": "person", "actor_id": "nora"})
    assert decide(nora, workflow_id, version="1") == 403
    assert refused(app) == [("nora", "approve", "four_eyes", "form")]


def test_a_decision_on_an_older_picture_is_on_record(app: Flask, client_of: ClientOf) -> None:
    nora = client_of("nora")
    workflow_id = open_item(app, "t", at=utcnow())
    runs.act(app, workflow_id, Action.COMMENT, by=account("bot", *runs.engine_feed().permissions), text="hm")
    assert decide(nora, workflow_id, version="1") == 409
    assert refused(app) == [("nora", "approve", "version_conflict", "form")]


def test_who_may_not_act_is_on_record_and_made_up_items_are_not(app: Flask, client_of: ClientOf) -> None:
    vera, bearer = client_of("vera"), people.bearer_of(app, "pms", [Permission.RUNS_READ])
    workflow_id = open_item(app, "t", at=utcnow())
    for name in (workflow_id, "made:exception:up"):
        assert decide(vera, name, version="1") in (403, 404)
        assert decide(client_of("nora"), name, version="1", reason_code="MADE_UP") in (404, 422)
        route, headers = f"/api/v1/workflows/{name}/actions", {"Authorization": f"Bearer {bearer}"}
        assert vera.post(route, json={"action": "approve"}, headers=headers).status_code == 403
    assert refused(app) == [
        ("vera", "approve", "FORBIDDEN", "form"),
        ("nora", "approve", "invalid_argument", "form"),
        ("pms", "approve", "FORBIDDEN", "api"),
    ]


@pytest.mark.environ(LOTUS_REASON_CODES='{"approve": [{"code": "FINE", "text": "All is fine by us"}]}')
def test_a_form_offers_and_takes_the_deployments_reasons(app: Flask, client_of: ClientOf) -> None:
    nora = client_of("nora")
    workflow_id = open_item(app, "t", at=utcnow())
    assert "All is fine by us" in nora.get(f"/inbox/{workflow_id}").text
    assert decide(nora, workflow_id, version="1") == 422
    assert decide(nora, workflow_id, version="1", reason_code="FINE") == 303


def start_both(app: Flask, nora: FlaskClient, role: str) -> list[int]:
    """Start a review of a trace by its form and by its route, for a role, and return the statuses."""
    bearer = people.bearer_of(app, "pms", [Permission.WORKFLOW_REVIEW])
    headers = {"Authorization": f"Bearer {bearer}"}
    form = people.post(nora, "/studio/trace-1", {"to": f"role:{role}"})
    route = "/api/v1/workflow-studio/traces/trace-1/reviews"
    return [form.status_code, nora.post(route, json={"assigned_role": role}, headers=headers).status_code]


def test_a_review_that_could_not_be_started_is_on_record_by_either_door(app: Flask, client_of: ClientOf) -> None:
    nora = client_of("nora")
    credit_trace(app)
    assert start_both(app, nora, "butler") == [422, 422]
    told = ("start_review", "invalid_argument")
    assert refused(app) == [("nora", *told, "form"), ("pms", *told, "api")]
    assert people.post(nora, "/studio/nowhere").status_code == 404
    assert len(refused(app)) == 2
    assert start_both(app, nora, "reviewer") == [303, 200]
    assert len(refused(app)) == 2


def test_a_review_that_could_not_be_recorded_leaves_nothing_else(
    app: Flask, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_named: object) -> None:
        raise OperationalError("INSERT INTO dg_event_log", {}, Exception("disk full"))

    nora = client_of("nora")
    credit_trace(app)
    monkeypatch.setattr(studio, "append_event", fail)
    with app.app_context():
        before = contents()
    assert start_both(app, nora, "reviewer") == [503, 503]
    with app.app_context():
        assert contents() == before
    assert {(action, code) for _, action, code, _ in refused(app)} == {("start_review", "OperationalError")}


@pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")
def test_work_that_could_not_be_taken_or_opened_is_on_record(
    app: Flask, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_named: object) -> None:
        raise OperationalError("UPDATE dg_tenant_runtime", {}, Exception("disk full"))

    nora, run_id = client_of("nora"), runs.record(app, policy=runs.UNGATED)
    monkeypatch.setattr(next_item, "lock_tenant", fail)
    monkeypatch.setattr(gate, "lock_tenant", fail)
    assert people.post(nora, "/inbox/next").status_code == 503
    assert people.post(nora, f"/runs/{run_id}").status_code == 503
    told = ("OperationalError", "form")
    assert refused(app) == [("nora", "claim", *told), ("nora", "runs_start_review", *told)]
