"""Fixtures of the contract tests: callers with tokens, and a count of every row in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import event, func, select, text
from sqlalchemy.engine import Engine

from lotus_web.domain.access import Permission, Role
from lotus_web.store.session import db
from tests.contract.callers import ALL, ENGINE, REVIEWER, Caller, bearer_of
from tests.support.histories import EVENTS
from tests.support.people import hire

Count = dict[str, int]
# What a refused write leaves: that it was tried.
ONE_LINE = {"dg_audit_records": 1}
MakeCaller = Callable[..., Caller]


@pytest.fixture
def make_caller(app: Flask) -> MakeCaller:
    """``make_caller(account, permissions, tenant) -> Caller`` with a token of its own."""

    def make(account: str = ENGINE, permissions: Iterable[Permission] = ALL, tenant: str = "default") -> Caller:
        bearer = bearer_of(app, account, permissions, tenant)
        return Caller(app.test_client(), account, bearer, None if tenant == "default" else tenant)

    return make


@pytest.fixture
def engine(make_caller: MakeCaller) -> Caller:
    """The service account of the rebalance engine, which may do everything."""
    return make_caller()


@pytest.fixture
def reviewer(make_caller: MakeCaller) -> Caller:
    """A reviewer's service account, which reads and reviews and speaks for nobody else."""
    return make_caller(REVIEWER, (Permission.RUNS_READ, Permission.WORKFLOW_REVIEW))


@pytest.fixture
def hired(app: Flask) -> Callable[..., None]:
    """``hired(name, …)`` makes people whom an account may name; they review."""

    def hire_all(*names: str) -> None:
        for name in names:
            hire(app, name, Role.REVIEWER)

    return hire_all


@pytest.fixture
def count_rows(app: Flask) -> Callable[[], Count]:
    """``count_rows() -> {table: rows}`` of everything in the store; of the log its events, since its facts follow from other rows."""

    def count() -> Count:
        with app.app_context():
            queries = {table.name: select(func.count()).select_from(table) for table in db.metadata.sorted_tables}
            queries["dg_event_log"] = queries["dg_event_log"].where(text(EVENTS))
            return {name: db.session.scalar(query) or 0 for name, query in queries.items()}

    return count


def written(before: Count, after: Count) -> Count:
    """Return how many rows came, by table."""
    return {table: rows - before[table] for table, rows in after.items() if rows != before[table]}


@pytest.fixture
def statements(app: Flask) -> Callable[..., object]:
    """``with statements() as sent:`` collects what is sent to the store meanwhile."""

    @contextmanager
    def collect() -> Iterator[list[str]]:
        sent: list[str] = []

        def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
            if not statement.startswith(("BEGIN", "PRAGMA")):
                sent.append(statement)

        with app.app_context():
            store: Engine = db.engine
        event.listen(store, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(store, "before_cursor_execute", note)

    return collect
