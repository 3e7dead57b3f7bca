"""An id of another system that could be the id of a run's item is looked up by primary key, however many runs are stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event as sqlalchemy_event

from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.events.envelope import EventType
from lotus_web.store.session import db, transaction
from tests.contract.rows import add_runs
from tests.support.histories import NOW, STARTED, append, event, requested


@pytest.fixture(autouse=True)
def in_app(app: Flask) -> Iterator[None]:
    add_runs(app, 2_000, start=NOW)
    add_runs(app, 1, start=NOW, batch="x:exception:")
    with app.app_context():
        yield


def requested_in(trace_id: str, exception_id: str) -> tuple[list[tuple[str, Any]], Exception | None]:
    """Append a foreign exception; return the statements that read runs, and the refusal."""
    with transaction() as session:
        append(session, event(EventType.TRACE_STARTED, STARTED, trace_id=trace_id))
    sent: list[tuple[str, Any]] = []

    def note(_conn: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if "FROM dpm_runs" in statement:
            sent.append((statement, parameters))

    draft = event(EventType.EXCEPTION_REQUESTED, requested(exception_id), trace_id=trace_id)
    sqlalchemy_event.listen(db.engine, "before_cursor_execute", note)
    try:
        with transaction() as session:
            append(session, draft)
    except InvalidInput as refusal:
        return sent, refusal
    finally:
        sqlalchemy_event.remove(db.engine, "before_cursor_execute", note)
    return sent, None


def plan(statement: str, parameters: Any) -> str:
    postgres = db.engine.dialect.name == "postgresql"
    with db.engine.connect() as connection:
        if postgres:
            connection.exec_driver_sql("ANALYZE dpm_runs")
        word = "EXPLAIN" if postgres else "EXPLAIN QUERY PLAN"
        return "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{word} {statement}", parameters).all())


@pytest.mark.parametrize(
    "exception_id",
    ["ex-1", "a:exception:b", ":exception:" * 12, "rr_000007:exception:", "exception:exception:"],
)
def test_one_look_up_by_primary_key_whatever_the_id_is(exception_id: str) -> None:
    sent, refusal = requested_in("trace", exception_id)
    assert refusal is None
    assert len(sent) == 1
    found = plan(*sent[0])
    assert "Seq Scan" not in found
    assert "SCAN dpm_runs" not in found
    assert "rebalance_run_id" in found


@pytest.mark.parametrize(
    ("trace_id", "exception_id"),
    [
        ("corr-7", "rr_000007"),
        ("corr-x", "0:exception:rr_x:exception:000000"),
        ("corr-x:exception:0", "rr_x:exception:000000"),
        ("corr-x:exception:0:exception:rr_x", "000000"),
    ],
)
def test_every_way_to_divide_the_id_of_a_runs_item_is_refused(trace_id: str, exception_id: str) -> None:
    _, refusal = requested_in(trace_id, exception_id)
    assert refusal is not None
    assert "is a run" in str(refusal)
