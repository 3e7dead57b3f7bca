"""Tampering is found and named: any column of any entry, a row taken out, put in or moved, the head (workflow.md §1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from lotus_web.domain.decisions.gate import GateAction
from lotus_web.domain.events.envelope import EventType, Poster
from lotus_web.models import EventLogEntry
from lotus_web.queries.audit import chain as audit
from lotus_web.services.events.log import append_event
from lotus_web.store.session import db, transaction
from tests.support.histories import (
    FEED,
    NOW,
    POLICY,
    STARTED,
    assert_provable,
    decide,
    event,
    record,
    tampered,
    unguarded,
    verify,
)

LOG = "dg_event_log"


@pytest.fixture
def log(app: Flask) -> Iterator[list[int]]:
    """A store with seven events of two runs; their ``log_seq``."""
    with app.app_context():
        with transaction() as session:
            record(session, 1)
            record(session, 2)
        with transaction() as session:
            decide(session, 1, GateAction.APPROVE)
        assert_provable()
        places = list(db.session.scalars(db.select(EventLogEntry.log_seq).order_by(EventLogEntry.log_seq)))
        db.session.rollback()
        yield places
        db.session.rollback()


OTHER: dict[str, Any] = {
    "tenant_id": "other",
    "event_id": "evt_other",
    "trace_id": "trace-other",
    "trace_seq": 7,
    "event_type": "TraceFinished",
    "occurred_at": "2020-01-01 00:00:00.000000",
    "recorded_at": "2020-01-01 00:00:00.000000",
    "producer_id": "someone-else",
    "source": '{"producer_id":"lotus-web","subsystem":null,"system":"another"}',
    "actor": '{"actor_id":"mallory","actor_type":"person"}',
    "idempotency_key": "another-key",
    "payload": '{"decision":"approved"}',
    "correlation_id": "another",
    "causation_event_id": "another",
    "schema_version": 2,
    "tags": '["edited"]',
    "applied_defaults": '{"other": 1}',
    "posted_by": "mallory",
    "posted_with": "tok0000000000000000",
    "payload_hash": "sha256:" + "0" * 64,
    "prev_hash": "sha256:" + "1" * 64,
    "entry_hash": "sha256:" + "2" * 64,
}


def test_an_edit_of_any_column_of_any_entry_is_found_there(log: list[int]) -> None:
    assert {column.key for column in EventLogEntry.__table__.columns} == {*OTHER, "log_seq"}
    with unguarded(LOG) as session:
        for column, other in OTHER.items():
            for place, seq in enumerate(log):
                edit = f"UPDATE {LOG} SET {column} = :other WHERE log_seq = :seq"
                report = tampered(session, edit, other=other, seq=seq)
                # An entry that went to another tenant is missed by the one after it, and the last by the head.
                gone = column == "tenant_id"
                expected = (log[place + 1] if seq != log[-1] else log[-2]) if gone else seq
                assert (report.intact, report.first_bad) == (False, expected), (column, place, report)
                assert report.why


def test_who_fed_an_event_can_be_neither_changed_nor_taken_away(log: list[int]) -> None:
    fed = event(EventType.TRACE_STARTED, STARTED)
    with transaction() as session:
        append_event(
            session, fed, defaults=POLICY.defaults, now=NOW, poster=Poster("credit-bot", "tok0123456789abcdef")
        )
    assert_provable()
    edits = ("posted_by = 'mallory'", "posted_by = NULL", "posted_with = NULL", "posted_by = NULL, posted_with = NULL")
    with unguarded(LOG) as session:
        for edit in edits:
            report = tampered(session, f"UPDATE {LOG} SET {edit} WHERE event_id = :id", id=fed.event_id)
            assert (report.intact, report.entries) == (False, len(log)), edit


def test_columns_that_hold_no_canonical_json_are_a_finding_and_no_crash(log: list[int]) -> None:
    with unguarded(LOG) as session:
        for column in ("source", "actor", "tags", "applied_defaults", "payload"):
            for value in ("", "not json", "[1", "ü", '{"a": 1}', "null"):
                edit = f"UPDATE {LOG} SET {column} = :other WHERE log_seq = :seq"
                assert tampered(session, edit, other=value, seq=log[2]).first_bad == log[2], (column, value)


def test_white_space_in_stored_json_is_an_edit_too(log: list[int]) -> None:
    with unguarded(LOG) as session:
        edit = f"UPDATE {LOG} SET actor = replace(actor, ':', ': ') WHERE log_seq = :seq"
        assert tampered(session, edit, seq=log[1]).first_bad == log[1]


@pytest.mark.stores("sqlite")
def test_a_time_that_is_none_is_a_finding_and_no_crash(log: list[int]) -> None:
    with unguarded(LOG) as session:
        report = tampered(session, f"UPDATE {LOG} SET recorded_at = 'yesterday' WHERE log_seq = :seq", seq=log[4])
    assert (report.first_bad, report.entries) == (log[4], 4)


def test_a_deleted_entry_is_missed_by_the_one_after_it_and_the_last_by_the_head(log: list[int]) -> None:
    with unguarded(LOG) as session:
        for place, seq in enumerate(log):
            report = tampered(session, f"DELETE FROM {LOG} WHERE log_seq = :seq", seq=seq)
            expected = log[place + 1] if seq != log[-1] else log[-2]
            assert (report.intact, report.first_bad) == (False, expected)
            assert report.why is not None
            assert "missing" in report.why
        assert not tampered(session, f"DELETE FROM {LOG} WHERE log_seq >= :seq", seq=log[0]).intact


def test_two_entries_that_changed_places_are_found_at_the_first(log: list[int]) -> None:
    with unguarded(LOG) as session:
        for old, new in ((log[2], 9_001), (log[4], log[2])):
            session.execute(text(f"UPDATE {LOG} SET log_seq = :new WHERE log_seq = :old"), {"old": old, "new": new})
        report = tampered(session, f"UPDATE {LOG} SET log_seq = :new WHERE log_seq = 9001", new=log[4])
    assert (report.intact, report.first_bad) == (False, log[2])


def test_an_entry_put_in_at_the_end_is_found(log: list[int]) -> None:
    keys = ("log_seq", "event_id", "trace_seq", "idempotency_key")
    names = ", ".join(column.name for column in EventLogEntry.__table__.columns if column.name not in keys)
    forged = f"SELECT 9999, 'evt_forged', 9, 'forged', {names} FROM {LOG} WHERE log_seq = :seq"
    with unguarded(LOG) as session:
        report = tampered(session, f"INSERT INTO {LOG} ({', '.join(keys)}, {names}) {forged}", seq=log[-1])
    assert report.first_bad == 9999


def test_an_edited_or_missing_head_is_found(log: list[int]) -> None:
    edits = ("head_hash = 'sha256:0'", "last_log_seq = last_log_seq - 1", "last_log_seq = 99", "entry_count = 8")
    with unguarded("dg_workflow_runtime") as session:
        for edit in edits:
            assert not tampered(session, f"UPDATE dg_workflow_runtime SET {edit}").intact, edit
        assert tampered(session, "DELETE FROM dg_workflow_runtime").why == "the tenant's runtime row is missing"
        session.execute(text("DELETE FROM dg_workflow_runtime"))
        assert audit.chained_tenants(session) == ("default",)
        session.rollback()


def test_who_hashes_a_forged_entry_anew_has_only_moved_the_break_by_one(log: list[int]) -> None:
    with unguarded(LOG) as session:
        session.execute(text(f"UPDATE {LOG} SET tags = '[1]' WHERE log_seq = :seq"), {"seq": log[1]})
        row = next(row for row in audit.entries(session, "default", after=log[0]))
        forged = audit.link_hash(audit.entry_content(row), row.prev_hash)
        report = tampered(session, f"UPDATE {LOG} SET entry_hash = :hash WHERE log_seq = :seq", hash=forged, seq=log[1])
    assert report.first_bad == log[2]


def test_a_gap_in_a_trace_is_found_even_if_every_hash_fits(log: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_wrong", lambda row: None)
    with unguarded(LOG) as session:
        report = tampered(session, f"UPDATE {LOG} SET trace_seq = 9 WHERE log_seq = :seq", seq=log[-2])
    assert (report.intact, report.first_bad) == (False, log[-2])
    assert report.why is not None
    assert "out of its place" in report.why


def test_the_log_is_read_in_batches_of_bounded_size(log: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "BATCH", 2)
    report = verify()
    assert (report.intact, report.entries) == (True, len(log))


def test_a_tenant_without_a_log_is_intact_and_empty(log: list[int]) -> None:
    report = verify("elsewhere")
    assert (report.intact, report.entries, report.head_hash) == (True, 0, audit.GENESIS)


def test_the_command_verifies_every_tenant_and_names_the_first_bad_entry(app: Flask, log: list[int]) -> None:
    with transaction() as session:
        record(session, 3, actor=replace(FEED, tenant_id="elsewhere"))
    runner = app.test_cli_runner()
    done = runner.invoke(args=["audit", "verify"])
    assert done.exit_code == 0, done.output
    assert f"default: intact, {len(log)} entries, head {verify().head_hash}" in done.output
    assert "elsewhere: intact, 4 entries" in done.output
    with unguarded(LOG) as session:
        session.execute(text(f"UPDATE {LOG} SET tags = '[1]' WHERE log_seq = :seq"), {"seq": log[3]})
    done = runner.invoke(args=["audit", "verify"])
    assert done.exit_code == 1
    assert f"default: BROKEN at entry {log[3]} after 3 good entries" in done.output
    assert runner.invoke(args=["audit", "verify", "--tenant", "default"]).exit_code == 1
    assert runner.invoke(args=["audit", "verify", "--tenant", "elsewhere"]).exit_code == 0
