"""What only says what would be done leaves the store as it is, to the byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from lotus_web.domain.access import Permission
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_items import HTMX
from tests.integration.web.studio.test_studio import credit_trace
from tests.support import runs
from tests.support.people import bearer_of

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true", DPM_SUPPORTABILITY_RETENTION_DAYS="1")
WEEK = timedelta(days=7)


def test_the_studio_drafts_a_review_without_writing(
    app: Flask, client_of: ClientOf, content: Callable[[], str]
) -> None:
    runs.item(app)
    credit_trace(app)
    nora, api = client_of("nora"), app.test_client()
    bearer = {"Authorization": f"Bearer {bearer_of(app, 'pms', [Permission.RUNS_READ, Permission.WORKFLOW_REVIEW])}"}
    before = content()
    for trace_id in ("trace-1", "corr-key-1", "nowhere"):
        for template in ("", "incident_triage", "exception_follow_up", "precedent_gap_review", "no_such"):
            known = trace_id != "nowhere" and template != "no_such"
            for headers in ({}, HTMX):
                page = nora.get(f"/studio/{trace_id}?template={template}", headers=headers)
                assert page.status_code == (200 if known else 404)
            path = f"/api/v1/workflow-studio/traces/{trace_id}?template_id={template}"
            assert api.get(path, headers=bearer).status_code == (200 if known else 404)
    assert content() == before


def test_a_tick_says_what_is_due_without_doing_it(app: Flask, content: Callable[[], str]) -> None:
    runs.record(app, runs.CLEAN, age=WEEK)
    runs.item(app, key="late", age=WEEK)
    run = app.test_cli_runner().invoke
    before = content()
    told = json.loads(run(args=["jobs", "tick", "--dry-run"]).output)
    assert told["retention"]["runs"] == 1
    assert told["retention"]["kept"] == {"legal_hold": 0, "open_item": 1}
    assert told["delivery"] == {"delivered": 0, "unknown_channel": 0}
    for name, would in told.items():
        assert json.loads(run(args=["jobs", "tick", "--job", name, "--dry-run"]).output) == {name: would}
    assert run(args=["jobs", "tick", "--job", "sla", "--dry-run"]).exit_code == 2
    assert content() == before
    done = json.loads(run(args=["jobs", "tick"]).output)
    assert (done["retention"]["runs"], done["sla"]["escalated"]) == (1, 1)
    assert content() != before


@pytest.mark.parametrize("command", [["workflow", "rebuild", "--check"], ["doctor"], ["tokens", "list"]])
def test_a_check_from_the_command_line_writes_nothing(
    app: Flask, content: Callable[[], str], command: list[str]
) -> None:
    runs.item(app, age=WEEK)
    before = content()
    done = app.test_cli_runner().invoke(args=command)
    assert done.exit_code == 0, done.output
    assert content() == before
