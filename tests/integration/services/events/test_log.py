"""Appending: order, repeats, refusals, and what a refusal leaves behind: nothing (workflow.md §1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from lotus_web.domain.access import Role
from lotus_web.domain.errors import Conflict, InvalidInput, LotusError
from lotus_web.domain.events.envelope import GENESIS, SOURCE, EventDraft, EventSource, EventType
from lotus_web.domain.events.facts import Fact, FactType
from lotus_web.models import EventLogEntry, TenantRuntime, WorkflowItem
from lotus_web.services.accounts import administration
from lotus_web.services.events.facts import WAITING, note_fact, waiting_tenants
from lotus_web.store.session import LOCKED, db, transaction
from tests.support.histories import (
    NOW,
    STARTED,
    append,
    approved,
    assert_provable,
    contents,
    count,
    event,
    person,
    record,
    refused,
    requested,
    review_requested,
    verify,
    workflow_id,
)
from tests.support.people import hire


@pytest.fixture(autouse=True)
def in_app(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def appended(*drafts: EventDraft) -> list[EventLogEntry]:
    with transaction() as session:
        return [append(session, draft).entry for draft in drafts]


def start(trace_id: str = "trace-1") -> EventDraft:
    return event(EventType.TRACE_STARTED, STARTED, trace_id=trace_id)


def assert_refused(draft: EventDraft, kind: type[LotusError], code: str) -> LotusError:
    before = contents()
    refusal = refused(lambda session: append(session, draft), kind)
    assert isinstance(refusal, LotusError)
    assert refusal.code == code
    assert contents() == before
    assert_provable()
    return refusal


def test_entries_are_chained_and_numbered_within_their_trace() -> None:
    first, second, other = appended(start(), event(EventType.EXCEPTION_REQUESTED, requested()), start("trace-2"))
    assert [first.trace_seq, second.trace_seq, other.trace_seq] == [0, 1, 0]
    assert [first.prev_hash, second.prev_hash, other.prev_hash] == [GENESIS, first.entry_hash, second.entry_hash]
    runtime = db.session.get(TenantRuntime, "default")
    assert runtime is not None
    assert (runtime.last_log_seq, runtime.head_hash, runtime.entry_count) == (other.log_seq, other.entry_hash, 3)
    assert_provable()


def test_each_tenant_has_a_chain_of_its_own() -> None:
    appended(start(), replace(start(), tenant_id="elsewhere"))
    assert [verify("default").entries, verify("elsewhere").entries] == [1, 1]
    assert_provable()


def test_the_same_event_again_is_answered_with_the_stored_one() -> None:
    draft = start()
    (first,) = appended(draft)
    with transaction() as session:
        again = append(session, draft, NOW + timedelta(hours=1))
    assert (again.created, again.entry.log_seq, again.entry.recorded_at) == (False, first.log_seq, NOW)
    assert count("dg_event_log") == 1


def test_a_repeat_may_leave_its_number_open_or_name_it() -> None:
    draft = start()
    appended(draft)
    with transaction() as session:
        assert not append(session, replace(draft, trace_seq=0)).created
    assert_refused(replace(draft, trace_seq=1), Conflict, "idempotency_conflict")


@pytest.mark.parametrize(
    "change", [{"payload": {**STARTED, "title": "Another"}}, {"event_id": "evt-else"}, {"tags": ("x",)}]
)
def test_a_key_with_other_content_is_a_conflict(change: dict[str, object]) -> None:
    draft = start()
    appended(draft)
    assert_refused(replace(draft, **change), Conflict, "idempotency_conflict")  # type: ignore[arg-type]


def test_a_key_belongs_to_its_producer() -> None:
    draft = start()
    appended(
        draft, replace(start("trace-2"), idempotency_key=draft.idempotency_key, source=EventSource("s", "another"))
    )
    assert count("dg_event_log") == 2


def test_an_event_id_is_used_once_whatever_the_key() -> None:
    draft = start()
    appended(draft)
    refusal = assert_refused(replace(start("trace-2"), event_id=draft.event_id), Conflict, "idempotency_conflict")
    assert refusal.details == {"event_id": draft.event_id}


@pytest.mark.parametrize("number", [0, 2, 99])
def test_a_number_that_is_not_the_next_is_a_conflict_that_names_the_next(number: int) -> None:
    appended(start())
    draft = replace(event(EventType.EXCEPTION_REQUESTED, requested()), trace_seq=number)
    assert assert_refused(draft, Conflict, "trace_seq_conflict").details == {"expected": 1, "sent": number}


def test_a_trace_begins_with_its_start_and_starts_once() -> None:
    assert_refused(event(EventType.EXCEPTION_REQUESTED, requested()), InvalidInput, "invalid_argument")
    appended(start())
    assert_refused(start(), InvalidInput, "invalid_argument")


def test_a_refused_event_leaves_no_trace_of_its_tenant_either() -> None:
    assert_refused(replace(event(EventType.TRACE_STARTED, {}), tenant_id="new"), InvalidInput, "invalid_argument")
    assert count("dg_workflow_runtime") == 0


def test_an_event_cannot_open_an_item_that_belongs_to_another_trace() -> None:
    """Ids are joined with colons, which ids may hold: two traces can spell the same item."""
    appended(start("a:exception:b"), event(EventType.EXCEPTION_REQUESTED, requested("c"), trace_id="a:exception:b"))
    appended(start("a"))
    squatter = event(EventType.EXCEPTION_REQUESTED, requested("b:exception:c"), trace_id="a")
    assert_refused(squatter, InvalidInput, "invalid_argument")


def test_a_foreign_event_cannot_open_the_item_of_a_run() -> None:
    with transaction() as session:
        record(session, 1, status="READY")
    draft = event(EventType.EXCEPTION_REQUESTED, requested("rr_00000001"), trace_id="corr-1")
    assert "is a run" in assert_refused(draft, InvalidInput, "invalid_argument").message


def test_nor_by_spelling_it_as_a_review() -> None:
    with transaction() as session:
        record(session, 1, correlation_id="t:trace_review:x")
    with transaction() as session:
        session.execute(db.delete(WorkflowItem))
    appended(start("t"))
    draft = event(EventType.WORKFLOW_REVIEW_REQUESTED, review_requested("x:exception:rr_00000001"), trace_id="t")
    before = count("dg_event_log")
    assert refused(lambda session: append(session, draft), InvalidInput)
    assert count("dg_event_log") == before


def test_a_foreign_approval_of_a_run_is_a_line_in_the_timeline_and_no_decision() -> None:
    with transaction() as session:
        record(session, 1)
    appended(event(EventType.APPROVAL_RECORDED, approved("exception", "rr_00000001"), trace_id="corr-1"))
    item = db.session.get(WorkflowItem, ("default", workflow_id(1)))
    assert item is not None
    assert (item.status, item.version) == ("requested", 1)
    assert count("dpm_workflow_decisions") == count("dg_workflow_actions") == 0
    assert_provable()


def test_other_systems_open_and_close_items_through_events_alone() -> None:
    appended(
        start(),
        event(EventType.EXCEPTION_REQUESTED, requested(priority="urgent")),
        event(EventType.WORKFLOW_REVIEW_REQUESTED, review_requested()),
        event(EventType.APPROVAL_RECORDED, approved("exception", "ex-1", reason="Fine.")),
    )
    statuses = {row.workflow_id: row.status for row in db.session.scalars(db.select(WorkflowItem))}
    assert statuses == {"trace-1:exception:ex-1": "approved", "trace-1:trace_review:incident_triage": "requested"}
    assert count("dg_workflow_actions", "origin = 'event'") == 1
    assert_provable()


def test_any_storable_text_goes_in_and_comes_out_and_still_proves() -> None:
    for number, text in enumerate(("größer ≥ 5 %", "a'b\"c", "line\nbreak", "😀", "\x1b[31m", "x" * 10_000)):
        trace = f"{text[:40]}-{number}"
        appended(
            start(trace),
            event(EventType.EXCEPTION_REQUESTED, requested(reason=text, note={text: [text]}), trace_id=trace),
        )
        item = db.session.get(WorkflowItem, ("default", f"{trace}:exception:ex-1"))
        assert item is not None
        assert item.request_reason == text
    assert_provable()


def test_the_houses_own_producer_has_a_name_that_items_of_runs_trust() -> None:
    assert SOURCE.producer_id == "lotus-web"


def test_all_lock_the_default_tenant_before_another(app: Flask) -> None:
    """In one order, or two commands could wait for each other for ever."""
    with app.app_context(), transaction() as session:
        for tenant_id in ("alpine", "default", "north"):
            note_fact(session, Fact(tenant_id, FactType.PACK_RECORDED, "p", {}, None))
        assert waiting_tenants(session) == ["default", "alpine", "north"]
        session.info.pop(WAITING)
    hire(app, "ada", Role.ADMIN, tenant="alpine")
    hire(app, "mara", Role.MANAGER, tenant="alpine")
    admin = person("ada", Role.ADMIN, tenant_id="alpine")
    with app.app_context(), transaction() as session:
        administration.grant_role(session, name="mara", role=Role.REVIEWER, actor=admin, now=NOW)
        assert list(session.info[LOCKED]) == ["default", "alpine"]
