"""What reads cost: a fixed number of queries whatever is stored, and none that walks through a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from lotus_web.store.session import db
from tests.contract.callers import Caller
from tests.contract.rows import add_decisions, add_items, add_keys, add_runs

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MANY = 4_000
# Each with its number of queries, that for the token included.
READS = {
    "/rebalance/runs": 2,
    "/rebalance/runs?status=READY": 2,
    "/rebalance/runs?status=BLOCKED": 2,
    "/rebalance/runs?portfolio_id=pf-7": 2,
    "/rebalance/runs?portfolio_id=nobody": 2,
    "/rebalance/runs?request_hash=sha256:17": 2,
    "/rebalance/runs?status=READY&portfolio_id=pf-7&from=2026-03-02&to=2026-03-04": 2,
    "/rebalance/runs?from=2026-03-02T12:30:00Z&to=2026-03-02T12:40:00Z": 2,
    "/rebalance/runs?from=2020-01-01&limit=200": 2,
    "/rebalance/runs/rr_000007": 2,
    "/rebalance/runs/by-correlation/corr-7": 2,
    "/rebalance/runs/by-request-hash/sha256:7": 2,
    "/rebalance/runs/idempotency/key-7": 2,
    "/rebalance/runs/rr_000007/workflow": 3,
    "/rebalance/runs/by-correlation/corr-7/workflow": 4,
    "/rebalance/runs/idempotency/key-7/workflow": 4,
    "/rebalance/runs/rr_000007/workflow/history": 3,
    "/rebalance/workflow/decisions": 2,
    "/rebalance/workflow/decisions?action=REJECT": 2,
    "/rebalance/workflow/decisions?actor_id=person-1": 2,
    "/rebalance/workflow/decisions?reason_code=REASON_1": 2,
    "/rebalance/workflow/decisions?reason_code=NEVER": 2,
    "/rebalance/workflow/decisions?rebalance_run_id=rr_3": 2,
    "/rebalance/workflow/decisions?from=2026-03-02T12:30:00Z&to=2026-03-02T12:40:00Z": 2,
    "/rebalance/workflow/decisions/by-correlation/corr-7": 4,
}
WALKED = ("/rebalance/runs", "/rebalance/runs?status=READY", "/rebalance/workflow/decisions")


def fill(app: Flask, number: int) -> None:
    """Store runs of ten portfolios, one in a hundred blocked, with items, keys and decisions; let the store count them."""
    statuses = ["READY"] * 60 + ["PENDING_REVIEW"] * 39 + ["BLOCKED"]
    add_runs(app, number, start=NOON, statuses=statuses, portfolios=[f"pf-{index}" for index in range(10)])
    add_items(app, number, start=NOON)
    add_keys(app, number, start=NOON)
    add_decisions(app, number, start=NOON)
    with app.app_context(), db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


@contextmanager
def noted(app: Flask, *verbs: str) -> Iterator[list[tuple[str, Any]]]:
    """Collect the statements with these verbs, those that read unless any are given, and their parameters."""
    sent: list[tuple[str, Any]] = []

    def note(_conn: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if statement.startswith(verbs or "SELECT"):
            sent.append((statement, parameters))

    with app.app_context():
        store = db.engine
    event.listen(store, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(store, "before_cursor_execute", note)


def plan(app: Flask, statement: str, parameters: Any) -> list[str]:
    with app.app_context(), db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            return [str(row[3]) for row in rows]
        return [str(row[0]) for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)]


def is_small(line: str) -> bool:
    """Whether a line of a plan is about the two rows of accounts and tokens."""
    return "api_tokens" in line or "service_accounts" in line


def walks_through(line: str) -> bool:
    """Whether a line of a plan reads a whole table or index; the two rows of accounts and tokens may be read whole."""
    return not is_small(line) and ("Seq Scan" in line or line.lstrip().startswith("SCAN"))


def fill_many(app: Flask) -> None:
    fill(app, MANY)


@pytest.mark.filled(by=fill_many)
def test_no_read_walks_through_a_table(engine: Caller, app: Flask) -> None:
    pages = dict.fromkeys(READS, "")
    for path in WALKED:
        first = engine.get(path)
        joint = "&" if "?" in path else "?"
        pages[f"{path}{joint}cursor={first.json['next_cursor']}"] = ""
    found = {}
    for path in pages:
        with noted(app) as sent:
            assert engine.get(path).status_code == 200
        for statement, parameters in sent:
            lines = plan(app, statement, parameters)
            if any(walks_through(line) for line in lines):
                found[path] = lines
    assert found == {}


@pytest.mark.filled(by=fill_many)
def test_a_plan_that_walks_through_a_table_would_be_seen(app: Flask) -> None:
    lines = plan(app, "SELECT * FROM dpm_runs WHERE engine_version = 'x'", ())
    assert any(walks_through(line) for line in lines)


def test_the_number_of_queries_does_not_grow_with_what_is_stored(
    engine: Caller, app: Flask, statements: Callable[[], Any]
) -> None:
    def counts() -> dict[str, int]:
        found = {}
        for path in READS:
            with statements() as sent:
                assert engine.get(path).status_code == 200
            found[path] = len(sent)
        return found

    fill(app, 20)
    assert counts() == READS
    add_runs(app, 500, start=NOON, batch="more")
    add_decisions(app, 500, start=NOON, batch="more")
    assert counts() == READS
