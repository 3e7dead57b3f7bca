"""Traces, a caller's own notifications, and the export, under /api/v1."""

from __future__ import annotations

import json
from pathlib import Path

from flask import Flask

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Permission, Role
from lotus_web.domain.items.actions import Action
from tests.contract.callers import Caller, segment
from tests.integration.api.conftest import MakeCaller
from tests.support import runs
from tests.support.events import open_item, person


def test_a_trace_tells_events_actions_and_notifications_in_one_order(app: Flask, chief: Caller) -> None:
    workflow_id = open_item(app, "t/1", at=utcnow())
    runs.act(app, workflow_id, Action.COMMENT, by=person("nora", Role.REVIEWER), text="hm")
    runs.act(app, workflow_id, Action.APPROVE, by=person("nora", Role.REVIEWER), text="fine")
    data = chief.get("/traces/t%2F1").json["data"]
    assert [(one["kind"], one["type"]) for one in data["timeline"]] == [
        ("event", "TraceStarted"),
        ("event", "ExceptionRequested"),
        ("notification", "assignment"),
        ("action", "comment"),
        ("event", "ApprovalRecorded"),
        ("action", "approve"),
        ("notification", "approval"),
    ]
    summary = data["summary"]
    assert (summary["outcome"], summary["event_count"], summary["title"]) == ("active", 3, "Credit line of Amara Tan")
    assert summary["workflows"][0]["status"] == "approved"
    assert data["truncated"] is False
    assert chief.get("/traces/t").status_code == 404


def test_a_caller_reads_its_own_notifications_and_no_others(app: Flask, make_caller: MakeCaller) -> None:
    workflow_id = open_item(app, "t", at=utcnow())
    runs.act(app, workflow_id, Action.APPROVE, by=person("nora", Role.REVIEWER), text="fine")
    asker = make_caller("credit-desk", [Permission.RUNS_READ])
    data = asker.get("/notifications").json["data"]
    assert data["unread"] == 1
    (told,) = data["items"]
    assert (told["category"], told["recipient_account_id"], told["read_at"]) == ("approval", "credit-desk", None)
    read = asker.send("POST", f"/notifications/{told['notification_id']}/read")
    assert read.status_code == 200
    first = read.json["data"]["read_at"]
    again = asker.send("POST", f"/notifications/{told['notification_id']}/read").json["data"]["read_at"]
    assert again == first is not None
    assert asker.get("/notifications").json["data"]["unread"] == 0
    assert asker.get("/notifications", state="unread").json["data"]["items"] == []
    assert len(asker.get("/notifications", state="read").json["data"]["items"]) == 1
    other = make_caller("rob", [Permission.RUNS_READ])
    assert other.get("/notifications").json["data"]["items"] == []
    assert other.send("POST", f"/notifications/{told['notification_id']}/read").status_code == 404


def test_an_export_verifies_with_and_without_its_envelope(app: Flask, chief: Caller, tmp_path: Path) -> None:
    workflow_id = open_item(app, "t", at=utcnow())
    runs.act(app, workflow_id, Action.CLAIM, by=person("nora", Role.REVIEWER))
    runs.act(app, workflow_id, Action.APPROVE, by=person("nora", Role.REVIEWER), text="fine — ✓")
    answer = chief.get(f"/admin/workflows/{segment(workflow_id)}/export")
    assert answer.json["data"]["audit_summary"]["action_count"] == 2
    runner = app.test_cli_runner()
    whole, inner, edited = tmp_path / "whole.json", tmp_path / "inner.json", tmp_path / "edited.json"
    whole.write_bytes(answer.data)
    inner.write_text(json.dumps(answer.json["data"]))
    edited.write_text(answer.text.replace("fine", "poor"))
    assert runner.invoke(args=["audit", "verify", "--file", str(whole)]).exit_code == 0
    assert runner.invoke(args=["audit", "verify", "--file", str(inner)]).exit_code == 0
    assert runner.invoke(args=["audit", "verify", "--file", str(edited)]).exit_code == 1
