"""The export of a proposal holds all that is stored about it, and whoever edits the file is found out."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from lotus_web.domain.access import Permission
from lotus_web.domain.proposals.rules import ProposalRules
from lotus_web.domain.proposals.states import ProposalState
from lotus_web.wire.audit import document_hash, export_faults
from tests.integration.api.conftest import MakeCaller
from tests.integration.api.conftest import make_caller as make_caller
from tests.support.proposals import led_to, proposed, versioned

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")


@pytest.fixture
def proposal_id(app: Flask) -> str:
    with app.app_context():
        found = proposed(key="its-key").proposal_id
        versioned(found)
        return led_to(found, ProposalState.EXECUTED)


@pytest.fixture
def document(proposal_id: str, make_caller: MakeCaller) -> dict[str, Any]:
    answer = make_caller("auditor", [Permission.WORKFLOW_EXPORT]).get(f"/admin/proposals/{proposal_id}/export")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json["data"]
    return found


def test_an_export_holds_everything_and_verifies(app: Flask, document: dict[str, Any], tmp_path: Path) -> None:
    assert document["proposal"]["current_state"] == "EXECUTED"
    assert [one["version_no"] for one in document["versions"]] == [1, 2]
    assert document["events"][0]["event_type"] == "CREATED"
    assert {one["approval_type"] for one in document["approvals"]} == {"RISK", "CLIENT_CONSENT"}
    assert {one["edge_type"] for one in document["edges"]} >= {
        "CORRELATION_TO_PROPOSAL",
        "IDEMPOTENCY_TO_PROPOSAL",
        "VERSION_OF",
        "DERIVED_FROM",
    }
    kinds = [entry["event"]["event_type"] for entry in document["proof"]["entries"]]
    assert (kinds[0], kinds[-1]) == ("TraceStarted", "TraceFinished")
    assert export_faults(document) == ()
    path = tmp_path / "export.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    done = app.test_cli_runner().invoke(args=["audit", "verify", "--file", str(path)])
    assert (done.exit_code, "intact" in done.output) == (0, True)


def spoil_result(document: dict[str, Any]) -> None:
    document["versions"][1]["result"]["status"] = "BLOCKED"


def spoil_artifact(document: dict[str, Any]) -> None:
    document["versions"][0]["artifact"]["summary"]["title"] = "Another"


def spoil_hash(document: dict[str, Any]) -> None:
    document["versions"][0]["artifact_hash"] = "sha256:0"


def spoil_entry(document: dict[str, Any]) -> None:
    document["proof"]["entries"][1]["event"]["payload"]["decision"] = "allow!"


@pytest.mark.parametrize("spoil", [spoil_result, spoil_artifact, spoil_hash, spoil_entry])
def test_an_edit_is_found_even_with_the_hash_over_all_made_anew(
    document: dict[str, Any], spoil: Callable[[dict[str, Any]], None]
) -> None:
    edited = copy.deepcopy(document)
    spoil(edited)
    edited["proof"]["document_hash"] = document_hash(edited)
    assert export_faults(edited) != ()


def test_an_edited_event_or_approval_is_covered_by_the_hash_over_all(document: dict[str, Any]) -> None:
    document["approvals"][0]["actor_id"] = "mallory"
    assert export_faults(document) == ("the document is not the one that was hashed",)


def test_without_evidence_the_result_and_the_log_still_prove_it(app: Flask, make_caller: MakeCaller) -> None:
    with app.app_context():
        found = proposed(rules=ProposalRules(store_evidence=False)).proposal_id
    document = make_caller("auditor").get(f"/admin/proposals/{found}/export").json["data"]
    assert document["versions"][0]["artifact"]["evidence_bundle"] == {}
    assert export_faults(document) == ()


def test_who_may_not_export_and_what_does_not_exist(proposal_id: str, make_caller: MakeCaller) -> None:
    reader = make_caller("reader", [Permission.RUNS_READ])
    assert reader.get(f"/admin/proposals/{proposal_id}/export").status_code == 403
    unknown = make_caller("auditor").get("/admin/proposals/pp_none/export")
    assert (unknown.status_code, unknown.json["error"]["code"]) == (404, "not_found")
