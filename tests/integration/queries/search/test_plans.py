"""What the search box costs: each of its look-ups goes to the rows it wants by an index, however much is stored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text

from lotus_web.queries.search import find_exact, find_related
from lotus_web.store.session import db, transaction
from tests.contract.rows import add_decisions, add_items, add_keys, add_operations, add_proposals, add_runs
from tests.support.events import NOON, open_items

MANY = 3_000
# Columns that many rows share: an index that is searched by these alone is walked, not searched.
SHARED = {"tenant_id", "family"}
OF_OPEN = re.compile(r"ix_dg_workflow_items_(inbox|due|to_warn|to_escalate)\b")
CLOSED = text(
    "UPDATE dg_workflow_items SET status = 'approved', current_decision = 'approved', resolved_at = requested_at"
)
# One text of each kind that the box knows, and by what it is found.
EXACT = {
    "dop_000007": {"operation"},
    "corr-7": {"run", "operation"},
    "batch_000007": {"run", "operation"},
    "rr_000007": {"run"},
    "dra_000007": {"run"},
    "key-7": {"run"},
    "sha256:7": {"run"},
    "corr-7:exception:rr_000007": {"item"},
    "dwd_000007": set(),
    "pp_000007": {"proposal"},
    "ppv_000007": {"proposal"},
    "pwe_000007_1": {"proposal"},
    "pap_000007": {"proposal"},
    "corr-p7": {"proposal"},
    "proposal-key-7": {"proposal"},
    "sha256:request-7": {"proposal"},
    "sha256:artifact-7": {"proposal"},
    "nobody": set(),
}
RELATED = {"pf-7": {"run", "proposal"}, "pf-a": {"item"}, "corr-7": {"item"}, "amara": {"item"}, "nobody": set()}


def fill(app: Flask) -> None:
    """Store thousands of everything and a few open items."""
    add_runs(app, MANY, start=NOON, portfolios=[f"pf-{index}" for index in range(10)])
    add_items(app, MANY, start=NOON)
    add_keys(app, MANY, start=NOON)
    add_decisions(app, MANY, start=NOON)
    add_operations(app, MANY, start=NOON)
    add_proposals(app, MANY, start=NOON, portfolios=[f"pf-{index}" for index in range(10)])
    with app.app_context(), transaction() as session:
        session.execute(CLOSED)
    open_items(app, [f"t{number}" for number in range(5)], at=NOON)


pytestmark = pytest.mark.filled(by=fill)


@pytest.fixture(params=["counted", "uncounted"])
def crowded(app: Flask, request: pytest.FixtureRequest) -> Iterator[None]:
    """Thousands of everything and a few open items, with and without the statistics that a store keeps."""
    with app.app_context():
        if request.param == "counted":
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("ANALYZE")
        yield


@contextmanager
def noted() -> Iterator[list[tuple[str, Any]]]:
    sent: list[tuple[str, Any]] = []

    def note(_conn: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if statement.startswith("SELECT"):
            sent.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def plan_of(statement: str, parameters: Any) -> list[str]:
    postgres = db.engine.dialect.name == "postgresql"
    with db.engine.connect() as connection:
        if postgres:
            connection.exec_driver_sql("SET enable_seqscan = off")
        word = "EXPLAIN" if postgres else "EXPLAIN QUERY PLAN"
        rows = connection.exec_driver_sql(f"{word} {statement}", parameters).all()
        connection.rollback()
    return [str(row[-1]) for row in rows]


def walks(plan: list[str]) -> list[str]:
    """Return where a plan reads more than it wants: a whole table, or an index by what many rows share."""
    if db.engine.dialect.name == "sqlite":
        steps = [(line, line) for line in plan if re.match(r"\s*(SCAN|SEARCH) (d[pg]|proposal)", line)]
    else:
        steps = [
            (line, plan[number + 1] if "Index Cond" in "".join(plan[number + 1 : number + 2]) else "")
            for number, line in enumerate(plan)
            if re.search(r"Seq Scan|Index (Only )?Scan", line)
        ]
    return [line for line, condition in steps if not searched_by(condition) - SHARED and not OF_OPEN.search(line)]


def searched_by(condition: str) -> set[str]:
    """Return the columns that an index is searched by; the smallest portfolio from a name on is a search too."""
    return set(re.findall(r"(\w+)(?:=\?| = )", condition)) | set(re.findall(r"(portfolio_id) ?>", condition))


@pytest.mark.parametrize(("find", "texts"), [(find_exact, EXACT), (find_related, RELATED)])
def test_each_look_up_goes_to_its_rows_by_an_index(crowded: None, find: Any, texts: dict[str, set[str]]) -> None:
    looked = set()
    for wanted, kinds in texts.items():
        with noted() as sent:
            hits = find(db.session(), "default", wanted)
        db.session.rollback()
        assert {hit.kind.value for hit in hits} == kinds, wanted
        assert {"dpm", "dg", "proposal", "proposals"} >= {
            table.split("_")[0] for statement, _ in sent for table in tables(statement)
        }
        for statement, parameters in sent:
            looked |= tables(statement)
            plan = plan_of(statement, parameters)
            assert walks(plan) == [], "\n".join([wanted, statement, *plan])
    assert looked >= {"dpm_runs", "dg_workflow_items"}


def tables(statement: str) -> set[str]:
    return set(re.findall(r"FROM (\w+)", statement))


def test_a_look_up_that_walks_would_be_seen(crowded: None) -> None:
    for condition in ("submitted_by = 'engine-feed'", "tenant_id = 'default' AND submitted_by = 'x'"):
        statement = f"SELECT rebalance_run_id FROM dpm_runs WHERE {condition} ORDER BY created_at"
        assert walks(plan_of(statement, ())) != [], condition
