"""Files of runs and decisions: whoever takes their lines slowly keeps no transaction of the store open."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from lotus_web.queries.decisions import history
from lotus_web.queries.decisions.history import DecisionFilter, all_decisions
from lotus_web.queries.runs import lookup as runs
from lotus_web.queries.runs.lookup import RunFilter, all_runs
from lotus_web.store.session import db
from tests.contract.rows import add_decisions, add_runs

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_no_transaction_waits_for_who_takes_the_lines(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    add_runs(app, 5, start=NOON)
    add_decisions(app, 5, start=NOON)
    for module in (runs, history):
        monkeypatch.setattr(module, "EXPORT_BATCH", 2)
    with app.app_context(), Session(db.engine) as session:
        for rows in (all_runs(session, "default", RunFilter()), all_decisions(session, "default", DecisionFilter())):
            assert [session.in_transaction() for _ in rows] == [False] * 5
