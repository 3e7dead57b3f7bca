"""Many runs under one correlation id: an item shows what the policy said of its own run, and a trace costs the same to look at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event as event_of_orm
from sqlalchemy import select

from lotus_web.domain.access import Role
from lotus_web.domain.events.envelope import EventType
from lotus_web.models import EventLogEntry
from lotus_web.queries.items import violations
from lotus_web.queries.items.detail import workflow_detail
from lotus_web.queries.items.lookup import stored_item
from lotus_web.queries.traces import summary as traces
from lotus_web.queries.traces.summary import trace_summary
from lotus_web.store.session import db, transaction
from tests.support.histories import NOW, POLICY, STARTED, append, event, person, record, requested, review_requested

SHARED = 12
MARA = person("mara.keller", Role.REVIEWER)


def fill(app: Flask) -> None:
    """Write a trace of a dozen runs."""
    with app.app_context():
        for number in range(1, SHARED + 1):
            with transaction() as session:
                record(session, number, correlation_id="batch")


pytestmark = [pytest.mark.usefixtures("session"), pytest.mark.filled(by=fill)]


def evaluated(run_id: str | None, rule_id: str, *, trace_id: str) -> Any:
    payload = {
        "policy": {"policy_id": "credit_limits", "policy_version": "4"},
        "inputs": {} if run_id is None else {"rebalance_run_id": run_id},
        "decision": "deny",
        "violations": [{"rule_id": rule_id}],
    }
    return event(EventType.POLICY_EVALUATED, payload, trace_id=trace_id)


def violations_of(workflow_id: str) -> list[str]:
    found = violations.item_violations(db.session(), stored_item(db.session(), "default", workflow_id))
    return [one["rule_id"] for one in found]


def test_an_item_shows_what_was_said_of_its_own_run_however_far_back(monkeypatch: pytest.MonkeyPatch) -> None:
    first = "batch:exception:rr_00000001"
    expected = violations_of(first)
    assert expected
    monkeypatch.setattr(violations, "MOST_ROWS", 2)
    with transaction() as session:
        append(session, evaluated("rr_00000001", "SAID_BY_OTHERS", trace_id="batch"))
        append(session, evaluated(None, "OF_NO_RUN", trace_id="batch"))
    assert violations_of(first) == expected


def test_an_item_without_a_run_shows_the_newest_that_was_said_in_its_trace() -> None:
    with transaction() as session:
        append(session, event(EventType.TRACE_STARTED, STARTED))
        append(session, evaluated(None, "EARLIER", trace_id="trace-1"))
        append(session, evaluated(None, "NEWEST", trace_id="trace-1"))
        append(session, event(EventType.EXCEPTION_REQUESTED, requested()))
        append(session, event(EventType.WORKFLOW_REVIEW_REQUESTED, review_requested(), trace_id="batch"))
    assert violations_of("trace-1:exception:ex-1") == ["NEWEST"]
    assert violations_of("batch:trace_review:incident_triage") == violations_of("batch:exception:rr_0000000c")


def test_a_trace_is_counted_by_the_number_of_its_last_event(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trace_summary(db.session(), "default", "batch")
    events = len(db.session.scalars(select(EventLogEntry.log_seq).where(EventLogEntry.trace_id == "batch")).all())
    assert (whole.event_count, events) == (1 + 2 * SHARED, 1 + 2 * SHARED)
    monkeypatch.setattr(traces, "MOST_ROWS", 4)
    db.session.expunge_all()
    loaded: list[int] = []
    listens = (EventLogEntry, "load", lambda row, _context: loaded.append(row.trace_seq))
    event_of_orm.listen(*listens)
    try:
        bounded = trace_summary(db.session(), "default", "batch")
    finally:
        event_of_orm.remove(*listens)
    assert sorted(loaded) == [0, *range(2 * SHARED - 3, 2 * SHARED + 1)]
    same = ("event_count", "last_event_at", "started_at", "exception_requested", "policy", "outcome", "title")
    for name in same:
        assert getattr(bounded, name) == getattr(whole, name), name


def test_a_request_long_ago_is_told_by_its_item(monkeypatch: pytest.MonkeyPatch) -> None:
    source = {"system": "prices", "object_type": "quote", "object_id": "q-1"}
    observed = {"input_id": "price-1", "source": source, "facts": {}}
    with transaction() as session:
        append(session, event(EventType.TRACE_STARTED, STARTED))
        append(session, event(EventType.EXCEPTION_REQUESTED, requested()))
        for _ in range(5):
            append(session, event(EventType.INPUT_OBSERVED, observed, occurred_at=NOW + timedelta(hours=1)))
    monkeypatch.setattr(traces, "MOST_ROWS", 3)
    found = trace_summary(db.session(), "default", "trace-1")
    assert (found.exception_requested, found.event_count, found.last_event_at) == (True, 7, NOW + timedelta(hours=1))


def test_the_page_of_an_item_reads_no_evaluation_but_its_own() -> None:
    db.session.expunge_all()
    found = workflow_detail(
        db.session(), "batch:exception:rr_00000003", actor=MARA, now=NOW, rules=POLICY.decision_rules
    )
    assert [one["rule_id"] for one in found.violations] == violations_of("batch:exception:rr_00000003")
