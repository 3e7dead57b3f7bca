"""Recording a run: everything or nothing, with the workflow on, off, and switched in between (delta 1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from lotus_web.domain.decisions.gate import GateAction
from lotus_web.models import Decision, EventLogEntry, Run, WorkflowItem
from lotus_web.services.runs import record as runs_record
from lotus_web.store.session import db, transaction
from lotus_web.wire.packed import dump
from tests.support.histories import (
    EVENTS,
    FEED,
    NOW,
    OFF,
    POLICY,
    assert_provable,
    computed,
    contents,
    count,
    decide,
    record,
    result,
    workflow_id,
)


@pytest.fixture(autouse=True)
def in_app(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def items() -> dict[str, WorkflowItem]:
    return {row.workflow_id: row for row in db.session.scalars(db.select(WorkflowItem))}


def test_a_run_that_needs_a_person_leaves_its_events_and_its_item() -> None:
    with transaction() as session:
        record(session, 1)
    kinds = db.session.scalars(db.select(EventLogEntry.event_type).order_by(EventLogEntry.log_seq)).all()
    assert kinds == ["TraceStarted", "PolicyEvaluated", "ExceptionRequested", "RunRecorded"]
    item = items()[workflow_id(1)]
    assert (item.status, item.rebalance_run_id, item.portfolio_id) == ("requested", "rr_00000001", "PF-1")
    assert item.request_reason == "Cash would be 8.00% of the portfolio; the band is 1.00% to 5.00%."
    assert_provable()


@pytest.mark.parametrize(("status", "decision"), [("READY", "allow"), ("BLOCKED", "deny")])
def test_a_run_that_needs_nobody_is_in_the_log_without_an_item(status: str, decision: str) -> None:
    with transaction() as session:
        record(session, 1, status=status)
    evaluated = db.session.scalars(db.select(EventLogEntry).where(EventLogEntry.event_type == "PolicyEvaluated")).one()
    assert evaluated.payload["decision"] == decision
    assert items() == {}


def test_with_the_workflow_off_a_run_is_recorded_and_the_log_has_no_event() -> None:
    with transaction() as session:
        record(session, 1, policy=OFF)
    assert (count("dpm_runs"), count("dg_event_log"), count("dg_event_log", EVENTS)) == (1, 1, 0)
    assert_provable()


def test_runs_of_one_correlation_share_a_trace_and_keep_their_own_portfolio() -> None:
    with transaction() as session:
        for number in (1, 2):
            record(session, number, correlation_id="batch-7")
        decide(session, 2, GateAction.APPROVE)
    stored = items()
    assert [stored[f"batch-7:exception:rr_0000000{number}"].portfolio_id for number in (1, 2)] == ["PF-1", "PF-2"]
    assert [stored[f"batch-7:exception:rr_0000000{number}"].title for number in (1, 2)] == [
        "Rebalance PF-1",
        "Rebalance PF-2",
    ]
    assert db.session.scalars(db.select(Decision)).one().portfolio_id == "PF-2"
    assert count("dg_event_log", "event_type = 'TraceStarted'") == 1
    assert_provable()


def test_a_run_with_more_findings_than_an_event_may_hold_is_still_recorded() -> None:
    capped = [
        {
            "instrument_id": f"EQ_{n}" + "X" * 200,
            "model_weight": "0.01",
            "final_weight": "0.005",
            "tags": ["CAPPED_BY_MAX_WEIGHT"],
        }
        for n in range(2_000)
    ]
    excluded = [{"instrument_id": row["instrument_id"], "reason_code": "LOCKED_DUE_TO_SUSPENDED"} for row in capped]
    unusual = {"rule_results": [], "target": {"targets": capped}, "universe": {"excluded": excluded}}
    run = replace(computed(1), result_json=dump({**result("rr_00000001", "corr-1"), **unusual}))
    with transaction() as session:
        runs_record.record_run(session, run, actor=FEED, now=NOW, policy=POLICY)
    evaluated = db.session.scalars(db.select(EventLogEntry).where(EventLogEntry.event_type == "PolicyEvaluated")).one()
    assert (len(evaluated.payload["violations"]), evaluated.payload["violation_count"]) == (50, 2_000)
    assert_provable()


@pytest.mark.parametrize("step", ["add_history", "_add_edges", "append_run_events"])
def test_a_failure_at_any_step_leaves_nothing(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    before = contents()

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(runs_record, step, fail)
    keyed = replace(computed(1), idempotency_key="key-1")
    with pytest.raises(OSError, match="full"), transaction() as session:
        runs_record.record_run(session, keyed, actor=FEED, now=NOW, policy=POLICY)
    assert contents() == before


def test_an_artifact_is_kept_only_where_the_deployment_says_so() -> None:
    with transaction() as session:
        record(session, 1)
        record(session, 2, policy=replace(POLICY, persist_artifacts=True))
    assert count("dpm_run_artifacts") == 1
    assert db.session.get(Run, ("default", "rr_00000001")) is not None
