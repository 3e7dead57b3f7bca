"""The tables of the history refuse UPDATE, DELETE and TRUNCATE, whoever asks (workflow.md §1)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from lotus_web.domain.decisions.gate import GateAction
from lotus_web.models import AuditRecord
from lotus_web.store.session import transaction
from tests.support.histories import APPEND_ONLY, NOW, contents, count, decide, record

TABLES = (*APPEND_ONLY, "dg_audit_records")
REFUSED = {
    "record_id": "rec-1",
    "category": "refused",
    "occurred_at": NOW,
    "actor_type": "person",
    "actor_id": "victor.han",
    "surface": "form",
    "action": "approve",
    "subject": "corr-1:exception:rr_00000001",
    "code": "forbidden",
    "message": "This needs the permission workflow_review.",
    "details": {},
}


@pytest.fixture
def history(app: Flask) -> Iterator[dict[str, int]]:
    """A store in which each of the four tables holds something."""
    with app.app_context():
        with transaction() as session:
            record(session, 1)
            decide(session, 1, GateAction.APPROVE)
            session.add(AuditRecord(**{**REFUSED, "tenant_id": "default"}))
        held = contents()
        assert all(count(table) for table in TABLES)
        yield held


def assert_refused_everywhere(statement: str, history: dict[str, int]) -> None:
    for table in TABLES:
        with pytest.raises(DatabaseError, match="append-only"), transaction() as session:
            session.execute(text(statement.format(table=table)))
    assert contents() == history


@pytest.mark.parametrize("change", ["tenant_id = 'other'", "tenant_id = tenant_id"])
def test_an_update_is_refused_even_if_it_changes_nothing(history: dict[str, int], change: str) -> None:
    assert_refused_everywhere(f"UPDATE {{table}} SET {change}", history)


def test_a_deletion_is_refused(history: dict[str, int]) -> None:
    assert_refused_everywhere("DELETE FROM {table}", history)


@pytest.mark.stores("postgresql")
def test_postgresql_refuses_to_truncate(history: dict[str, int]) -> None:
    assert_refused_everywhere("TRUNCATE {table}", history)


@pytest.mark.stores("sqlite")
def test_sqlite_refuses_to_replace_rows(history: dict[str, int]) -> None:
    for table in TABLES:
        with suppress(DatabaseError), transaction() as session:
            session.execute(text(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"))
    assert contents() == history


@pytest.mark.stores("sqlite")
def test_sqlite_gives_no_place_in_the_log_twice(history: dict[str, int]) -> None:
    with transaction() as session:
        kinds = dict(session.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")).all())
    assert all("AUTOINCREMENT" in kinds[table] for table in TABLES)
