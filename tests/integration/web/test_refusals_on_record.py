"""What a form is refused is on record, and the reasons it offers are the deployment's own."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lotus_web.current import utcnow
from lotus_web.db import db
from lotus_web.domain.workflow import Action
from lotus_web.models import AuditRecord
from tests import desk, people
from tests.integration.conftest import ClientOf
from tests.outside import account, open_item

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
    desk.act(app, workflow_id, Action.COMMENT, by=account("bot", *desk.engine_feed().permissions), text="hm")
    assert decide(nora, workflow_id, version="1") == 409
    assert refused(app) == [("nora", "approve", "version_conflict", "form")]


@pytest.mark.environ(LOTUS_REASON_CODES='{"approve": [{"code": "FINE", "text": "All is fine by us"}]}')
def test_a_form_offers_and_takes_the_deployments_reasons(app: Flask, client_of: ClientOf) -> None:
    nora = client_of("nora")
    workflow_id = open_item(app, "t", at=utcnow())
    assert "All is fine by us" in nora.get(f"/inbox/{workflow_id}").text
    assert decide(nora, workflow_id, version="1") == 422
    assert decide(nora, workflow_id, version="1", reason_code="FINE") == 303
