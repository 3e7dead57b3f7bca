"""Legal holds of proposals by JSON, on both mounts."""

from __future__ import annotations

import pytest
from flask import Flask

from lotus_web.domain.access import Permission
from tests.integration.api.conftest import MakeCaller
from tests.integration.api.conftest import make_caller as make_caller
from tests.support.proposals import proposed

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")


def test_a_hold_is_set_read_and_lifted(app: Flask, make_caller: MakeCaller) -> None:
    with app.app_context():
        proposal_id = proposed().proposal_id
    ada, reader = make_caller("ada"), make_caller("reader", [Permission.RUNS_READ])
    path = f"/rebalance/proposals/{proposal_id}/legal-hold"
    body = {"action": "SET", "reason": "Court order 7", "actor_id": "ada"}
    assert reader.send("POST", path, json=body | {"actor_id": "reader"}).status_code == 403
    assert reader.get(path).json == {"proposal_id": proposal_id, "legal_hold": False, "history": []}
    held = ada.send("POST", path, json=body)
    assert (held.status_code, held.json["legal_hold"]) == (200, True)
    again = ada.send("POST", path, json=body)
    assert (again.status_code, again.json["detail"]) == (409, "LEGAL_HOLD_UNCHANGED")
    lifted = ada.send("POST", path, json=body | {"action": "LIFT"})
    assert [one["entry_type"] for one in lifted.json["history"]] == ["HOLD_SET", "HOLD_LIFTED"]
    unknown = ada.get("/rebalance/proposals/pp_none/legal-hold")
    assert (unknown.status_code, unknown.json["detail"]) == (404, "PROPOSAL_NOT_FOUND")
