"""Triggers hold what was recorded, whoever connects: on SQLite, INSERT OR REPLACE and UPDATE OR REPLACE do not pass them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Column, Integer, LargeBinary, Table, UniqueConstraint, make_url, text
from sqlalchemy.exc import DatabaseError

from lotus_web.domain.decisions.gate import GateAction
from lotus_web.domain.proposals.states import ApprovalType, ProposalEvent
from lotus_web.domain.surface import Surface
from lotus_web.models import Run
from lotus_web.models.events.guards import GUARDED, expected_triggers
from lotus_web.queries.health.guards import missing_guards
from lotus_web.services.audit.records import AuditCategory, record_audit
from lotus_web.services.retention.legal_hold import set_legal_hold
from lotus_web.services.retention.purge import purge_batch
from lotus_web.services.retention.targets import RUNS, Target
from lotus_web.store.session import db, transaction
from lotus_web.store.types import Base
from tests.support import proposals
from tests.support.histories import ADA, NOW, POLICY, count, decide, record, unguarded

KEPT = replace(POLICY, persist_artifacts=True)
# What nothing below writes a row of: one is made up.
MADE_UP = ("dg_log_checkpoints", "dg_log_cosignatures", "dg_log_keys", "dg_log_tiles", "dpm_decision_evidence")


def fill(app: Flask) -> None:
    with app.app_context():
        _fill()


def _fill() -> None:
    with transaction() as session:
        record(session, 1, policy=KEPT)
        record(session, 2, policy=KEPT)
    with transaction() as session:
        decide(session, 1, GateAction.APPROVE)
        set_legal_hold(session, "rr_00000001", hold=True, reason="Asked.", actor=ADA, surface=Surface.FORM, now=NOW)
        record_audit(
            session,
            AuditCategory.ADMIN,
            actor=ADA,
            action="create_account",
            subject="feed",
            code="created",
            message="feed was made.",
            surface=Surface.CLI,
            now=NOW,
        )
    proposal_id = proposals.proposed(key="one").proposal_id
    proposals.posted(proposal_id, ProposalEvent.SUBMITTED_FOR_RISK_REVIEW)
    proposals.approved(proposal_id, ApprovalType.RISK)
    with transaction() as session:
        for name in MADE_UP:
            table = Base.metadata.tables[name]
            session.execute(table.insert().values({column.name: _some(column) for column in table.columns}))


def _some(column: Column[Any]) -> Any:
    if "time" in str(column.type).lower() or column.name.endswith("_at"):
        return NOW
    return 1 if isinstance(column.type, Integer) else b"x" if isinstance(column.type, LargeBinary) else "x"


@pytest.fixture
def history(app: Flask) -> Iterator[Flask]:
    """A store in which each guarded table has a row."""
    with app.app_context():
        assert all(count(table) for table in GUARDED)
        db.session.remove()
        yield app
        db.session.rollback()


def keys(table: Table) -> Iterator[tuple[str, ...]]:
    """Yield every key of a table whose use SQLite would resolve by removing the row that has it."""
    yield tuple(column.name for column in table.primary_key)
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield tuple(column.name for column in constraint.columns)


def other(value: Any) -> Any:
    return value + 100_003 if isinstance(value, int) else b"x" if isinstance(value, bytes) else f"{value}x"


def rows_of(store: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    return store.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall()


@pytest.mark.stores("sqlite")
@pytest.mark.filled(by=fill)
def test_nothing_is_replaced_over_a_plain_connection(history: Flask, store_url: str) -> None:
    with closing(sqlite3.connect(str(make_url(store_url).database), isolation_level=None)) as store:
        store.execute("PRAGMA ignore_check_constraints = ON")
        for name in GUARDED:
            for key in keys(Base.metadata.tables[name]):
                replaces_nothing(store, name, key)


def replaces_nothing(store: sqlite3.Connection, name: str, key: tuple[str, ...]) -> None:
    """Put other rows under the keys of those of a table, which stay as they are."""
    names = [column.name for column in Base.metadata.tables[name].columns]
    before = rows_of(store, name)
    into = f"INTO {name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    for row in store.execute(f"SELECT {', '.join(names)} FROM {name}").fetchall():
        forged = [value if own in key else other(value) for own, value in zip(names, row, strict=True)]
        for verb in ("INSERT OR REPLACE", "REPLACE"):
            with suppress(sqlite3.IntegrityError):
                store.execute(f"{verb} {into}", forged)
            assert rows_of(store, name) == before, (verb, name, key)


@pytest.mark.stores("sqlite")
@pytest.mark.filled(by=fill)
def test_update_or_replace_does_not_pass_either(history: Flask, store_url: str) -> None:
    with closing(sqlite3.connect(str(make_url(store_url).database), isolation_level=None)) as store:
        for name in GUARDED:
            before = rows_of(store, name)
            for key in keys(Base.metadata.tables[name]):
                change = ", ".join(f"{column} = (SELECT max({column}) + 1 FROM {name})" for column in key)
                with pytest.raises(sqlite3.Error, match="append-only"):
                    store.execute(f"UPDATE OR REPLACE {name} SET {change}")
            assert rows_of(store, name) == before


OF_A_RUN = [column for column in Run.__table__.columns if column.name != "legal_hold"]


def _another(column: Column[Any]) -> str:
    return (
        "'2020-01-01 00:00:00.000000'"
        if column.name == "created_at"
        else "'READY'"
        if column.name == "status"
        else "'{}'"
    )


REFUSED = (
    "UPDATE dpm_run_payloads SET result = request",
    "UPDATE dpm_run_artifacts SET artifact = artifact",
    "UPDATE dpm_runs SET status = 'READY', legal_hold = NOT legal_hold",
    *(f"UPDATE dpm_runs SET {column.name} = {_another(column)}" for column in OF_A_RUN),
    "UPDATE dg_workflow_runtime SET last_log_seq = last_log_seq - 1",
    "UPDATE dg_workflow_runtime SET entry_count = entry_count - 1",
    "UPDATE dg_workflow_runtime SET head_hash = 'sha256:0'",
    "UPDATE dg_workflow_runtime SET tenant_id = 'another'",
    "DELETE FROM dg_workflow_runtime",
)


@pytest.mark.filled(by=fill)
def test_payloads_runs_and_the_end_of_the_log_are_guarded(history: Flask) -> None:
    for statement in REFUSED:
        with pytest.raises(DatabaseError, match="append-only"), transaction() as session:
            session.execute(text(statement))
    with transaction() as session:
        session.execute(text("UPDATE dpm_runs SET legal_hold = NOT legal_hold"))
        session.execute(text("UPDATE dg_workflow_runtime SET updated_at = updated_at"))


@pytest.mark.stores("postgresql")
@pytest.mark.filled(by=fill)
def test_no_guarded_table_is_truncated(history: Flask) -> None:
    for table in GUARDED:
        with pytest.raises(DatabaseError, match="append-only"), transaction() as session:
            session.execute(text(f"TRUNCATE {table} CASCADE"))


@pytest.mark.filled(by=fill)
def test_retention_still_removes_a_run(history: Flask) -> None:
    later = NOW + timedelta(days=4_000)
    with transaction() as session:
        session.execute(text("DELETE FROM dg_workflow_items WHERE rebalance_run_id = 'rr_00000002'"))
        assert purge_batch(session, Target(RUNS, "default", later, later), ["rr_00000002"])["runs"] == 1
    gone = "rebalance_run_id = 'rr_00000002'"
    assert not any(count(table, gone) for table in ("dpm_runs", "dpm_run_payloads", "dpm_run_artifacts"))


def test_the_migrations_make_the_triggers_that_the_doctor_expects(app: Flask) -> None:
    with app.app_context():
        assert missing_guards(db.session()) == []
        dialect = db.engine.dialect.name
        made = (
            "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
            if dialect == "postgresql"
            else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        )
        assert sorted(db.session.scalars(text(made))) == sorted(name for _, name in expected_triggers(dialect))
        db.session.remove()
        with unguarded("dpm_run_payloads"):
            pass
        assert (
            missing_guards(db.session())[0] == "The trigger dpm_run_payloads_no_update of dpm_run_payloads is missing."
        )
