"""What was edited in the store since it was recorded is not approved, on whatever surface; the page says that it does not match."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from lotus_web.services.runs.evidence import MESSAGE
from lotus_web.store.session import db, transaction
from lotus_web.wire.packed import pack, unpack
from tests.contract.callers import Caller, review_request, segment
from tests.support import people

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true", DPM_ARTIFACT_STORE_MODE="PERSISTED")
CODE = "EVIDENCE_MISMATCH"


def edit(app: Flask, run_id: str) -> None:
    """Edit the result and the artifact of a run, so that they still agree with each other."""
    with app.app_context(), transaction() as session:
        for trigger in ("dpm_run_payloads_no_update", "dpm_run_artifacts_no_update"):
            on = f" ON {trigger.removesuffix('_no_update')}" if db.engine.dialect.name == "postgresql" else ""
            session.execute(text(f"DROP TRIGGER IF EXISTS {trigger}{on}"))
        for table, column in (("dpm_run_payloads", "result"), ("dpm_run_artifacts", "artifact")):
            stored = session.scalar(text(f"SELECT {column} FROM {table} WHERE rebalance_run_id = :id"), {"id": run_id})
            other = pack(unpack(stored) + b" ")
            session.execute(text(f"UPDATE {table} SET {column} = :other"), {"other": other})


def test_a_run_that_was_edited_is_not_approved_on_any_surface(app: Flask, engine: Caller, reviewer: Caller) -> None:
    run = engine.run(review_request())
    run_id, item = run["rebalance_run_id"], f"{run['correlation_id']}:exception:{run['rebalance_run_id']}"
    people.hire(app, "nora")
    client, address = app.test_client(), f"/inbox/{segment(item)}"
    people.sign_in(client, "nora")
    assert "Does not match" not in client.get(f"/runs/{run_id}").text
    edit(app, run_id)
    refused = reviewer.decide(run_id)
    assert (refused.status_code, refused.json) == (409, {"detail": CODE})
    refused = reviewer.send(
        "POST", f"/workflows/{segment(item)}/actions", json={"action": "approve", "reason": "Fine."}
    )
    assert (refused.status_code, refused.json["error"]["code"], refused.json["error"]["message"]) == (
        409,
        CODE.lower(),
        MESSAGE,
    )
    page = client.get(address)
    typed = people.hidden_fields(page) | {"text": "Fine.", "reason_code": "OTHER", "action": "approve"}
    form = client.post(address, data=typed)
    assert (form.status_code, MESSAGE in form.text) == (409, True)
    assert "Does not match" in client.get(f"/runs/{run_id}").text
    assert reviewer.decide(run_id, "REJECT").status_code == 200
