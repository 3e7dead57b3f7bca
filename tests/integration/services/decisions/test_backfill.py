"""Runs from before the workflow are brought in, a batch at a time, each once (workflow.md §1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from lotus_web.models import RunPayload, WorkflowItem
from lotus_web.queries.audit.facts import verify_facts
from lotus_web.services.decisions import backfill
from lotus_web.store.session import db, transaction
from tests.support.histories import FEED, NOW, OFF, POLICY, assert_provable, count, differences, record, workflow_id

ON = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")


@pytest.fixture
def earlier(app: Flask) -> Iterator[Flask]:
    """Five runs from before the workflow, one of them ready, one of another tenant, and one from after."""
    with app.app_context():
        with transaction() as session:
            for number in (1, 2, 3):
                record(session, number, policy=OFF)
            record(session, 4, policy=OFF, status="READY")
            record(session, 5, policy=OFF, actor=replace(FEED, tenant_id="elsewhere"))
            record(session, 6)
        db.session.rollback()
        yield app


def backfilled(app: Flask, *options: str) -> Any:
    return app.test_cli_runner().invoke(args=["workflow", "backfill", *options])


@ON
def test_every_run_that_needs_a_person_gets_its_item_once(earlier: Flask) -> None:
    done = backfilled(earlier)
    assert done.exit_code == 0
    assert done.output.splitlines() == ["default: 3 runs added", "elsewhere: 1 runs added"]
    assert count("dg_workflow_items") == 5
    assert backfilled(earlier).output.splitlines() == ["default: 0 runs added", "elsewhere: 0 runs added"]
    assert count("dg_workflow_items") == 5
    assert_provable()


@ON
def test_the_clock_of_an_old_run_starts_now(earlier: Flask) -> None:
    backfilled(earlier, "--tenant", "default")
    item = db.session.get_one(WorkflowItem, ("default", workflow_id(1)))
    assert item.requested_at > NOW
    assert count("dg_workflow_items", "tenant_id = 'elsewhere'") == 0


def test_with_the_workflow_off_it_says_so(earlier: Flask) -> None:
    done = backfilled(earlier)
    assert (done.exit_code, "DPM_WORKFLOW_ENABLED" in done.output) == (1, True)


def test_batches_go_on_where_the_last_ended_and_pass_over_what_cannot_be_explained(
    earlier: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "RUNS_A_BATCH", 1)
    with transaction() as session:
        session.delete(session.get_one(RunPayload, ("default", "rr_00000002")))
    after, seen = None, []
    while True:
        with transaction() as session:
            batch = backfill.backfill_batch(session, "default", after=after, now=NOW, policy=POLICY)
        seen.append((batch.brought_in, batch.left))
        if batch.upto is None:
            break
        after = batch.upto
    assert seen == [(1, ()), (0, ("rr_00000002",)), (1, ()), (0, ())]
    assert list(verify_facts(db.session(), "default")) == ["run rr_00000002: its request and result are missing"]
    assert differences() == []


def test_a_run_that_the_log_knows_is_brought_in_when_its_status_needs_a_person_now(earlier: Flask) -> None:
    strict = replace(POLICY, review_statuses=("READY", "PENDING_REVIEW"))
    with transaction() as session:
        record(session, 8, status="READY")
    with transaction() as session:
        assert backfill.backfill_batch(session, "default", after=None, now=NOW, policy=strict).brought_in == 5
    assert_provable()
